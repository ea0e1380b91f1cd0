"""Pictures of the tasks that Gymnasium lacks, drawn with pygame (needs no display)."""

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
