"""One look for all figures: widths of columns, small type, colours and markers that every eye tells apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.leaderboard.bootstrap import RANKED_FROM
from symbench.viz.colours import GREY, PALETTE, hexadecimal

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTHS: Final = {"single": 3.25, "double": 6.75}
"""Inches of one column and of the whole text of ICML's style; they fit IEEE's (3.5 and 7.16), too."""

_NARROWEST, _WIDEST = 1.0, 40.0  # inches

INK: Final = "#262626"
QUIET: Final = "#6e6e6e"

RC: Final[dict[str, Any]] = {
    **{"font.family": "DejaVu Sans", "font.size": 7, "axes.labelsize": 7, "axes.titlesize": 7.5},
    **{"xtick.labelsize": 6.5, "ytick.labelsize": 6.5, "legend.fontsize": 7},
    **{"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": INK},
    **{"axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "hatch.linewidth": 0.6},
    **{"xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5},
    **{"lines.linewidth": 1.2, "lines.markersize": 3.6, "axes.axisbelow": True, "legend.frameon": False},
    # A name with a dollar sign is a name, not a formula.
    **{"text.parse_math": False, "text.usetex": False, "axes.unicode_minus": True},
    # Type 3 fonts, matplotlib's own choice, are refused by many publishers; letters of an SVG are drawn, so that they
    # look the same where the font is missing.
    **{"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "symbench"},
}

# Yellow, which is hard to see on paper, is left out.
PALETTE_HEX: Final = tuple(hexadecimal(PALETTE[place]) for place in (0, 5, 2, 1, 3, 4, 7))
"""The colours of agents, in their order."""

_MARKERS: Final = "os^Dvp>"


class Look(NamedTuple):
    """How an agent is drawn everywhere: a colour that every eye tells from the others, and a marker."""

    colour: str
    marker: str


def looks(names: Iterable[str], grey: str = "random") -> dict[str, Look]:
    """A look for each agent, in their order; random play, or who else is called so, is grey.

    Seven colours times seven markers: from the eighth agent on a colour comes again with another marker.
    """
    drawn: dict[str, Look] = {}
    for name in dict.fromkeys(names):
        place = sum(other != grey for other in drawn)
        again, colour = divmod(place, len(PALETTE_HEX))
        own = Look(PALETTE_HEX[colour], _MARKERS[(place + again) % len(_MARKERS)])
        drawn[name] = Look(hexadecimal(GREY), ".") if name == grey else own
    return drawn


def line_style(look: Look, runs: int) -> dict[str, Any]:
    """Of a line over training runs: dashed where they are too few to say anything of the method."""
    dashed = runs < RANKED_FROM
    return {
        **{"color": look.colour, "marker": look.marker, "linestyle": (0, (3, 1.4)) if dashed else "-"},
        **{"markeredgecolor": "white", "markeredgewidth": 0.5},
    }


def inches(width: str | float) -> float:
    """The width of a figure.

    Raises:
        SymbenchError: It is neither ``single`` nor ``double`` nor a number that fits on paper.
    """
    try:
        found = WIDTHS[width] if width in WIDTHS else float(width)
    except (ValueError, TypeError):
        found = 0.0
    if not _NARROWEST <= found <= _WIDEST:
        known = ", ".join(f"{name} ({value} in)" for name, value in WIDTHS.items())
        raise SymbenchError(f"unknown width {width!r}; known: {known}, or inches from {_NARROWEST:g} to {_WIDEST:g}")
    return found


def own_axes() -> Any:
    """Axes of a new figure, one column wide, in this look; without a display and without pyplot."""
    return blank(WIDTHS["single"], 2.2).subplots()


def blank(width: float, height: float) -> Any:
    """An empty figure, inches."""
    drawn = require("matplotlib.figure", "figures").Figure(figsize=(width, height), layout="constrained")
    drawn.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.03)
    return drawn


def context() -> Any:
    """Within it, what matplotlib makes has this look; nothing is changed outside."""
    return require("matplotlib", "figures").rc_context(RC)
