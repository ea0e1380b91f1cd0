"""Pictures of the tasks that Gymnasium lacks: cart-poles by pygame (needs no display), the others by numpy."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import DependencyNotInstalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

WIDTH, HEIGHT = 600, 400  # pixels
PIXELS_PER_METRE = 110.0
TRACK_Y = 230

_BACKGROUND, _TRACK, _CART = (255, 255, 255), (120, 120, 120), (40, 40, 40)
_POLE, _AXLE = (202, 152, 101), (129, 132, 203)
_CELL = 60  # pixels
_BLUE, _ORANGE = (0, 114, 178), (230, 159, 0)
_FIGURES = {"agent": ("x", _BLUE), "prey": ("+", _ORANGE), "drone": ("+", _BLUE), "poacher": ("x", _ORANGE)}

_SCENE = 480  # pixels
_MARGIN = 20  # around the cities of a tour
_VIEW = 2.0  # half the width of what a scene's picture shows at least
_RED = (213, 94, 0)
# Of bodies: colour, radius in pixels, whether a ring, and the sign drawn in it.
_BODIES = {
    "agent": (_BLUE, 14, False, ""),
    "evader": (_ORANGE, 11, False, ""),
    "landmark": (_TRACK, 18, True, ""),
    "positive": (_RED, 14, False, "+"),
    "negative": (_BLUE, 14, False, "-"),
    "positive-target": (_RED, 18, True, "+"),
    "negative-target": (_BLUE, 18, True, "-"),
}


def draw_cartpole(x: float, theta: float, *, track: float = 2.4, length: float = 0.6) -> NDArray[np.uint8]:
    """Draw a cart-pole.

    Args:
        x: Cart position in metres.
        theta: Pole angle in radians, 0 is upright, positive leans right.
        track: Half length of the track in metres.
        length: Pole length in metres.

    Returns:
        An RGB frame of shape (400, 600, 3), uint8.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """
    try:
        import pygame
    except ImportError as error:
        raise DependencyNotInstalled("rendering needs pygame: pip install 'gymnasium[classic-control]'") from error
    canvas = pygame.Surface((WIDTH, HEIGHT))
    canvas.fill(_BACKGROUND)
    left, right = (WIDTH / 2 + side * track * PIXELS_PER_METRE for side in (-1, 1))
    pygame.draw.line(canvas, _TRACK, (left, TRACK_Y), (right, TRACK_Y), 3)
    for end in (left, right):
        pygame.draw.line(canvas, _TRACK, (end, TRACK_Y - 14), (end, TRACK_Y + 14), 3)
    axle = np.array([WIDTH / 2 + x * PIXELS_PER_METRE, TRACK_Y])
    pygame.draw.rect(canvas, _CART, pygame.Rect(int(axle[0]) - 30, TRACK_Y - 14, 60, 28), border_radius=5)
    tip = axle + length * PIXELS_PER_METRE * np.array([np.sin(theta), -np.cos(theta)])
    pygame.draw.line(canvas, _POLE, axle.tolist(), tip.tolist(), 11)
    pygame.draw.circle(canvas, _AXLE, axle.tolist(), 7)
    return np.ascontiguousarray(np.transpose(pygame.surfarray.array3d(canvas), (1, 0, 2)))


def draw_grid(shape: tuple[int, int], figures: Iterable[tuple[str, Sequence[int]]]) -> NDArray[np.uint8]:
    """Draw a grid with figures on it.

    Args:
        shape: Cells, height and width.
        figures: Names with row and column, later ones on top: ``"agent"`` (a blue x), ``"prey"`` (an orange +),
            ``"drone"`` (a blue +), ``"poacher"`` (an orange x); others are not known.

    Returns:
        An RGB frame of shape (60 * height, 60 * width, 3), uint8.
    """
    frame = np.full((shape[0] * _CELL, shape[1] * _CELL, 3), _BACKGROUND, np.uint8)
    frame[::_CELL] = frame[:, ::_CELL] = frame[-1] = frame[:, -1] = _TRACK
    offset = np.abs(np.arange(_CELL) - (_CELL - 1) / 2)  # of a pixel from its cell's middle
    down, across = offset[:, None], offset
    inside = (down < 22) & (across < 22)
    shapes = {"x": inside & (np.abs(down - across) < 5), "+": inside & ((down < 5) | (across < 5))}
    for name, (row, column) in figures:
        glyph, colour = _FIGURES[name]
        cell = frame[row * _CELL : (row + 1) * _CELL, column * _CELL : (column + 1) * _CELL]
        cell[shapes[glyph]] = colour
    return frame


def draw_tour(
    cities: NDArray[np.floating[Any]], paths: Iterable[Sequence[int]], depot: bool = False
) -> NDArray[np.uint8]:
    """Draw cities of the plane, x to the right and y up, and paths through them.

    Args:
        cities: (N, 2).
        paths: Cities one after the other; of a closed one the first is also the last.
        depot: Whether city 0 is a depot, a square.

    Returns:
        An RGB frame of shape (480, 480, 3), uint8, that shows all cities.
    """
    frame = np.full((_SCENE, _SCENE, 3), _BACKGROUND, np.uint8)
    low, size = cities.min(axis=0), float(np.ptp(cities, axis=0).max()) or 1.0
    across, up = ((cities - low) / size * (_SCENE - 1 - 2 * _MARGIN) + _MARGIN).T
    places = np.stack([_SCENE - 1 - up, across], axis=1)  # rows and columns
    for path in paths:
        for start, end in pairwise(path):
            line = np.linspace(places[start], places[end], 2 * _SCENE).round().astype(int)
            for down, right in np.ndindex(3, 3):
                frame[line[:, 0] + down - 1, line[:, 1] + right - 1] = _BLUE
    for i, (row, column) in enumerate(places.round().astype(int).tolist()):
        reach, colour = (8, _ORANGE) if depot and i == 0 else (4, _CART)
        frame[row - reach : row + reach + 1, column - reach : column + reach + 1] = colour
    return frame


def draw_bodies(positions: NDArray[np.float64], kinds: Sequence[str]) -> NDArray[np.uint8]:
    """Draw bodies in the plane, x to the right and y up; those in space seen along z, nearer ones larger and on top.

    Args:
        positions: (N, 2) or (N, 3).
        kinds: Of each: ``"agent"`` (a blue disc), ``"evader"`` (orange), ``"landmark"`` (a grey ring), ``"positive"``
            and ``"negative"`` (charges), ``"positive-target"`` and ``"negative-target"``.

    Returns:
        An RGB frame of shape (480, 480, 3), uint8, that shows at least -2 to 2; a grey cross marks the origin.
    """
    frame = np.full((_SCENE, _SCENE, 3), _BACKGROUND, np.uint8)
    view = max(_VIEW, 1.1 * float(np.abs(positions).max(initial=0)))
    middle = (_SCENE - 1) / 2
    down, across = np.mgrid[:_SCENE, :_SCENE] - middle
    frame[(np.minimum(abs(down), abs(across)) < 1) & (np.maximum(abs(down), abs(across)) < 8)] = _TRACK
    depth = positions[:, 2] / view if positions.shape[1] == 3 else np.zeros(len(positions))
    rings_first = sorted(range(len(kinds)), key=lambda i: (not _BODIES[kinds[i]][2], depth[i]))
    for i in rings_first:
        x, y = positions[i, :2] / view * middle
        _draw_body(frame, down + y, across - x, kinds[i], 1 + 0.5 * float(depth[i]))
    return frame


def _draw_body(
    frame: NDArray[np.uint8], down: NDArray[np.float64], across: NDArray[np.float64], kind: str, scale: float
) -> None:
    """One body, of pixels that are so far from its middle."""
    colour, size, ring, sign = _BODIES[kind]
    distance, radius = np.hypot(down, across), scale * size
    inside = distance < radius
    if not ring:
        frame[distance < radius + 1.5] = _BACKGROUND  # so that two of a colour can be told apart
    frame[inside & ((distance > radius - 4) | (not ring))] = colour
    if sign:
        bar = (abs(down) < 1.5) & (abs(across) < radius / 2)
        stroke = bar | (abs(across) < 1.5) & (abs(down) < radius / 2) if sign == "+" else bar
        frame[stroke] = colour if ring else _BACKGROUND
