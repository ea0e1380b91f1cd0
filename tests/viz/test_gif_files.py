"""GIFs keep their limit, their speed and their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from symbench.errors import SymbenchError
from symbench.viz import colours
from symbench.viz.gif_files import Frames, write_gif
from symbench.viz.video_files import writer

if TYPE_CHECKING:
    from pathlib import Path

FPS = 50


def noisy(count: int, side: int = 64) -> Frames:
    """Frames that cannot be packed well."""
    frames, generator = Frames(), np.random.default_rng(0)
    for _ in range(count):
        frames.append(generator.integers(0, 256, (side, side, 3), dtype=np.uint8))
    return frames


def written(path: Path, frames: Frames, limit: int | None) -> tuple[int, int, tuple[int, int], float]:
    """Bytes, frames, size and seconds of a GIF."""
    write_gif(path, frames, FPS, limit)
    with Image.open(path) as gif:
        seconds = sum(gif.seek(i) or gif.info["duration"] for i in range(gif.n_frames)) / 1000  # type: ignore[attr-defined]
        return path.stat().st_size, gif.n_frames, gif.size, seconds  # type: ignore[attr-defined]


def test_without_a_limit_all_frames_are_there_as_they_are(tmp_path: Path) -> None:
    _, count, size, seconds = written(tmp_path / "a.gif", noisy(50), None)
    assert (count, size, seconds) == (50, (64, 64), 1.0)


def test_the_smaller_the_limit_the_fewer_and_smaller_the_frames_at_the_same_speed(tmp_path: Path) -> None:
    frames = noisy(50)
    found = [written(tmp_path / "a.gif", frames, limit) for limit in (10**9, 60_000, 20_000)]
    for (size, *_), limit in zip(found, (10**9, 60_000, 20_000), strict=True):
        assert size <= limit
    counts, sides, seconds = [each[1] for each in found], [each[2][0] for each in found], [each[3] for each in found]
    assert counts[0] == 25 and counts[0] > counts[1] > counts[2]
    assert sides[0] == 64 and sides[0] >= sides[1] > sides[2]
    assert seconds == pytest.approx([1.0, 1.0, 1.0], abs=0.21)  # the last frame of few stands longer


def test_what_fits_in_no_way_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(b"older")
    generator = np.random.default_rng(0)
    with (
        pytest.raises(
            SymbenchError, match=r"^30 frames do not fit in 0.001 MB: .*show fewer --steps, or write an .mp4"
        ),
        writer(path, FPS, limit=1000) as append,
    ):
        for _ in range(30):
            append(generator.integers(0, 256, (64, 64, 3), dtype=np.uint8))
    assert path.read_bytes() == b"older" and len(list(tmp_path.iterdir())) == 1


def test_a_mark_on_few_frames_keeps_its_colour(tmp_path: Path) -> None:
    """A palette of the commonest colours would lose it."""
    gradient = np.add.outer(np.arange(160), np.arange(160))[:, :, None] * np.array([0.8, 0.4, 0.2])
    plain, frames = gradient.astype(np.uint8), Frames()
    marked = plain.copy()
    marked[:3] = colours.ORANGE
    for i in range(300):
        frames.append(marked if i == 151 else plain)  # not among those that the palette is made of
    write_gif(tmp_path / "a.gif", frames, FPS)
    with Image.open(tmp_path / "a.gif") as gif:
        shown = []
        for i in range(gif.n_frames):  # type: ignore[attr-defined]
            gif.seek(i)
            shown.append(gif.convert("RGB").getpixel((80, 1)))
    assert shown.count(colours.ORANGE) == 1 and shown[0] != colours.ORANGE
