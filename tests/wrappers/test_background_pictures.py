"""Image files of strangers: they are shown, or one line says what is wrong with them."""

from __future__ import annotations

import hashlib
import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hostile_cases import mutated, refused
from PIL import Image

from symbench.errors import SymbenchError
from symbench.wrappers.background_pictures import image, pinned
from symbench.wrappers.backgrounds import SwapBackground

SHAPE = (12, 16, 3)


def encoded(format: str, size: tuple[int, int] = (20, 10)) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def empty_png(width: int, height: int) -> bytes:
    """A black picture of any size in few bytes, made row by row."""
    packer, row = zlib.compressobj(9), bytes(1 + width)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    parts = (struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_four_formats_are_shown(tmp_path: Path, format: str) -> None:
    (tmp_path / "picture").write_bytes(encoded(format))
    assert image(str(tmp_path / "picture"), SHAPE).std() > 10


@pytest.mark.parametrize("format", ["BMP", "TIFF", "PPM", "TGA", "ICO", "EPS", "PDF", "PCX", "JPEG2000"])
def test_other_formats_are_not(tmp_path: Path, format: str) -> None:
    (tmp_path / "picture.png").write_bytes(encoded(format))
    with pytest.raises(SymbenchError, match="not a readable image: a PNG, JPEG, WEBP, GIF file was expected"):
        image(str(tmp_path / "picture.png"), SHAPE)


@pytest.mark.parametrize("side", [6_000, 12_000, 20_000])
def test_pictures_of_too_many_pixels_are_not_decoded(tmp_path: Path, side: int) -> None:
    file = tmp_path / "black.png"
    file.write_bytes(empty_png(side, side))
    assert file.stat().st_size < 600_000
    tracemalloc.start()
    with pytest.raises(SymbenchError, match=rf"({side}x{side}|{side**2}) pixels"):
        image(str(file), SHAPE)
    assert tracemalloc.get_traced_memory()[1] < 10e6  # Pillow's own memory is not traced; that it stopped is above
    tracemalloc.stop()


def test_a_picture_may_have_just_as_many_pixels_as_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picture.png").write_bytes(encoded("PNG"))  # 20 x 10
    monkeypatch.setattr("symbench.wrappers.background_pictures._PIXELS", 200)
    assert image(str(tmp_path / "picture.png"), SHAPE).any()
    monkeypatch.setattr("symbench.wrappers.background_pictures._PIXELS", 199)
    with pytest.raises(SymbenchError, match="pixels"):
        image(str(tmp_path / "picture.png"), SHAPE)


def test_a_large_photograph_is_shown(tmp_path: Path) -> None:
    (tmp_path / "black.png").write_bytes(empty_png(7_680, 4_320))
    assert image(str(tmp_path / "black.png"), SHAPE).max() == 0


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_damaged_pictures_are_shown_or_one_line_says_why(tmp_path: Path, format: str) -> None:
    rng, file, whole = np.random.default_rng(0), tmp_path / "picture", encoded(format)
    messages = []
    for _ in range(400):
        file.write_bytes(mutated(whole, rng))
        messages.append(refused(image, str(file), SHAPE))
    assert sum(message is not None for message in messages) > 40


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBP", b"\xff\xd8\xff", b"%!PS-Adobe-3.0"],
)
def test_beginnings_of_pictures_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "picture").write_bytes(content)
    assert "is not a readable image" in str(refused(image, str(tmp_path / "picture"), SHAPE))


def test_the_picture_that_is_shown_is_the_one_whose_digest_was_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow must not open the path again: another picture may lie there by then."""
    file = tmp_path / "picture.png"
    file.write_bytes(encoded("PNG"))
    name = pinned(str(file))
    assert name.endswith(hashlib.sha256(file.read_bytes()).hexdigest())
    expected, open_image = image(name, SHAPE), Image.open

    def after_it_was_replaced(*args: object, **kwargs: object) -> object:
        file.write_bytes(empty_png(5, 5))
        return open_image(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "open", after_it_was_replaced)
    assert np.array_equal(image(name, SHAPE), expected)
    with pytest.raises(SymbenchError, match="is no longer the image"):
        image(name, SHAPE)


def test_names_that_no_file_can_have_are_unknown_backgrounds() -> None:
    for name in ("a" * 5000, "a\0b"):
        assert pinned(name) == name
        with pytest.raises(SymbenchError, match="unknown background"):
            SwapBackground(name)


def test_frames_of_two_channels_take_no_image(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(encoded("PNG"))
    with pytest.raises(SymbenchError, match="an image fits frames of 1, 3, 4 channels, not 2"):
        image(str(tmp_path / "picture.png"), (12, 16, 2))
