"""Everything that is read from a run: rows, the summary over tasks, and the answer in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbench.leaderboard.answer import answer
from symbench.leaderboard.rows import Row, Summary, make_rows, summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.runner import Manifest, Record


@dataclass(frozen=True)
class Report:
    """Everything that the tables of a run show.

    Attributes:
        manifest: What was run.
        rows: One per task, condition and agent.
        summary: Scores over all tasks, if there are several.
        tasks: The tasks that the reader asked for, which come first on a screen.
        answer: What each agent keeps in these tasks, in one line.
    """

    manifest: Manifest
    rows: list[Row]
    summary: list[Summary]
    tasks: tuple[str, ...] = ()
    answer: str = ""


def make_report(manifest: Manifest, records: Sequence[Record], tasks: Sequence[str] = ()) -> Report:
    """Derive everything from the cells of a run."""
    rows, summary = make_rows(manifest, records), summarise(manifest, records)
    return Report(manifest, rows, summary, tuple(tasks), answer(manifest, records, tasks))
