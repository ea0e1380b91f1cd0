"""The tables of a run for the terminal."""

from __future__ import annotations

import math
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.published import Published
    from symbench.leaderboard.rows import Report, Row, Summary
    from symbench.runner import Manifest

_BAR = 10  # characters of a bar that stands for 100%


def render(report: Report, width: int = 120) -> RenderableType:
    """All tables of a run: for each task the returns, then scores and retention, then what to know about them.

    Args:
        report: What the tables show.
        width: Characters there are; what does not fit is left out: published numbers, comparisons, bars.
    """
    manifest, parts = report.manifest, list[RenderableType]()
    for task, group in groupby(report.rows, key=lambda row: row.task):
        rows = list(group)
        *_, compared = text.score_headings(manifest, rows)
        returns = (_returns(manifest, task, rows, quoted) for quoted in (published(task, manifest.suite), ()))
        scores = (_scores(manifest, rows, *extras) for extras in ((True, compared), (True, ""), (False, "")))
        notes = "\n".join(f"• {notice}" for notice in text.notices(manifest, task, rows))
        parts += [_fitting(returns, width), Text(), _fitting(scores, width), Text(), Text(notes, style="dim"), Text()]
    if report.summary:
        parts += [_summary(report.summary), Text()]
    return Group(*parts)


def _summary(summary: Sequence[Summary]) -> Group:
    header, lines = text.summary_table(summary)
    table = _table()
    for column in header:
        table.add_column(_heading(column), justify="left" if column == header[0] else "right", no_wrap=True)
    for title, *scores in lines:
        table.add_row(*map(Text, (title, *scores)))
    return _titled(f"all tasks  ·  normalised score, {text.summary_legend(summary)}", table)


def _returns(manifest: Manifest, task: str, rows: Sequence[Row], quoted: Sequence[Published]) -> Group:
    table = _table()
    table.add_column("perturbation", no_wrap=True)
    for row in (row for row in rows if row.condition == rows[0].condition):
        table.add_column(
            _heading(row.agent), justify="right", style="dim" if row.agent == "random" else "", no_wrap=True
        )
    for entry in quoted:
        table.add_column(_heading(entry.agent), justify="right", style="dim italic", no_wrap=True)
    for condition, group in groupby(rows, key=lambda row: row.condition):
        papers = [entry.returns.get(condition.id) for entry in quoted]
        quotes = [text.mean_and_std(*paper) if paper else "" for paper in papers]
        table.add_row(*map(Text, (condition.title, *(text.return_of(row) for row in group), *quotes)))
    return _titled(f"{task}  ·  {manifest.suite.tag}  ·  return", table)


def _scores(manifest: Manifest, rows: Sequence[Row], bars: bool, compared: str) -> Group:
    """The table of scores: a block for each agent; ``compared`` heads the last column, which is left out if empty."""
    table = _table()
    table.add_column("agent and perturbation", no_wrap=True)
    for heading in text.score_headings(manifest, rows)[:2]:
        table.add_column(heading, justify="right", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    if compared:
        table.add_column(Text(compared), justify="right", no_wrap=True)
    for mine in text.scored(rows):
        if mine:
            table.add_row(Text(text.agent_with_runs(mine[0]), style="bold"))
        for row in mine:
            extra = [_bar(row)] if bars else []
            table.add_row(*_score(row), *extra, *([Text(text.with_interval(row.improvement))] if compared else []))
        table.add_section()
    return _titled(text.score_title(manifest, rows[0].task), table)


def _score(row: Row) -> tuple[RenderableType, ...]:
    share = "" if row.condition.baseline else text.with_interval(row.retention, percent=True)
    title = Text(f"  {row.condition.title}")
    return title, Text(text.with_interval(row.iqm)), Text(share, style=_colour(row.retention.value))


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


def _fitting(choices: Iterable[RenderableType], width: int) -> RenderableType:
    """The first choice that is not too wide, or the last."""
    console = Console(width=1000)
    for part in choices:
        if Measurement.get(console, console.options, part).maximum <= width:
            break
    return part


def _table() -> Table:
    return Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)


def _titled(title: str, table: Table) -> Group:
    # Not the table's own title, which is folded to the table's width.
    return Group(Text(title, style="bold"), table)
