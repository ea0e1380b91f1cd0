"""Colours that people with any kind of colour vision can tell apart (Okabe and Ito 2008), as 8-bit RGB."""

from __future__ import annotations

from typing import Final

ORANGE: Final = (230, 159, 0)
SKY: Final = (86, 180, 233)
VERMILION: Final = (213, 94, 0)
GREY: Final = (150, 150, 150)
CHARCOAL: Final = (60, 60, 60)
PALETTE: Final = (
    *((0, 114, 178), ORANGE, (0, 158, 115), (204, 121, 167)),
    *(SKY, VERMILION, (240, 228, 66), CHARCOAL),
)


def of(index: int) -> tuple[int, int, int]:
    """The colour of the thing with this number; the same again after eight, grey for none (-1)."""
    return GREY if index < 0 else PALETTE[index % len(PALETTE)]


def hexadecimal(colour: tuple[int, int, int]) -> str:
    """As matplotlib takes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
