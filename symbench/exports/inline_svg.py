"""Figures of matplotlib as part of a page: without a size of their own, in the page's colours, light and dark."""

from __future__ import annotations

import re
from typing import Final

from symbench.plot.style import INK, PALETTE_HEX, QUIET

_DARK: Final = ("#56b4e9", "#f0843c", "#2fc79c", "#f0b93a", "#e09cc3", "#a8dcff", "#d8d8d8")
COLOURS: Final = tuple(zip(PALETTE_HEX, _DARK, strict=True))
"""The colours of agents on a light and on a dark page; variables ``--c0``, ``--c1`` ... of the page."""

_VARIABLES: Final = {
    **{INK: "currentColor", QUIET: "var(--quiet)", "#999999": "var(--quiet)", "#ebebeb": "var(--rule)"},
    **{"#ffffff": "var(--card)"},
    **{colour: f"var(--c{place})" for place, colour in enumerate(PALETTE_HEX)},
}
_COLOUR: Final = re.compile("|".join(_VARIABLES))
_HEAD: Final = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)
_SIZE: Final = re.compile(r'(<svg[^>]*?) (?:width|height)="[^"]*"')
_IDS: Final = re.compile(r'(\bid="|href="#|url\(#)')


def inline(svg: str, prefix: str) -> str:
    """The ``<svg>`` element of a figure.

    Args:
        svg: A file that :func:`symbench.plot.save` writes.
        prefix: Comes before each id, so that those of two figures differ.
    """
    element = _HEAD.sub("", svg)
    for _ in ("width", "height"):
        element = _SIZE.sub(r"\1", element, count=1)
    return _IDS.sub(rf"\g<1>{prefix}-", _COLOUR.sub(lambda found: _VARIABLES[found[0]], element)).strip()
