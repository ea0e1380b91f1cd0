"""Curves of retention over severity, as geometry that a template draws as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from symbench.leaderboard.site.cells import CellSummary, by_perturbation
from symbench.leaderboard.text import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

COLOURS: Final = 8  # in site.css; more agents than that are grey

_SLOT, _LEFT, _RIGHT, _TOP, _HEIGHT, _BOTTOM = 54, 46, 20, 14, 190, 78  # user units of the SVG, about pixels
_LETTER: Final = 7  # width of a letter of a panel's name
_GRID: Final = 0.25  # of retention, between two lines
_LEAST, _MOST = -0.5, 1.5  # what lies beyond is drawn at the edge


@dataclass(frozen=True)
class Point:
    """Retention under one condition: position, words, interval (``None`` without one) and the training runs."""

    x: float
    y: float
    title: str = ""
    low: float | None = None
    high: float | None = None
    runs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Curve:
    """One agent: ``colour`` is the number of a class of the style sheet, each of ``parts`` one perturbation."""

    name: str
    colour: int
    parts: list[list[Point]]


@dataclass(frozen=True)
class Panel:
    """One perturbation on the horizontal axis."""

    name: str
    left: float
    right: float
    levels: list[tuple[float, str]]


@dataclass(frozen=True)
class Chart:
    """Everything a template needs to draw the curves of some agents in one task."""

    width: float
    height: float
    top: float
    bottom: float
    grid: list[tuple[float, str]]
    panels: list[Panel]
    curves: list[Curve]

    @property
    def narrow(self) -> bool:
        """Whether it fits beside a table."""
        return self.width <= _LEFT + 7 * _SLOT + _RIGHT


def chart(agents: Mapping[str, Sequence[CellSummary]], *, runs: bool = False) -> Chart | None:
    """The curves of agents that were measured under the same conditions.

    Every perturbation begins at the clean score, i.e. at 100%, and goes on with its levels in the order of the suite.

    Args:
        agents: Name -> cells, all of one task.
        runs: Whether single training runs are drawn too, and the axis holds all of their intervals.

    Returns:
        ``None`` if no agent has anything that can be retained.
    """
    drawn = {name: cells for name, cells in agents.items() if _known(cells)}
    if not drawn:
        return None
    low, high = _range((cell for cells in drawn.values() for cell in cells), runs)
    groups = by_perturbation(next(iter(drawn.values())))
    panels = _panels({name: [cell.condition.level for cell in cells] for name, cells in groups.items()})

    def y(share: float) -> float:
        return round(_TOP + _HEIGHT * (high - min(max(share, low), high)) / (high - low), 1)

    steps = range(round(low / _GRID), math.floor(high / _GRID + 1e-9) + 1)
    order = {name: min(place, COLOURS) for place, name in enumerate(name for name in agents if name in drawn)}
    return Chart(
        width=max(panels[-1].right + _RIGHT, panels[-1].left + _LETTER * len(panels[-1].name)),
        height=_TOP + _HEIGHT + _BOTTOM,
        top=_TOP,
        bottom=_TOP + _HEIGHT,
        grid=[(y(step * _GRID), f"{round(100 * step * _GRID)}%") for step in steps],
        panels=panels,
        curves=[Curve(name, order[name], _parts(cells, panels, y, runs)) for name, cells in drawn.items()],
    )


def whole_percent(share: float) -> str:
    """``45%``, or a dash."""
    return NOTHING if math.isnan(share) else f"{round(100 * share)}%"


def _known(cells: Iterable[CellSummary]) -> bool:
    return any(not math.isnan(cell.retention.value) for cell in cells)


def _range(cells: Iterable[CellSummary], runs: bool) -> tuple[float, float]:
    """Lowest and highest retention of the axis; 0 and 1 belong to it."""
    drawn = (value for cell in cells for value in ((*cell.retention, *cell.shares) if runs else cell.retention[:1]))
    values = [value for value in drawn if not math.isnan(value)]
    low = math.floor(min(0.0, *values) / _GRID) * _GRID
    return max(low, _LEAST), min(max(1.05, *values), _MOST)


def _panels(levels: Mapping[str, Sequence[str]]) -> list[Panel]:
    panels, left = [], float(_LEFT)
    for name, named in levels.items():
        places = [(left + _SLOT * place, level) for place, level in enumerate(("clean", *named))]
        panels.append(Panel(name, left, places[-1][0], places))
        left = max(places[-1][0] + _SLOT, left + _LETTER * len(name))
    return panels


def _parts(
    cells: Sequence[CellSummary], panels: Sequence[Panel], y: Callable[[float], float], runs: bool
) -> list[list[Point]]:
    parts = []
    for panel, group in zip(panels, by_perturbation(cells).values(), strict=True):
        places = [x for x, _ in panel.levels]
        points = [_point(x, cell, y, runs) for x, cell in zip(places[1:], group, strict=True)]
        parts.append([Point(places[0], y(1.0)), *points])
    return parts


def _point(x: float, cell: CellSummary, y: Callable[[float], float], runs: bool) -> Point:
    value, low, high = cell.retention
    title = f"{cell.condition.title}: {whole_percent(value)}"
    dots = tuple(map(y, cell.shares)) if runs else ()
    return Point(x, y(value), title, runs=dots) if math.isnan(low) else Point(x, y(value), title, y(low), y(high), dots)
