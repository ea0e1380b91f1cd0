"""The tables of a run for the terminal."""

from __future__ import annotations

import math
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from symbench.leaderboard import text
from symbench.leaderboard.published import published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from symbench.leaderboard.published import Published
    from symbench.leaderboard.rows import Row
    from symbench.runner import Manifest

_BAR = 10  # characters of a bar that stands for 100%


def render(manifest: Manifest, rows: Sequence[Row], width: int = 120) -> RenderableType:
    """All tables of a run: for each task the returns, then scores and retention, then what to know about them.

    Args:
        manifest: What was run.
        rows: From :func:`~symbench.leaderboard.make_rows`.
        width: Characters there are; published numbers are left out when they do not fit.
    """
    parts: list[RenderableType] = []
    for task, group in groupby(rows, key=lambda row: row.task):
        of_task = list(group)
        returns = _returns(manifest, task, of_task, published(task))
        if _width(returns) > width:
            returns = _returns(manifest, task, of_task, ())
        notes = "\n".join(f"• {notice}" for notice in text.notices(manifest, task, of_task))
        parts += [returns, Text(), _scores(manifest, of_task), Text(), Text(notes, style="dim"), Text()]
    return Group(*parts)


def _returns(manifest: Manifest, task: str, rows: Sequence[Row], quoted: Sequence[Published]) -> Table:
    table = _table(f"{task}  ·  {manifest.suite.tag}  ·  return")
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
        table.add_row(condition.title, *(text.return_of(row) for row in group), *quotes)
    return table


def _scores(manifest: Manifest, rows: Sequence[Row]) -> Table:
    table = _table("normalised score, and the share of it that a perturbation leaves")
    compared = text.compared_with(manifest, rows)
    for heading in ("agent", "perturbation"):
        table.add_column(heading, no_wrap=True)
    for heading in ("IQM [95%]", "retention [95%]"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    if compared:
        table.add_column(compared, justify="right", no_wrap=True)
    for mine in text.scored(rows):
        for row in mine:
            improvement = [text.with_interval(row.improvement)] if compared else []
            table.add_row(text.agent_with_runs(row) if row is mine[0] else "", *_score(row), *improvement)
        table.add_section()
    return table


def _score(row: Row) -> tuple[RenderableType, ...]:
    if row.condition.baseline:
        return row.condition.title, text.with_interval(row.iqm), "", Text("━" * _BAR, style="dim")
    colour = _colour(row.retention.value)
    share = Text(text.with_interval(row.retention, percent=True), style=colour)
    return row.condition.title, text.with_interval(row.iqm), share, _bar(row.retention.value, colour)


def _bar(share: float, colour: str) -> Text:
    if math.isnan(share):
        return Text()
    filled = min(max(round(share * _BAR), 0), _BAR)
    return Text("━" * filled, style=colour) + Text("╌" * (_BAR - filled), style="dim")


def _colour(share: float) -> str:
    if math.isnan(share):
        return "dim"
    return "green" if share >= 0.9 else "yellow" if share >= 0.5 else "red"


def _heading(agent: str) -> str:
    """The name on lines short enough for the numbers below it."""
    return textwrap.fill(agent, 18)


def _width(table: Table) -> int:
    console = Console(width=1000)
    return Measurement.get(console, console.options, table).maximum


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False
    )
