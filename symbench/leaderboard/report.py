"""Writes the tables of a run directory; they are derived from its cells and can be made again at any time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError, unknown
from symbench.files import write_atomically
from symbench.leaderboard import markdown
from symbench.leaderboard.tables import Report, make_report
from symbench.runner import Store, load_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.runner import Manifest, Record


def write_report(directory: Path, tasks: Sequence[str] = ()) -> Report:
    """Write ``leaderboard.csv``, ``leaderboard.md`` and ``episodes.csv`` into a run directory.

    Args:
        directory: The run directory.
        tasks: Which tasks the reader asked for; see :class:`~symbench.leaderboard.rows.Report`.

    Raises:
        SymbenchError: The directory holds no run, a cell is damaged, or a table cannot be written.
    """
    from symbench.leaderboard.frame import episodes_frame, leaderboard_frame

    manifest, records = _read(directory)
    report = make_report(manifest, records, tasks)
    files = {
        "leaderboard.csv": leaderboard_frame(report.rows).to_csv(index=False),
        "episodes.csv": episodes_frame(records).to_csv(index=False),
        "leaderboard.md": markdown.render(report, records),
    }
    for name, content in files.items():
        try:
            write_atomically(directory / name, content)
        except OSError as error:
            raise SymbenchError(f"cannot write {directory / name} ({error.strerror}); the cells are kept") from error
    return report


def read_report(directory: Path, tasks: Sequence[str] = (), agents: Sequence[str] = ()) -> Report:
    """The tables of a run directory, of some tasks and agents; nothing is written.

    Args:
        directory: The run directory.
        tasks: Which tasks; none takes all.
        agents: The same; the answer in one line, which is about all agents, is left out if some are named.

    Raises:
        SymbenchError: The directory holds no run, a cell is damaged, or a task or an agent is not in it.
    """
    manifest, records = _read(directory)
    report = make_report(manifest, records, tasks)
    for kind, wanted, known in (
        ("task", tasks, {row.task for row in report.rows}),
        ("agent", agents, {row.agent for row in report.rows}),
    ):
        for name in wanted:
            if name not in known:
                raise unknown(kind, name, known, f"of {directory}")
    rows = [row for row in report.rows if row.task in (tasks or [row.task]) and row.agent in (agents or [row.agent])]
    return replace(report, rows=rows, answer="" if agents else report.answer)


def _read(directory: Path) -> tuple[Manifest, list[Record]]:
    manifest = load_manifest(directory)
    return manifest, Store(directory).records(manifest.cells)
