"""CarRacing: Gymnasium's CarRacing-v3, the same pixels several times faster, grey or in colour.

Gymnasium transforms and tests some 700 polygons in Python at every step, mirrors a large frame and shrinks it. Here
the corners of a track are one array, only polygons on the screen are drawn, and the frame is mirrored when it is small.
Physics, rewards, tracks and endings are Gymnasium's, and so are the pixels of the 96x96 observation, bit for bit.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.error import DependencyNotInstalled
from gymnasium.utils import EzPickle

from symbench.envs.headless import draw_without_display

try:
    import pygame
    from gymnasium.envs.box2d import car_racing as original
    from pygame import gfxdraw
except (ImportError, DependencyNotInstalled) as error:
    raise DependencyNotInstalled("CarRacing needs Box2D and pygame: pip install 'symbench[box2d]'") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]
    Corners = NDArray[np.float64]

SIZE = 96  # rows and columns of an observation
INDICATOR_ROWS = 12  # the last rows of an observation: score, speed, wheels, steering; black in grey frames

GRASS_RGB = ((100, 202, 100), (100, 228, 100))
"""The field and the patches of lighter grass on it, as they appear in an RGB observation (not as they are drawn: the
frame is shrunk). Of the pixels that are at least half grass, 95% have exactly one of these colours; a tolerance per
channel of 3, 5, 8, 12 catches 96.2, 96.9, 97.8, 99.1%, and no pixel that is less than half grass (10 tracks, 100
frames, rows above the indicators)."""
GRASS_GREY = (160, 175)
"""The same two in a grey observation. 95% exact; a tolerance of 3, 5, 8 catches 97.2, 98.2, 99.3%, and .04, .06, .10%
of the pixels that are less than half grass (kerbs)."""

_WIDTH, _HEIGHT = original.WINDOW_W, original.WINDOW_H
# Rows of the large frame that lie under the indicators. No bar grows out of them: they are five units high, the bars
# 1 + .02 of the speed (Box2D allows 100) and 1 + .01 of a wheel's rad/s (the engine reaches 306 on grass).
_HIDDEN = _HEIGHT * INDICATOR_ROWS // SIZE
_USUAL_ZOOM = original.ZOOM * original.SCALE  # pixels of the large frame per unit of the world, after a second
_MARGIN = 2  # pixels that a polygon's smoothed edge may reach beyond its corners
_GREY_WEIGHTS = np.array([9798, 19235, 3735], np.float32)  # .299, .587, .114 in units of 2^-15


def grey(rgb: Frame) -> Frame:
    """Luma of an RGB picture, equal to ``cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)`` in every bit.

    Args:
        rgb: Shape (..., 3), uint8.

    Returns:
        ``.299 R + .587 G + .114 B`` with weights rounded to 15 bits and the sum rounded half up: shape (...), uint8.
    """
    # Integers below 2^24 are exact in float32, and its matrix product is the quickest of numpy's.
    weighted = (rgb.astype(np.float32) @ _GREY_WEIGHTS).astype(np.int32)
    return ((weighted + 2**14) >> 15).astype(np.uint8)


def _grass_corners() -> Corners:
    """The lighter patches in Gymnasium's order, (400, 4, 2)."""
    size, cells = original.GRASS_DIM, range(-20, 20, 2)
    lower = np.array([(size * x, size * y) for x in cells for y in cells])
    return lower[:, None] + size * np.array([(1, 0), (0, 0), (0, 1), (1, 1)])


@functools.lru_cache(maxsize=256)
def _score_text(score: str) -> pygame.Surface:
    pygame.font.init()
    font = pygame.font.Font(pygame.font.get_default_font(), 42)
    return font.render(score, True, (255, 255, 255), (0, 0, 0))


class _View:
    """Where the camera is: world coordinates in, pixels of the large frame (before it is mirrored) out."""

    def __init__(self, car: Any, time: float) -> None:
        self.angle = -car.hull.angle
        self.zoom = 0.1 * original.SCALE * max(1 - time, 0) + _USUAL_ZOOM * min(time, 1)
        self.position = x, y = car.hull.position
        centre = pygame.math.Vector2((-x * self.zoom, -y * self.zoom)).rotate_rad(self.angle)
        self.translation = (_WIDTH / 2 + centre[0], _HEIGHT / 4 + centre[1])
        # pygame's own cosine and sine: it treats multiples of 90 degrees apart.
        self.cos, self.sin = pygame.math.Vector2((1, 0)).rotate_rad(self.angle)

    def pixels(self, corners: Corners) -> Corners:
        """Transform corners (2, 4, N) in Gymnasium's order of operations: the results are equal bit for bit."""
        x, y = corners
        turned = np.array([self.cos * x - self.sin * y, self.sin * x + self.cos * y])
        scrolled: Corners = turned * self.zoom + np.reshape(self.translation, (2, 1, 1))
        return scrolled

    def camera(self) -> NDArray[np.float64]:
        """From pixels of an observation to the ground, (2, 3): see :mod:`symbench.wrappers.camera`."""
        across, down = _WIDTH / SIZE, _HEIGHT / SIZE  # pixels of the large frame in one of the observation
        # Column and row of the large frame, not mirrored, of the middle of a pixel (row, column, 1).
        large = np.array([[0, across, across / 2], [-down, 0, _HEIGHT - down / 2]])
        large[:, 2] -= self.translation
        back = np.array([[self.cos, self.sin], [-self.sin, self.cos]]) / self.zoom
        usual = np.array([[0, -_USUAL_ZOOM / down], [_USUAL_ZOOM / across, 0]])  # the ground's row looks down
        ground: NDArray[np.float64] = usual @ back @ large
        return ground

    def inside(self, half_width: float) -> bool:
        """Whether the whole screen surely lies within the square of that half width around the origin."""
        farthest = math.hypot(_WIDTH / 2, _HEIGHT * 3 / 4) + _MARGIN  # pixels from the car to a corner of the screen
        return bool(max(map(abs, self.position)) + farthest / self.zoom < half_width)


def _visible(pixels: Corners) -> NDArray[np.intp]:
    """Indices of the polygons, of (2, 4, N), that can touch the part of the frame that the indicators do not hide."""
    (left, bottom), (right, top) = pixels.min(axis=1), pixels.max(axis=1)
    across = (right > -_MARGIN) & (left < _WIDTH + _MARGIN)
    return np.flatnonzero(across & (top > _HIDDEN - _MARGIN) & (bottom < _HEIGHT + _MARGIN))


def _draw(surface: pygame.Surface, pixels: Corners, colours: NDArray[np.float64]) -> None:
    """Draw polygons (2, 4, N) in colours (N, 3)."""
    # gfxdraw and Gymnasium truncate to integers one by one: here it is done at once.
    polygons = zip(pixels.T.astype(np.int64).tolist(), colours.astype(np.int64).tolist(), strict=True)
    for corners, colour in polygons:
        gfxdraw.aapolygon(surface, corners, colour)
        gfxdraw.filled_polygon(surface, corners, colour)


class CarRacingEnv(original.CarRacing):
    """CarRacing-v3 with continuous actions, pixel for pixel, made fast.

    Observation: with ``grey`` ``Box(0, 255, (96, 96, 1))`` uint8, the luma of CarRacing-v3's frame (see :func:`grey`)
    with the last 12 rows, those of the indicators and of the score, black; otherwise CarRacing-v3's (96, 96, 3) itself.
    ``info["camera"]`` says where the camera is (:mod:`symbench.wrappers.camera`).
    Action, reward, endings, ``render`` and the attributes of the simulator (``car``, ``track``, ``road`` ...) are
    Gymnasium's; ``bg_color`` and ``grass_color`` may be set.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/CarRacing-v0")
        >>> env.reset(seed=0)[0].shape
        (96, 96, 1)
    """

    car: Any  # Gymnasium's, which are untyped
    road: Any
    surf: Any

    def __init__(self, render_mode: str | None = None, lap_complete_percent: float = 0.95, grey: bool = True) -> None:
        """Make the car and an empty field.

        Args:
            render_mode: ``None``, ``"rgb_array"`` (frames of shape (400, 600, 3), uint8) or ``"human"``.
            lap_complete_percent: Fraction of the tiles that must have been visited when the lap is closed.
            grey: Grey observations without indicators instead of RGB with them.
        """
        draw_without_display()
        super().__init__(render_mode=render_mode, lap_complete_percent=lap_complete_percent)
        EzPickle.__init__(self, render_mode, lap_complete_percent, grey)
        self.grey = grey
        if grey:
            self.observation_space = gym.spaces.Box(0, 255, (SIZE, SIZE, 1), np.uint8)
        # Surfaces and their parts are kept: a fresh one of 3 MB a step costs as much as all polygons.
        self._canvas = pygame.Surface((_WIDTH, _HEIGHT))
        self._seen = self._canvas.subsurface((0, _HIDDEN, _WIDTH, _HEIGHT - _HIDDEN))
        self._panel = pygame.Surface((_WIDTH, _HEIGHT))

    def _create_track(self) -> bool:
        """Gymnasium's track; corners and colours of all polygons also as arrays, in the order of drawing."""
        if not super()._create_track():  # type: ignore[no-untyped-call]
            return False
        road, colours = zip(*self.road_poly, strict=True)
        grass = _grass_corners()
        self._corners: Corners = np.concatenate([grass, road]).T.copy()
        self._colours = np.concatenate([np.zeros((len(grass), 3)), colours])
        self._grass_colours, road_colours = np.split(self._colours, [len(grass)])
        tiles = iter(self.road)
        for i, (corners, colour) in enumerate(self.road_poly):
            if isinstance(colour, np.ndarray):  # a tile, not a kerb; its colour changes when a wheel touches it
                next(tiles).color = road_colours[i]
                self.road_poly[i] = (corners, road_colours[i])
        return True

    def reset(self, **kwargs: Any) -> tuple[Frame, dict[str, Any]]:
        """Begin on a new track; see :meth:`gymnasium.Env.reset`. ``info["camera"]`` is where the camera is."""
        observation, info = super().reset(**kwargs)
        return observation, {**info, "camera": self._camera}

    def step(self, action: Any) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Drive for a fiftieth of a second; see :meth:`reset`."""
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated, truncated, {**info, "camera": self._camera}

    def _render(self, mode: str) -> Any:
        if mode != "state_pixels":
            return super()._render(mode)
        view = _View(self.car, self.t)
        self._camera = view.camera()
        self._draw_scene(view)
        # Columns are shrunk before the frame is mirrored, rows after: what smoothscale does to a mirrored frame.
        columns = pygame.transform.smoothscale(self._seen, (SIZE, _HEIGHT - _HIDDEN))
        columns = pygame.transform.flip(columns, False, True)
        return self._grey_observation(columns) if self.grey else self._rgb_observation(columns)

    def _draw_scene(self, view: _View) -> None:
        self._draw_field(view)
        self._grass_colours[:] = self.grass_color
        pixels = view.pixels(self._corners)
        seen = _visible(pixels)
        _draw(self._canvas, pixels[:, :, seen], self._colours[seen])
        self.car.draw(self._canvas, view.zoom, view.translation, view.angle, False)

    def _draw_field(self, view: _View) -> None:
        if view.inside(original.PLAYFIELD):
            self._seen.fill(tuple(map(int, self.bg_color)))
            return
        self._seen.fill((0, 0, 0))
        field = original.PLAYFIELD * np.array([[(1, 1), (1, -1), (-1, -1), (-1, 1)]], dtype=np.float64)
        _draw(self._canvas, view.pixels(field.T), np.array([self.bg_color]))

    def _grey_observation(self, columns: pygame.Surface) -> Frame:
        small = pygame.transform.smoothscale(columns, (SIZE, SIZE - INDICATOR_ROWS))
        observation = np.zeros((SIZE, SIZE, 1), np.uint8)
        observation[:-INDICATOR_ROWS, :, 0] = grey(pygame.surfarray.array3d(small)).T
        return observation

    def _rgb_observation(self, columns: pygame.Surface) -> Frame:
        self.surf = self._panel  # where Gymnasium draws the indicators
        self._render_indicators(_WIDTH, _HEIGHT)  # type: ignore[no-untyped-call]
        text = _score_text(f"{self.reward:04.0f}")
        self._panel.blit(text, text.get_rect(center=(60, _HEIGHT - _HEIGHT * 2.5 / 40.0)))
        whole = pygame.Surface((SIZE, _HEIGHT))
        whole.blit(columns, (0, 0))
        panel = self._panel.subsurface((0, _HEIGHT - _HIDDEN, _WIDTH, _HIDDEN))
        whole.blit(pygame.transform.smoothscale(panel, (SIZE, _HIDDEN)), (0, _HEIGHT - _HIDDEN))
        small = pygame.transform.smoothscale(whole, (SIZE, SIZE))
        return np.ascontiguousarray(pygame.surfarray.array3d(small).transpose(1, 0, 2))
