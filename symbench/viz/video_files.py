"""Video files, written whole or not at all."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.viz.gif_files import Frames, write_gif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    Write = Callable[[NDArray[np.uint8]], None]

SUFFIXES = (".mp4", ".gif")


@contextmanager
def writer(path: Path, fps: int, limit: int | None = None) -> Iterator[Write]:
    """A function that appends a frame (H, W, 3), uint8, to a new video; the file appears when all are written.

    Args:
        path: A ``.mp4`` (H.264) or ``.gif`` file; missing folders are made.
        fps: Frames per second; a GIF shows at most 50.
        limit: Bytes that a GIF may have; see :func:`~symbench.viz.gif_files.write_gif`.

    Raises:
        SymbenchError: The suffix is another one, the file cannot be written or exceeds the limit, or a package is
            missing.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SymbenchError(f"a video is a {' or '.join(SUFFIXES)} file, received {str(path)!r}")
    if path.is_dir():
        raise SymbenchError(f"cannot write {str(path)!r} (it is a directory); give another --out")
    mp4 = path.suffix.lower() == ".mp4"
    if mp4:
        require("imageio_ffmpeg", "pictures")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".video") as folder:
            partial = Path(folder) / f"video{path.suffix.lower()}"
            with _mp4(partial, fps) if mp4 else _gif(partial, fps, limit) as append:
                yield append
            partial.replace(path)
    except OSError as error:
        raise SymbenchError(f"cannot write {str(path)!r} ({error.strerror or error}); give another --out") from error


@contextmanager
def _mp4(path: Path, fps: int) -> Iterator[Write]:
    # Bit for bit the same file for the same frames: no date, no version of the encoder, one thread.
    options = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-threads", "1"]
    file: Any = require("imageio.v2", "pictures").get_writer(
        path, fps=fps, codec="libx264", quality=7, macro_block_size=2, output_params=options
    )
    with file:
        yield file.append_data


@contextmanager
def _gif(path: Path, fps: int, limit: int | None) -> Iterator[Write]:
    frames = Frames()
    yield frames.append
    write_gif(path, frames, fps, limit)
