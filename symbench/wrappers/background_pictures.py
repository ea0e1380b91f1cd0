"""Backgrounds to put behind a game: procedural textures and the user's own images.

* :func:`texture` - a random texture of a named kind, in two random colours
* :func:`grey` - a flat grey
* :func:`image` - a file, fitted to the frame; :func:`pinned` - and its content named
"""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.reading import brief, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Field = NDArray[np.float64]  # (H, W), values in [0, 1]

_PIN: Final = "#sha256="
_IMAGE_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")  # Pillow reads many more, one of them by running another program
_IMAGE_BYTES: Final = 2**26
_PIXELS: Final = 2**25  # 8K has a few less


def _noise(rng: np.random.Generator, height: int, width: int) -> Field:
    return rng.random((height, width))


def _along_a_line(rng: np.random.Generator, height: int, width: int) -> Field:
    """Distance in pixels along a random direction."""
    angle = rng.uniform(0.0, 2.0 * np.pi)
    return np.asarray(np.add.outer(np.sin(angle) * np.arange(height), np.cos(angle) * np.arange(width)))


def _stripes(rng: np.random.Generator, height: int, width: int) -> Field:
    wavelength, phase = rng.uniform(4.0, max(8.0, width / 4.0)), rng.uniform(0.0, 2.0 * np.pi)
    return np.asarray(0.5 + 0.5 * np.sin(2.0 * np.pi * _along_a_line(rng, height, width) / wavelength + phase))


def _gradient(rng: np.random.Generator, height: int, width: int) -> Field:
    return _stretched(_along_a_line(rng, height, width))


def _checker(rng: np.random.Generator, height: int, width: int) -> Field:
    cell = int(rng.integers(3, max(5, width // 6)))
    down, right = rng.integers(cell, size=2)
    rows, columns = (np.arange(height) + down) // cell, (np.arange(width) + right) // cell
    return np.asarray(np.add.outer(rows, columns) % 2, dtype=np.float64)


def _clouds(rng: np.random.Generator, height: int, width: int) -> Field:
    """Noise on ever finer grids, smoothly interpolated; continues seamlessly at the edges."""
    octaves = [_smooth(rng.random((n, n)), height, width) / n for n in (2, 4, 8, 16)]
    return _stretched(np.sum(octaves, axis=0))


def _smooth(grid: Field, height: int, width: int) -> Field:
    for axis, length in enumerate((height, width)):
        count = grid.shape[axis]
        place = np.arange(length) * count / length
        left = place.astype(np.int64)
        weight = place - left
        weight = (weight * weight * (3.0 - 2.0 * weight)).reshape((-1, 1) if axis == 0 else (1, -1))
        grid = grid.take(left, axis) * (1.0 - weight) + grid.take((left + 1) % count, axis) * weight
    return grid


def _stretched(field: Field) -> Field:
    low, high = field.min(), field.max()
    return np.asarray((field - low) / max(high - low, 1e-12))


def _mixed(rng: np.random.Generator, height: int, width: int) -> Field:
    kinds = (_noise, _stripes, _clouds, _checker, _gradient)
    return kinds[rng.integers(len(kinds))](rng, height, width)


TEXTURES: dict[str, Callable[[np.random.Generator, int, int], Field]] = {
    "noise": _noise,
    "stripes": _stripes,
    "clouds": _clouds,
    "checker": _checker,
    "gradient": _gradient,
    "moving": _clouds,
    "mixed": _mixed,
}
"""By name: a generator, height and width give a field (H, W) in [0, 1]. ``moving`` is clouds that the caller moves,
``mixed`` one of the others."""


GREY: Final = "grey"
"""The name of the background without texture, whose level is a parameter: :func:`grey`."""


def texture(kind: str, rng: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A random texture, of shape (H, W, C), uint8: a field of :data:`TEXTURES` between two random colours."""
    height, width, channels = shape
    field = TEXTURES[kind](rng, height, width)[:, :, None]
    first, second = rng.integers(0, 256, (2, channels))
    return np.asarray(np.rint(first + field * (second - first)), dtype=np.uint8)


def grey(level: int, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """One grey level in all pixels and channels, of shape (H, W, C), uint8."""
    return np.full(shape, level, dtype=np.uint8)


def is_image(background: str) -> bool:
    """Whether ``"PATH"`` or ``"PATH#sha256=HEX"`` names a file."""
    try:
        return _path(background).is_file()
    except OSError:  # no file can have this name
        return False


def pinned(background: str) -> str:
    """``"PATH#sha256=HEX"`` for an image, with the digest of its content now; anything else stays as it is.

    Raises:
        SymbenchError: The image cannot be read.
    """
    if background in (GREY, *TEXTURES) or _PIN in background or not is_image(background):
        return background
    return f"{background}{_PIN}{hashlib.sha256(_content(background)).hexdigest()}"


def _path(background: str) -> Path:
    return Path(background.partition(_PIN)[0])


def _content(background: str) -> bytes:
    path = _path(background)
    return read(path, f"background {str(path)!r}", _IMAGE_BYTES)


def image(background: str, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """An image file, ``"PATH"`` or ``"PATH#sha256=HEX"``, stretched to the frame, of shape (H, W, C), uint8.

    A PNG, JPEG, WebP or GIF file (its first picture) of at most 64 MB and 2^25 pixels. It is read once: the content
    whose digest is compared is the one that is shown.

    Raises:
        SymbenchError: Pillow is not installed, it cannot read the file, or the file's content is another one.
    """
    path, _, expected = background.partition(_PIN)
    content = _content(path)  # once: what is hashed is what is shown
    if expected and expected != hashlib.sha256(content).hexdigest():
        raise SymbenchError(f"background {path!r} is no longer the image with sha256 {expected}")
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise SymbenchError(f"the background {path!r} needs Pillow: pip install pillow") from error
    height, width, channels = shape
    if channels not in _IMAGE_MODES:
        raise SymbenchError(f"an image fits frames of {', '.join(map(str, _IMAGE_MODES))} channels, not {channels}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is large: see below
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:  # reads its header only
                if picture.width * picture.height > _PIXELS:
                    raise ValueError(f"{picture.width}x{picture.height} pixels, at most {_PIXELS:,} are read")
                fitted: Any = picture.convert(_IMAGE_MODES[channels]).resize((width, height))
    except Exception as error:  # a damaged file makes Pillow raise almost anything
        unknown_format = isinstance(error, UnidentifiedImageError)
        reason = f"a {', '.join(_FORMATS)} file was expected" if unknown_format else error
        raise SymbenchError(f"background {path!r} is not a readable image: {brief(reason)}") from error
    return np.asarray(fitted, dtype=np.uint8).reshape(shape)
