"""Another background behind a game: :class:`SwapBackground`. The pictures are in ``background_pictures.py``."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError, unknown
from symbench.wrappers.background_pictures import GREY, TEXTURES, grey, image, is_image, texture
from symbench.wrappers.camera import CAMERA, camera_of, on_the_ground
from symbench.wrappers.checks import frames, real, whole
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Frames = NDArray[np.uint8]

ANCHORS: Final = ("screen", "world")


@register_perturbation
class SwapBackground(Perturbation):
    """Pixels of key colours show another background, drawn anew every episode.

    Key colours stand for the background of a game, e.g. black, or the grey of a screen. Textures come in two random
    colours; ``"moving"`` is clouds that drift by one pixel per step, ``"mixed"`` is any other texture; ``"grey"`` is
    one flat grey. Distance: the strength.

    Args:
        background: ``"noise"``, ``"stripes"``, ``"clouds"``, ``"checker"``, ``"gradient"``, ``"moving"``, ``"mixed"``,
            ``"grey"``, or the path of an image file (needs Pillow), stretched to the frame; ``"PATH#sha256=HEX"`` takes
            no other content than that (see :func:`~symbench.wrappers.background_pictures.pinned`).
        colors: Key colours, each a list of C values 0 to 255; ``None`` is black.
        tolerance: How far from a key colour each channel of a pixel may be.
        strength: 1 replaces the pixel, less blends it with the background.
        anchor: ``"screen"``: the background stays where it is on the screen, however the camera moves; ``"world"``: it
            lies on the ground, which the camera passes over. That needs an environment that says where its camera is
            (:mod:`symbench.wrappers.camera`), as CarRacing does.
        level: The level of ``"grey"``, 0 to 255, in all channels.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: A value out of range, an unknown background or unreadable image, a colour that does not have
            the frame's number of channels, observations that are no frames; for the anchor ``"world"``, frames that are
            stacked already, or an environment that does not say where its camera is.
    """

    roles = ("frame",)

    def __init__(
        self,
        background: str = "clouds",
        colors: Sequence[Sequence[int]] | None = None,
        tolerance: int = 0,
        strength: float = 1.0,
        anchor: str = "screen",
        level: int = 128,
    ) -> None:
        if not isinstance(background, str):
            raise TypeError(f"background must be a name or the path of an image, received {background!r}")
        if background not in (GREY, *TEXTURES) and not is_image(background):
            raise unknown(f"background, or image that does not exist in {Path.cwd()},", background, (GREY, *TEXTURES))
        if not isinstance(anchor, str):
            raise TypeError(f"anchor must be one of {ANCHORS}, received {anchor!r}")
        if anchor not in ANCHORS:
            raise unknown("anchor", anchor, ANCHORS)
        self.background = background
        self.colors = None if colors is None else _colors(colors)
        self.channels = None if self.colors is None else len(self.colors[0])
        self.tolerance = whole("tolerance", tolerance, low=0, high=255)
        self.strength = real("strength", strength, low=0.0, high=1.0)
        self.anchor, self.level = anchor, whole("level", level, low=0, high=255)
        self.reads = CAMERA if anchor == "world" else None

    def magnitude(self) -> float:
        """Strength of the blend."""
        return self.strength

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same shape, any pixel value."""
        box = frames("SwapBackground", space)
        if self.anchor == "world" and self._part.stack > 1:
            raise SymbenchError('SwapBackground with anchor = "world" needs single frames; put it before frame stacks')
        height, width = box.shape[:2]
        channels = box.shape[2] if len(box.shape) == 3 else 1
        self._frame = (height, width, channels)
        colors = np.array([[0] * channels] if self.colors is None else _fitting(self.colors, channels))
        # A whole frame of each colour: numpy is slow where the last axis is as short as a pixel.
        low, high = (
            np.tile(np.clip(colors + offset, 0, 255).astype(np.uint8), (1, height * width))
            for offset in (-self.tolerance, self.tolerance)
        )
        self._ranges = list(zip(low, high - low, strict=True))
        self._pixel = np.dtype(("V", channels))
        self._image = self._same_in_all_episodes()
        self._cameras = np.zeros((self.num_envs, 2, 3))
        return spaces.Box(0, 255, box.shape, np.uint8)

    def tell(self, row: int, value: Any) -> None:
        """Where the camera of environment ``row`` is, (2, 3)."""
        self._cameras[row] = camera_of(value)

    def draw(self, rng: np.random.Generator, size: int) -> Frames:
        """Backgrounds, shape (size, H, W, C)."""
        if self._image is not None:
            return np.stack([self._image] * size)
        return np.stack([texture(self.background, rng, self._frame) for _ in range(size)])

    def apply(self, observations: Frames, drawn: Frames) -> Frames:
        """Replace, (B, H, W[, C]) -> the same shape."""
        seen = np.ascontiguousarray(observations).reshape(drawn.shape)
        behind = self._moved(drawn) if self.background == "moving" else drawn
        behind = on_the_ground(behind, self._cameras) if self.anchor == "world" else behind
        if self.strength < 1.0:
            behind = np.rint(seen + self.strength * (behind - seen.astype(np.float32))).astype(np.uint8)
        return self._chosen(self._is_key(seen), behind, seen).reshape(observations.shape)

    def _same_in_all_episodes(self) -> Frames | None:
        """An image or a grey, (H, W, C); ``None`` for what is drawn."""
        if self.background == GREY:
            return grey(self.level, self._frame)
        return None if self.background in TEXTURES else image(self.background, self._frame)

    def _chosen(self, keys: NDArray[np.bool_], behind: Frames, seen: Frames) -> Frames:
        """``behind`` where ``keys`` (B, H * W), else ``seen``, (B, H, W, C), both contiguous."""
        if self._frame[2] == 1:  # in arithmetic of bits, three times as fast as a copy of single bytes
            mixed: Frames = np.negative(keys.view(np.uint8)).reshape(seen.shape)
            mixed &= seen ^ behind
            mixed ^= seen
            return mixed
        mixed = seen.copy()
        pixels, pixels_behind = (np.ascontiguousarray(batch).reshape(-1).view(self._pixel) for batch in (mixed, behind))
        np.copyto(pixels, pixels_behind, where=keys.reshape(-1))
        return mixed

    def _is_key(self, pixels: Frames) -> NDArray[np.bool_]:
        """Which pixels have a key colour, (B, H, W, C) -> (B, H * W)."""
        values = pixels.reshape(len(pixels), -1)
        keys = [self._within(values - low <= span) for low, span in self._ranges]
        return reduce(np.bitwise_or, keys)  # what is below a colour wraps round to above it

    def _within(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        channels = self._frame[2]
        return values if channels == 1 else reduce(np.bitwise_and, [values[:, c::channels] for c in range(channels)])

    def _moved(self, behind: Frames) -> Frames:
        width = self._frame[1]
        elapsed = self.elapsed.repeat(len(behind) // len(self.elapsed))  # the frames of a stack move together
        columns = (np.arange(width) + elapsed[:, None]) % width
        return np.take_along_axis(behind, columns[:, None, :, None], axis=2)


def _colors(colors: object) -> list[list[int]]:
    if not isinstance(colors, (list, tuple)) or not all(isinstance(color, (list, tuple)) for color in colors):
        raise TypeError(f"colors must be a list of colours such as [[0, 0, 0]], received {colors!r}")
    if not colors:
        raise SymbenchError(f"colors must hold at least one colour, received {colors!r}")
    return [[whole("a colour's channel", value, low=0, high=255) for value in color] for color in colors]


def _fitting(colors: list[list[int]], channels: int) -> list[list[int]]:
    wrong = [color for color in colors if len(color) != channels]
    if wrong:
        raise SymbenchError(f"each of colors must have {channels} channels like the frame, received {wrong[0]}")
    return colors
