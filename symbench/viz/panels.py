"""Draws what stands side by side in a video: enlarged frames, highlighted patches, sensors, attention, captions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.extras import require
from symbench.viz import colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    Colour = tuple[int, int, int]

_GAP, _TITLE, _LINE = 8, 24, 22  # pixels between panels, above them, and for a line of the caption
_INK, _PAPER, _GROUND = (30, 30, 30), (255, 255, 255), (246, 246, 246)
_FONT: Final = 14
_SMALLEST: Final = 8
_TINT = 0.4
_LABEL, _SWATCH, _NARROWEST = 95, 6, 80  # widths of names, of the colours before a row, of what is right of names


def rgb(frame: NDArray[Any]) -> Picture:
    """A frame (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as (H, W, 3), uint8."""
    picture = np.asarray(frame, dtype=np.uint8)
    picture = picture[:, :, None] if picture.ndim == 2 else picture[:, :, :3]
    return np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture


def enlarge(frame: NDArray[Any], zoom: int) -> NDArray[Any]:
    """Every pixel becomes a square of ``zoom`` pixels."""
    return frame.repeat(zoom, axis=0).repeat(zoom, axis=1)


def scale(picture: Picture, height: int) -> Picture:
    """A picture at another height, the width in proportion, smooth."""
    image = require("PIL.Image", "pictures")
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return np.asarray(image.fromarray(picture).resize((width, height), image.Resampling.BILINEAR))


def highlight(picture: Picture, mask: NDArray[np.bool_], zoom: int, colour: Colour = colours.ORANGE) -> Picture:
    """Tint and outline a part of an enlarged picture.

    Args:
        picture: Shape (zoom * H, zoom * W, 3).
        mask: Pixels of the frame, (H, W).
        zoom: How much the frame was enlarged.
        colour: RGB.
    """
    inside = enlarge(mask, zoom)
    drawn = picture.astype(np.float32)
    drawn[inside] += _TINT * (np.array(colour) - drawn[inside])
    edge = inside & ~_shrunk(inside, max(1, zoom // 2))
    drawn[edge] = colour
    return drawn.astype(np.uint8)


def _shrunk(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Without the pixels that are less than ``by`` away from its edge; the picture's edge counts."""
    for _ in range(by):
        padded = np.pad(mask, 1)
        mask = mask & padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return mask


def bars(values: NDArray[Any], names: Sequence[str], sources: NDArray[np.int64], height: int) -> Picture:
    """One horizontal bar a sensor; its length is ``x / (1 + |x|)``, so that any value fits.

    Args:
        values: Sensor values, (N,).
        names: What stands beside each bar.
        sources: Number of the sensor that each value comes from, which decides its colour; -1 is none.
        height: Of the picture in pixels.
    """
    picture, draw = _labelled(names, height)
    middle, half = (_LABEL + picture.width) / 2, (picture.width - _LABEL) / 2 - 6
    pitch = height / len(values)
    for i, value in enumerate(np.asarray(values, dtype=np.float64)):
        end = middle + half * value / (1 + abs(value))
        box = [min(middle, end), pitch * (i + 0.2), max(middle, end), pitch * (i + 0.8)]
        draw.rectangle(box, fill=colours.of(int(sources[i])))
    draw.line([middle, 0, middle, height], fill=_INK)
    return np.asarray(picture)


def attention(weights: NDArray[Any], names: Sequence[str], sources: NDArray[np.int64], height: int) -> Picture:
    """A row a sensor, a column a code: dark where the weight is negative, red where it is positive, white for 0.

    Args:
        weights: How much every code takes of every sensor, (M, N); 1 and more is the full colour.
        names: What stands beside each row.
        sources: As for :func:`bars`; their colour stands before the row.
        height: Of the picture in pixels.
    """
    image = require("PIL.Image", "pictures")
    picture, draw = _labelled(names, height)
    strength = np.clip(weights.T, -1.0, 1.0)[:, :, None]
    ends = np.where(strength < 0, np.array(colours.CHARCOAL), np.array(colours.VERMILION))
    cells = np.array(_PAPER) + np.abs(strength) * (ends - np.array(_PAPER))
    left, pitch = _LABEL + 2 * _SWATCH, height / len(sources)
    size = (picture.width - left - _SWATCH, height)
    picture.paste(image.fromarray(cells.round().astype(np.uint8)).resize(size, image.Resampling.NEAREST), (left, 0))
    for i, source in enumerate(sources):
        draw.rectangle([_LABEL, pitch * i, _LABEL + _SWATCH, pitch * (i + 1)], fill=colours.of(int(source)))
        if pitch > _SMALLEST:
            draw.line([_LABEL, pitch * i, picture.width, pitch * i], fill=_GROUND, width=2)
    return np.asarray(picture)


def _labelled(names: Sequence[str], height: int) -> tuple[Any, Any]:
    """An empty picture with a name at the left of each row, where rows are high enough for that; and its pen."""
    image, draw_on = require("PIL.Image", "pictures"), require("PIL.ImageDraw", "pictures")
    picture = image.new("RGB", (max(round(0.85 * height), _LABEL + _NARROWEST), height), _GROUND)
    draw = draw_on.Draw(picture)
    pitch = height / len(names)
    if pitch > _SMALLEST:
        for i, name in enumerate(names):
            _write(draw, name, (6, pitch * (i + 0.5)), _LABEL - 10, min(_FONT, int(pitch)))
    return picture, draw


def compose(panels: Sequence[Picture], titles: Sequence[str], caption: Sequence[str]) -> Picture:
    """Panels of equal height side by side under their titles, above the lines of a caption; even numbers of pixels."""
    image, draw_on = require("PIL.Image", "pictures"), require("PIL.ImageDraw", "pictures")
    height = panels[0].shape[0]
    width = sum(panel.shape[1] for panel in panels) + _GAP * (len(panels) + 1)
    whole = _TITLE + height + _LINE * len(caption) + _GAP
    picture = image.new("RGB", (width + width % 2, whole + whole % 2), _PAPER)
    draw, left = draw_on.Draw(picture), _GAP
    for panel, title in zip(panels, titles, strict=True):
        picture.paste(image.fromarray(panel), (left, _TITLE))
        _write(draw, title, (left, _TITLE / 2), panel.shape[1])
        left += panel.shape[1] + _GAP
    for i, line in enumerate(caption):
        _write(draw, line, (_GAP, _TITLE + height + _LINE * (i + 0.6)), width - 2 * _GAP)
    return np.asarray(picture)


def stack(pictures: Sequence[Picture]) -> Picture:
    """One below the other, as wide as the widest."""
    width = max(picture.shape[1] for picture in pictures)
    padded = [np.pad(each, ((0, 0), (0, width - each.shape[1]), (0, 0)), constant_values=255) for each in pictures]
    return np.concatenate(padded)


def frame(picture: Picture, colour: Colour = colours.ORANGE) -> Picture:
    """A picture with a border that cannot be overlooked, of the same size."""
    drawn, wide = np.full_like(picture, colour), _GAP // 2
    drawn[wide:-wide, wide:-wide] = picture[wide:-wide, wide:-wide]
    return drawn


def _write(draw: Any, text: str, at: tuple[float, float], width: int, size: int = _FONT) -> None:
    """Text of the largest size up to ``size`` that fits; what does not fit in the smallest is cut off."""
    while size > _SMALLEST and draw.textlength(text, font=_font(size)) > width:
        size -= 1
    while text and draw.textlength(text, font=_font(size)) > width:
        text = text[:-1]
    draw.text(at, text, fill=_INK, font=_font(size), anchor="lm")


@functools.lru_cache
def _font(size: int) -> Any:
    return require("PIL.ImageFont", "pictures").load_default(max(size, _SMALLEST))
