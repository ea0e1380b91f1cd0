"""Gap against seconds as a picture: ``python -m symbench.leaderboard.gap_picture leaderboards/tours/*.csv``.

The picture is SVG, written as text. As a file it has its own colours; on a page the style sheet of the site gives those
of the theme, by the names of classes.
"""

from __future__ import annotations

import math
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from symbench.errors import SymbenchError
from symbench.leaderboard.gap_rows import FAMILIES, OTHERS, read_rows
from symbench.leaderboard.label_places import Box, place_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.leaderboard.gap_rows import GapRow

    Place = tuple[float, float]

# Family -> class in site.css, its light colour (Okabe and Ito), and the outline of its mark.
_CIRCLE: Final = "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0"
_LOOKS: Final = {
    FAMILIES[""]: ("c6", "#3c3c3c", _CIRCLE),
    FAMILIES["dpdp"]: ("c1", "#d55e00", "M0,-5.5L5.5,0L0,5.5L-5.5,0Z"),
    FAMILIES["attention-model"]: ("c0", "#0072b2", "M-4,-4H4V4H-4Z"),
    FAMILIES["pomo"]: ("c2", "#009e73", "M0,-5L5,4H-5Z"),
    OTHERS: ("c3", "#cc79a7", "M0,5L5,-4H-5Z"),
}
_FILLS: Final = (1.0, 0.0, 0.35)  # how opaque marks of the first, second ... agent of a family are
_INK, _RULE, _PAPER = "#5c626b", "#e3e0d9", "#ffffff"  # in light

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM, _LEGEND = 470, 350, 46, 24, 26, 44, 30  # of a panel, about pixels
_MANY: Final = 16  # methods above which a panel is twice as wide
_LETTER: Final = 6.4  # width of a letter of a label
_TICKS: Final = (0, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)  # of the gap, %
_LINEAR: Final = 0.03  # gap up to which its axis is linear, so that 0 is on it
_UNITS: Final = ("1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1000 s")


class _Look(NamedTuple):
    """How an agent is drawn."""

    name: str
    colour: str
    outline: str
    opacity: float

    def mark(self, x: float, y: float) -> str:
        filled = f'fill="{self.colour}" fill-opacity="{self.opacity}" stroke="{self.colour}" stroke-width="1.3"'
        return f'<path class="mark" transform="translate({x} {y})" d="{self.outline}" {filled}/>'


class _Panel(NamedTuple):
    """Axes: limits of the logarithm of seconds and of the scaled gap, and the area in the picture."""

    least: float
    most: float
    low: float
    high: float
    area: Box

    def x(self, seconds: float) -> float:
        share = (math.log10(seconds) - self.least) / (self.most - self.least)
        return round(self.area.left + share * (self.area.right - self.area.left), 1)

    def y(self, gap: float) -> float:
        share = (_scaled(gap) - self.low) / (self.high - self.low)
        return round(self.area.bottom - share * (self.area.bottom - self.area.top), 1)


def gap_picture(tables: Sequence[Sequence[GapRow]]) -> str:
    """The content of an SVG file: a panel for each table, with the same gaps and its own seconds.

    An agent has one kind of mark, and a label for each way in which it takes tours; a solver is labelled by its name.

    Args:
        tables: Rows of a task each, at least one.
    """
    every = [row for rows in tables for row in rows]
    looks, highest = _looks(every), max(row.gap_high if row.gap_high > 0 else row.gap_mean for row in every)
    outer = _outer_boxes([len(rows) for rows in tables])
    width = round(max(box.right for box in outer))
    legend, top = _legend(looks, width)
    height = top + round(outer[-1].bottom)
    panels = [_panel(rows, looks, box, top, highest) for rows, box in zip(tables, outer, strict=True)]
    about = "Gap to the reference tour against processor time, " + ", ".join(rows[0].task for rows in tables)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(about)}" font-family="system-ui, sans-serif" font-size="11" fill="{_INK}">\n'
        f'<rect class="paper" width="{width}" height="{height}" fill="{_PAPER}"/>\n{legend}{"".join(panels)}</svg>\n'
    )


def _outer_boxes(counts: Sequence[int]) -> list[Box]:
    """Where panels are, with their margins: two in a line, one where there are many methods."""
    found, x, y = [], 0, 0
    for count in counts:
        width = _WIDTH * (2 if count > _MANY else 1)
        if x + width > 2 * _WIDTH:
            x, y = 0, y + _HEIGHT
        found.append(Box(x, y, x + width, y + _HEIGHT))
        x += width
    return found


def _looks(rows: Sequence[GapRow]) -> dict[tuple[str, str], _Look]:
    """Family and agent -> how it is drawn; solvers without learning look the same."""
    found: dict[tuple[str, str], _Look] = {}
    for family, look in _LOOKS.items():
        agents = dict.fromkeys(agent for row in rows if (agent := _agent(row))[0] == family)
        for number, agent in enumerate(agents):
            found[agent] = _Look(*look, _FILLS[number % len(_FILLS)])
    return found


def _agent(row: GapRow) -> tuple[str, str]:
    """Family, and the agent's name without the way in which it takes tours."""
    family = row.family if row.family in _LOOKS else OTHERS
    return family, row.method.split(" ")[0] if family != FAMILIES[""] else ""


def _legend(looks: Mapping[tuple[str, str], _Look], width: float) -> tuple[str, int]:
    """Marks and names in lines, and where the panels begin."""
    parts, x, y = [], _LEFT, 17
    for (family, agent), look in looks.items():
        name = family if agent.replace("-", " ") in ("", family.lower()) else f"{agent} ({family})"
        step = round(30 + _LETTER * len(name))
        if x + step > width and x > _LEFT:
            x, y = _LEFT, y + 18
        parts.append(f'<g class="{look.name}">{look.mark(x, y)}</g>{_text(x + 10, y + 4, name)}\n')
        x += step
    return "".join(parts), y + _LEGEND - 17


def _panel(
    rows: Sequence[GapRow], looks: Mapping[tuple[str, str], _Look], outer: Box, top: float, highest: float
) -> str:
    area = Box(outer.left + _LEFT, top + outer.top + _TOP, outer.right - _RIGHT, top + outer.bottom - _BOTTOM)
    seconds = [math.log10(row.seconds) for row in rows]
    low, high = _scaled(-_LINEAR / 2), 1.05 * _scaled(highest)
    panel = _Panel(min(seconds) - 0.2, max(seconds) + 0.4, low, high, area)
    points = [(panel.x(row.seconds), panel.y(row.gap_mean)) for row in rows]
    lines = _lines(rows, points)
    names = [row.method.removeprefix(f"{_agent(row)[1]} ") for row in rows]
    labels = place_labels(points, [_LETTER * len(name) for name in names], area, list(lines.values()))
    parts = [_line(looks[agent], places) for (agent, _), places in lines.items()]
    parts += [_mark(row, looks[_agent(row)], point, panel) for row, point in zip(rows, points, strict=True)]
    parts += [_label(*each) for each in zip(names, points, labels, strict=True)]
    return _axes(panel, _title(rows)) + "".join(parts)


def _title(rows: Sequence[GapRow]) -> str:
    counts = [row.instances for row in rows]
    ends = dict.fromkeys((min(counts), max(counts)))
    return f"{rows[0].task}, {' to '.join(map(str, ends))} instances: gap to the reference tour"


def _axes(panel: _Panel, title: str) -> str:
    area, parts = panel.area, []
    for gap in _TICKS:
        if (y := panel.y(gap)) >= area.top:
            parts += [_rule(area.left, area.right, y, y), _text(area.left - 6, y + 4, f"{gap}%", "end")]
    for power in range(math.ceil(panel.least), math.floor(panel.most) + 1):
        x = panel.x(10.0**power)
        parts += [_rule(x, x, area.top, area.bottom), _text(x, area.bottom + 15, _seconds(power), "middle")]
    parts += [_text(area.left, area.top - 9, title, kind="panel")]
    parts += [_text(area.right, area.bottom + 31, "processor time for an instance", "end")]
    return "\n".join(parts) + "\n"


def _lines(rows: Sequence[GapRow], points: Sequence[Place]) -> dict[tuple[tuple[str, str], str], list[Place]]:
    """Points of an agent that differ in a number only, e.g. of beams: agent and way -> from the left to the right."""
    found: dict[tuple[tuple[str, str], str], list[Place]] = {}
    for row, point in zip(rows, points, strict=True):
        found.setdefault((_agent(row), re.sub(r":\d+$", ":", row.method)), []).append(point)
    return {key: sorted(places) for key, places in found.items() if len(places) > 1}


def _line(look: _Look, places: Sequence[Place]) -> str:
    path = " ".join(f"{x},{y}" for x, y in places)
    line = f'<polyline points="{path}" fill="none" stroke="{look.colour}" stroke-opacity=".4"/>'
    return f'<g class="{look.name}">{line}</g>\n'


def _mark(row: GapRow, look: _Look, point: Place, panel: _Panel) -> str:
    x, y = point
    about = f"{row.method}: gap {row.gap_mean:.3g}%, {row.seconds:.2g} s, {row.share_at_reference:.0%} at the reference"
    interval = ""
    if row.gap_high > row.gap_low:
        lower, upper = panel.y(max(row.gap_low, min(row.gap_mean, 0.0))), panel.y(row.gap_high)
        interval = f'<line class="interval" x1="{x}" x2="{x}" y1="{lower}" y2="{upper}" stroke="{look.colour}"/>'
    return f'<g class="{look.name}"><title>{escape(about)}</title>{interval}{look.mark(x, y)}</g>\n'


def _label(name: str, point: Place, box: Box) -> str:
    """The name, and a thin line to it where it stands apart."""
    x, y = point
    near_x, near_y = min(max(x, box.left), box.right), min(max(y, box.top + 2), box.bottom - 2)
    far = math.hypot(near_x - x, near_y - y) > 14
    line = _rule(x, round(near_x, 1), y, round(near_y, 1), "stop", _INK) if far else ""
    anchor = "start" if box.left > x else "end" if box.right < x else "middle"  # letters may be narrower than the box
    at = {"start": box.left, "end": box.right, "middle": (box.left + box.right) / 2}[anchor]
    return line + _text(at, box.bottom - 2.5, name, anchor) + "\n"


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "tick") -> str:
    weight = ' font-weight="650"' if kind == "panel" else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(words)}</text>'


def _rule(x1: float, x2: float, y1: float, y2: float, kind: str = "grid", colour: str = _RULE) -> str:
    width = "" if kind == "grid" else ' stroke-width=".6"'
    return f'<line class="{kind}" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}" stroke="{colour}"{width}/>'


def _scaled(gap: float) -> float:
    """Linear about 0, logarithmic above."""
    return math.asinh(gap / _LINEAR)


def _seconds(power: int) -> str:
    return _UNITS[power + 6] if 0 <= power + 6 < len(_UNITS) else f"1e{power} s"


def main(
    files: Annotated[list[Path], typer.Argument(metavar="CSV...", help="Tables, a panel each, in this order.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="SVG")] = Path("docs/pictures/tours-gaps.svg"),
) -> None:
    """Draw tables of gaps."""
    try:
        out.write_text(gap_picture([read_rows(file) for file in files]), encoding="utf-8")
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(out)


if __name__ == "__main__":
    typer.run(main)
