"""Where labels of points of a chart stand, so that they cover neither each other nor points and lines."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    Place = tuple[float, float]

_AWAY: Final = (8.0, 13.0, 20.0, 30.0, 42.0, 56.0, 75.0, 100.0)  # from the point to the label
_SIDES: Final = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
_RADIUS, _STEP = 6.0, 6.0  # of points; between the places at which a line is looked at
_FREE: Final = 2.0  # area that a label covers rather than stand one further away


class Box(NamedTuple):
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def shared(self, other: Box) -> float:
        """Area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


def place_labels(
    points: Sequence[Place],
    widths: Sequence[float],
    frame: Box,
    lines: Sequence[Sequence[Place]] = (),
    height: float = 12.0,
) -> list[Box]:
    """A place for the label of each point: one that is near and covers little; points from the left to the right.

    Args:
        points: Their centres.
        widths: Of the labels.
        frame: What labels must not leave.
        lines: Through some of the points.
        height: Of the labels.
    """
    marks = [_about(point, _RADIUS) for point in points]
    steps = [_about(place, 1.5) for line in lines for place in _along(line)]
    placed: dict[int, Box] = {}
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        taken = [*marks[:i], *marks[i + 1 :], *placed.values(), *placed.values(), *steps]  # labels count twice
        choices = [(away, _box(points[i], widths[i], height, away, side)) for away in _AWAY for side in _SIDES]
        costs = [_FREE * away + _covered(box, taken, frame) for away, box in choices]
        placed[i] = choices[costs.index(min(costs))][1]
    return [placed[i] for i in range(len(points))]


def _box(point: Place, width: float, height: float, away: float, side: tuple[int, int]) -> Box:
    x = point[0] + side[0] * away - (width * (1 - side[0])) / 2
    y = point[1] + side[1] * (away + height / 2 - 2) - height / 2
    return Box(x, y, x + width, y + height)


def _covered(box: Box, taken: Sequence[Box], frame: Box) -> float:
    """Area of other things that a label covers; what is outside of the frame counts a hundred times."""
    outside = box.shared(box) - box.shared(frame)
    return sum(box.shared(other) for other in taken) + 100 * outside


def _about(place: Place, radius: float) -> Box:
    return Box(place[0] - radius, place[1] - radius, place[0] + radius, place[1] + radius)


def _along(line: Sequence[Place]) -> list[Place]:
    """Places of a line, some pixels from each other."""
    found = []
    for (x1, y1), (x2, y2) in pairwise(line):
        count = max(1, round(math.hypot(x2 - x1, y2 - y1) / _STEP))
        found += [(x1 + (x2 - x1) * k / count, y1 + (y2 - y1) * k / count) for k in range(count + 1)]
    return found
