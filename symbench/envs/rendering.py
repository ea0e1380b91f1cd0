"""Pictures of the tasks that Gymnasium lacks: cart-poles by pygame (needs no display), grids by numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
