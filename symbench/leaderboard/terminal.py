"""The tables of a run for the terminal."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from symbench.leaderboard.published import Published
    from symbench.leaderboard.rows import Row, Summary
    from symbench.leaderboard.tables import Report
    from symbench.runner import Manifest

_BAR = 10  # characters of a bar that stands for 100%


@dataclass(frozen=True)
class _Column:
    """One column of a table: a heading and a text for each line."""

    heading: Text
    lines: list[Text]
    style: str = ""


def render(report: Report, width: int = 120) -> RenderableType:
    """All tables of a run: for each task the returns, then scores and retention, then what to know about them.

    The tasks that the reader asked for come first.

    Args:
        report: What the tables show.
        width: Characters there are. A table that is wider is cut into several, one below the other; bars are left out.
    """
    manifest, parts = report.manifest, list[RenderableType]()
    ordered = sorted(report.rows, key=lambda row: row.task not in report.tasks)
    for task, group in groupby(ordered, key=lambda row: row.task):
        rows = list(group)
        notes = "\n".join(f"• {notice}" for notice in text.notices(manifest, task, rows))
        parts += [_returns(manifest, task, rows, width), Text()]
        parts += [_excess(manifest, task, rows, width), Text()] if text.has_references(rows) else []
        parts += [_scores(manifest, rows, width), Text(), Text(notes, style="dim"), Text()]
    if report.summary:
        parts += [_summary(report.summary, width), Text()]
    return Group(*parts)


def _summary(summary: Sequence[Summary], width: int) -> Group:
    header, lines = text.summary_table(summary)
    first, *others = (
        _Column(_heading(name), [Text(line[place]) for line in lines]) for place, name in enumerate(header)
    )
    title = f"all tasks  ·  normalised score, {text.summary_legend(summary)}"
    return _titled(title, _stacked(first, others, width))


def _returns(manifest: Manifest, task: str, rows: Sequence[Row], width: int) -> Group:
    first, agents = _by_agent(rows, text.return_of)
    conditions = list(dict.fromkeys(row.condition.id for row in rows))
    papers = [_paper(entry, conditions) for entry in published(task, manifest.suite)]
    return _titled(f"{task}  ·  {manifest.suite.tag}  ·  return", _stacked(first, agents + papers, width))


def _excess(manifest: Manifest, task: str, rows: Sequence[Row], width: int) -> Group:
    return _titled(
        f"{task}  ·  {manifest.suite.tag}  ·  gap to the reference of the same instance, %",
        _stacked(*_by_agent(rows, text.excess_of), width),
    )


def _by_agent(rows: Sequence[Row], show: Callable[[Row], str]) -> tuple[_Column, list[_Column]]:
    """A column of conditions, and one for each agent."""
    by_condition = [list(group) for _, group in groupby(rows, key=lambda row: row.condition)]
    first = _Column(Text("perturbation"), [Text(group[0].condition.title) for group in by_condition])
    agents = [
        _Column(_heading(mine[0].agent), [Text(show(row)) for row in mine], "dim" if mine[0].agent == "random" else "")
        for mine in zip(*by_condition, strict=True)
    ]
    return first, agents


def _paper(entry: Published, conditions: Sequence[str]) -> _Column:
    found = [entry.returns.get(condition) for condition in conditions]
    return _Column(
        _heading(entry.agent), [Text(text.mean_and_std(*paper) if paper else "") for paper in found], "dim italic"
    )


def _scores(manifest: Manifest, rows: Sequence[Row], width: int) -> Group:
    """The table of scores: a block for each agent."""
    blocks = [mine for mine in text.scored(rows) if mine]
    lines = [row for mine in blocks for row in (None, *mine)]  # the name of an agent is a line of its own
    names = iter([text.agent_with_runs(mine[0]) for mine in blocks])
    titles = [Text(next(names), "bold") if row is None else Text(f"  {row.condition.title}") for row in lines]
    *headings, compared = text.score_headings(manifest, rows)

    def column(heading: str, show: Callable[[Row], Text]) -> _Column:
        return _Column(Text(heading), [Text() if row is None else show(row) for row in lines])

    columns = [column(heading, show) for heading, show in zip(headings, (_iqm, _share), strict=True)]
    extra = [column(compared, lambda row: Text(text.with_interval(row.improvement)))] if compared else []
    ends = set(accumulate(1 + len(mine) for mine in blocks))
    first = _Column(Text("agent and perturbation"), titles)
    barred = [first, *columns, column("", _bar), *extra]
    fits = _width(_table(barred)) <= width
    tables = Group(_table(barred, ends)) if fits else _stacked(first, columns + extra, width, ends)
    return _titled(text.score_title(manifest, rows[0].task), tables)


def _iqm(row: Row) -> Text:
    return Text(text.with_interval(row.iqm))


def _share(row: Row) -> Text:
    share = "" if row.condition.baseline else text.with_interval(row.retention, percent=True)
    return Text(share, style=_colour(row.retention.value))


def _bar(row: Row) -> Text:
    share = row.retention.value
    if math.isnan(share):
        return Text()
    if row.condition.baseline:
        return Text("━" * _BAR, style="dim")
    filled = min(max(round(share * _BAR), 0), _BAR)
    return Text("━" * filled, style=_colour(share)) + Text("╌" * (_BAR - filled), style="dim")


def _colour(share: float) -> str:
    if math.isnan(share):
        return "dim"
    return "green" if share >= 0.9 else "yellow" if share >= 0.5 else "red"


def _heading(agent: str) -> Text:
    """The name on lines short enough for the numbers below it."""
    return Text(textwrap.fill(agent, 18))


def _stacked(first: _Column, columns: Sequence[_Column], width: int, ends: Container[int] = ()) -> Group:
    """Tables that are no wider than they may be, each with the first column; a line follows the lines ``ends``."""
    groups: list[list[_Column]] = [[]]
    for column in columns:
        if groups[-1] and _width(_table([first, *groups[-1], column])) > width:
            groups.append([])
        groups[-1].append(column)
    return Group(*(_table([first, *group], ends) for group in groups))


def _width(table: Table) -> int:
    console = Console(width=1000)
    return Measurement.get(console, console.options, table).maximum


def _table(columns: Sequence[_Column], ends: Container[int] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column.heading, justify="right" if place else "left", style=column.style, overflow="fold")
    for number, line in enumerate(zip(*(column.lines for column in columns), strict=True), 1):
        table.add_row(*line, end_section=number in ends)
    return table


def _titled(title: str, tables: Group) -> Group:
    # Not the table's own title, which is folded to the table's width.
    return Group(Text(title, style="bold"), tables)
