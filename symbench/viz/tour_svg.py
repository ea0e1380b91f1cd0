"""A tour as an SVG picture, written as text: no package for pictures is needed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIZE: Final = 600.0  # of the longer side
_MARGIN: Final = 20.0


def tour_svg(cities: NDArray[Any], tour: NDArray[Any], title: str = "") -> str:
    """The content of an SVG file.

    Args:
        cities: (n, 2); the second coordinate points upwards.
        tour: A permutation of them, (n,).
        title: What viewers show of it in words.
    """
    low, high = cities.min(axis=0), cities.max(axis=0)
    scale = _SIZE / (float((high - low).max()) or 1.0)
    width, height = ((high - low) * scale + 2 * _MARGIN).tolist()
    places = (np.stack([cities[:, 0] - low[0], high[1] - cities[:, 1]], axis=1) * scale + _MARGIN).round(2)
    line = " ".join(f"{x:g},{y:g}" for x, y in places[tour].tolist())
    radius = max(1.0, min(4.0, 60 / len(cities) ** 0.5))
    dots = "".join(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"/>' for x, y in places.tolist())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">\n'
        f"<title>{escape(title)}</title>\n"
        '<rect width="100%" height="100%" fill="white"/>\n'
        f'<polygon points="{line}" fill="none" stroke="#2f6fb5" stroke-width="1.5" stroke-linejoin="round"/>\n'
        f'<g fill="#222">{dots}</g>\n</svg>\n'
    )
