"""The tables of one task of a run as headings and cells, for markdown and HTML, so that both say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.rows import Row
    from symbench.runner import Manifest


@dataclass(frozen=True)
class RunTable:
    """One table.

    Attributes:
        title: What it shows.
        header: Headings; the first column holds words, as those in ``words`` do.
        lines: Cells.
        words: Places of the columns that hold words; the others hold numbers.
        quoted: Places of the columns that were not measured here.
    """

    title: str
    header: list[str]
    lines: list[list[str]]
    words: frozenset[int] = frozenset({0})
    quoted: frozenset[int] = field(default_factory=frozenset)


def run_tables(manifest: Manifest, task: str, rows: Sequence[Row]) -> list[RunTable]:
    """Returns, gaps where there are references, and scores."""
    gaps = [_excess(rows)] if text.has_references(rows) else []
    return [_returns(manifest, task, rows), *gaps, _scores(manifest, rows)]


def _returns(manifest: Manifest, task: str, rows: Sequence[Row]) -> RunTable:
    quoted = published(task, manifest.suite)
    agents = _agents(rows)
    lines = []
    for condition, group in groupby(rows, key=lambda row: row.condition):
        papers = [entry.returns.get(condition.id) for entry in quoted]
        cells = [text.mean_and_std(*paper) if paper else "" for paper in papers]
        lines.append([condition.title, *(text.return_of(row) for row in group), *cells])
    header = ["return", *agents, *(entry.agent for entry in quoted)]
    return RunTable("return", header, lines, quoted=frozenset(range(1 + len(agents), len(header))))


def _excess(rows: Sequence[Row]) -> RunTable:
    by_condition = groupby(rows, key=lambda row: row.condition)
    lines = [[condition.title, *map(text.excess_of, group)] for condition, group in by_condition]
    return RunTable("gap to the reference of the same instance", ["gap in %", *_agents(rows)], lines)


def _scores(manifest: Manifest, rows: Sequence[Row]) -> RunTable:
    header = ["agent", "perturbation", *text.score_headings(manifest, rows)]
    lines = [
        [
            text.agent_with_runs(row) if row is mine[0] else "",
            row.condition.title,
            text.with_interval(row.iqm),
            "" if row.condition.baseline else text.with_interval(row.retention, percent=True),
            text.with_interval(row.improvement),
        ]
        for mine in text.scored(rows)
        for row in mine
    ]
    columns = len(header) if header[-1] else len(header) - 1
    title = text.score_title(manifest, rows[0].task)
    return RunTable(title, header[:columns], [line[:columns] for line in lines], words=frozenset({0, 1}))


def _agents(rows: Sequence[Row]) -> list[str]:
    return [row.agent for row in rows if row.condition == rows[0].condition]
