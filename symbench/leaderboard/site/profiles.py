"""Performance profiles of the agents of a board, as geometry that a template draws as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.board_statistics import performance_profile
from symbench.leaderboard.site.retention_curves import whole_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.site.cells import CellSummary

    Array = NDArray[np.float64]
    Points = list[tuple[float, float]]

TAUS: Final = np.linspace(0, 1.25, 126)  # of retention
_HALF: Final = 50  # where TAUS is 0.5

_LEFT, _RIGHT, _TOP, _BOTTOM, _WIDTH, _HEIGHT = 46, 20, 26, 40, 334, 190  # user units of the SVG, about pixels


@dataclass(frozen=True)
class ProfileCurve:
    """One agent: ``colour`` is that of its retention; ``band`` is a polygon, empty for few training runs."""

    name: str
    colour: int
    title: str
    line: Points
    band: Points


@dataclass(frozen=True)
class ProfileChart:
    """Everything a template needs to draw the profiles of some agents in one task."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    columns: list[tuple[float, str]]
    rows: list[tuple[float, str]]
    curves: list[ProfileCurve]


def profile_chart(agents: Mapping[str, Sequence[CellSummary]], colours: Mapping[str, int]) -> ProfileChart | None:
    """The performance profiles of the retention of agents.

    Args:
        agents: Name -> cells, all of one task.
        colours: Name -> number of its colour, for every agent that has anything to retain.

    Returns:
        ``None`` if fewer than two agents have anything to retain: there is nothing to compare.
    """
    if len(colours) < 2:
        return None
    return ProfileChart(
        width=_LEFT + _WIDTH + _RIGHT,
        height=_TOP + _HEIGHT + _BOTTOM,
        left=_LEFT,
        right=_LEFT + _WIDTH,
        top=_TOP,
        bottom=_TOP + _HEIGHT,
        columns=[(_x(tau), whole_percent(tau)) for tau in TAUS[::25]],
        rows=[(_y(share), whole_percent(share)) for share in np.linspace(0, 1, 5)],
        curves=[_curve(name, colour, agents[name]) for name, colour in colours.items()],
    )


def _curve(name: str, colour: int, cells: Sequence[CellSummary]) -> ProfileCurve:
    units = np.array([cell.shares for cell in cells if cell.shares]).T
    share, low, high = performance_profile(units, TAUS)
    title = f"{name}: {whole_percent(share[_HALF])} of training runs and conditions keep more than half"
    band = [] if np.isnan(low).any() else [*_points(low), *reversed(_points(high))]
    return ProfileCurve(name, colour, title, _points(share), band)


def _points(shares: Iterable[float]) -> Points:
    """The corners of a curve: what lies on a level stretch is left out."""
    points = [(_x(tau), _y(share)) for tau, share in zip(TAUS, shares, strict=True)]
    inner = zip(points, points[1:], points[2:], strict=False)
    return [points[0], *(point for before, point, after in inner if not before[1] == point[1] == after[1]), points[-1]]


def _x(tau: float) -> float:
    return round(_LEFT + _WIDTH * float(tau / TAUS[-1]), 1)


def _y(share: float) -> float:
    return round(_TOP + _HEIGHT * (1 - float(share)), 1)
