"""GIFs of one palette; where they must not exceed a size, of fewer and smaller frames, as few as need be."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.viz import colours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

MEGABYTE: Final = 1_000_000
_RUNGS: Final = ((25, 1.0), (17, 1.0), (12, 1.0), (12, 0.75), (8, 0.75), (8, 0.5), (5, 0.5), (5, 0.35))
"""Frames per second and scale, from the best to the least that is worth looking at."""
_FASTEST: Final = 2  # hundredths of a second a frame: browsers show faster ones slowly
_COLOURS: Final = 64
_SAMPLED, _SAMPLE_WIDTH = 200, 160  # frames that the palette is made of, and how wide they are for that


@dataclass
class Frames:
    """Frames of one video, packed, because thousands of them would not fit into memory."""

    packed: list[bytes] = field(default_factory=list)
    shape: tuple[int, ...] = ()

    def append(self, frame: Picture) -> None:
        """Add a frame, (H, W, 3), uint8."""
        self.shape = frame.shape
        self.packed.append(zlib.compress(frame.tobytes(), 1))

    def every(self, skip: int) -> Iterator[Picture]:
        """Each ``skip``-th frame, from the first."""
        for packed in self.packed[::skip]:
            yield np.frombuffer(zlib.decompress(packed), np.uint8).reshape(self.shape)


def write_gif(path: Path, frames: Frames, fps: int, limit: int | None = None) -> None:
    """Write frames as a GIF that is played at their speed, as far as browsers play it, again and again.

    Args:
        path: The file.
        frames: What it shows; without any, nothing is written.
        fps: Frames per second.
        limit: Bytes that it may have: the first of the rungs that fits is written. ``None``: all frames as they are.

    Raises:
        SymbenchError: It does not fit even with the fewest and smallest frames.
    """
    if not frames.packed:
        return
    palette = _palette(frames)
    if limit is None:
        _save(path, frames, palette, fps, 1, 1.0)
        return
    for skip, scale in dict.fromkeys((max(1, round(fps / rate)), scale) for rate, scale in _RUNGS):
        _save(path, frames, palette, fps, skip, scale)
        size = path.stat().st_size
        if size <= limit:
            return
    raise SymbenchError(
        f"{len(frames.packed)} frames do not fit in {limit / MEGABYTE:g} MB: with one of {skip} at {scale:.0%} of its "
        f"size there are {size / MEGABYTE:.2g} MB; show fewer --steps, or write an .mp4"
    )


def _save(path: Path, frames: Frames, palette: Any, fps: int, skip: int, scale: float) -> None:
    images = (_image(frame, palette, scale) for frame in frames.every(skip))
    hundredths = max(_FASTEST, round(100 * skip / fps))
    next(images).save(path, save_all=True, append_images=images, duration=10 * hundredths, loop=0)


def _image(frame: Picture, palette: Any, scale: float) -> Any:
    image = require("PIL.Image", "pictures")
    picture = image.fromarray(frame)
    if scale != 1:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, image.Resampling.LANCZOS)
    return picture.quantize(palette=palette, dither=image.Dither.NONE)


def _palette(frames: Frames) -> Any:
    """One for all frames, so that what does not change costs nothing: colours of their own, and those of drawings."""
    image = require("PIL.Image", "pictures")
    step = max(1, frames.shape[1] // _SAMPLE_WIDTH)
    sampled = [frame[::step, ::step] for frame in frames.every(-(-len(frames.packed) // _SAMPLED))]
    found = image.fromarray(np.concatenate(sampled)).quantize(_COLOURS).getpalette()
    drawn = [channel for colour in (*colours.PALETTE, colours.GREY) for channel in colour]
    palette = image.new("P", (1, 1))
    palette.putpalette(drawn + found)
    return palette
