"""The tables and figures of a run on one page of HTML, which needs nothing but itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symbench import plot
from symbench.errors import SymbenchError
from symbench.exports.inline_svg import COLOURS, inline
from symbench.extras import require
from symbench.leaderboard import text
from symbench.leaderboard.frame import leaderboard_frame
from symbench.leaderboard.run_tables import RunTable, run_tables
from symbench.plot.save import rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.rows import Row
    from symbench.leaderboard.tables import Report

_WIDTH: Final = 6.0  # inches that figures are drawn for; the page scales them


@dataclass(frozen=True)
class Part:
    """What the page says of one task; ``figure`` is markup of ours, everything else is text."""

    task: str
    tables: list[RunTable]
    notices: list[str]
    figure: str
    caption: str


def page(report: Report) -> str:
    """One page: what agents keep, and for each task a figure, the tables and what to know; how it was made.

    It loads nothing, is light or dark as the reader's system is, and everything that a run has named is escaped.

    Args:
        report: The tables of a run, see :func:`symbench.leaderboard.report.read_report`.

    Raises:
        SymbenchError: Jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", "pages")
    require("matplotlib", "figures of pages")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    parts = [
        _part(report, task, list(group), number)
        for number, (task, group) in enumerate(groupby(report.rows, key=lambda row: row.task))
    ]
    made: str = environment.get_template("page.html").render(
        suite=report.manifest.suite,
        titles=[part.task for part in parts],
        answer=report.answer.splitlines(),
        parts=parts,
        calls=text.calls(report.manifest),
        made_with=text.made_with,
        colours=COLOURS,
        classes=_classes,
    )
    return made + "\n"


def _part(report: Report, task: str, rows: Sequence[Row], number: int) -> Part:
    figure, caption = _figure(rows, number)
    tables, notices = run_tables(report.manifest, task, rows), text.notices(report.manifest, task, rows)
    return Part(task, tables, notices, figure, caption)


def _figure(rows: Sequence[Row], number: int) -> tuple[str, str]:
    """SVG and caption; nothing where nothing can be drawn yet."""
    frame = leaderboard_frame(rows)
    kind = plot.default_kind(frame)
    try:
        svg = rendered(plot.figure(frame, kind, width=_WIDTH), "svg").decode()
    except SymbenchError:  # nothing has been played: the tables say so
        return "", ""
    return inline(svg, f"f{number}"), plot.caption(kind)


def _classes(table: RunTable, place: int) -> str:
    names = [name for name, places in (("word", table.words), ("quoted", table.quoted)) if place in places]
    return " ".join(names)
