"""Pictures of the tasks that Gymnasium lacks: cart-poles by pygame (needs no display), grids by numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from gymnasium.error import DependencyNotInstalled

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH, HEIGHT = 600, 400  # pixels
PIXELS_PER_METRE = 110.0
TRACK_Y = 230

_BACKGROUND, _TRACK, _CART = (255, 255, 255), (120, 120, 120), (40, 40, 40)
_POLE, _AXLE = (202, 152, 101), (129, 132, 203)
_CELL = 60  # pixels
_FIGURES = {"agent": (0, 114, 178), "prey": (230, 159, 0)}


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


def draw_grid(size: int, cells: dict[str, tuple[int, int]]) -> NDArray[np.uint8]:
    """Draw a grid with figures on it.

    Args:
        size: Cells, height and width.
        cells: Row and column of ``"agent"`` (a blue x) and ``"prey"`` (an orange +); other names are not known.

    Returns:
        An RGB frame of shape (60 * size, 60 * size, 3), uint8.
    """
    frame = np.full((size * _CELL, size * _CELL, 3), _BACKGROUND, np.uint8)
    frame[::_CELL] = frame[:, ::_CELL] = frame[-1] = frame[:, -1] = _TRACK
    offset = np.abs(np.arange(_CELL) - (_CELL - 1) / 2)  # of a pixel from its cell's middle
    down, across = offset[:, None], offset
    inside = (down < 22) & (across < 22)
    shapes = {"agent": inside & (np.abs(down - across) < 5), "prey": inside & ((down < 5) | (across < 5))}
    for name, (row, column) in cells.items():
        cell = frame[row * _CELL : (row + 1) * _CELL, column * _CELL : (column + 1) * _CELL]
        cell[shapes[name]] = _FIGURES[name]
    return frame
