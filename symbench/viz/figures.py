"""Figures of one size, one style and the same bytes for the same data; and the data beside them."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError
from symbench.extras import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_STYLE = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 120,
    "figure.constrained_layout.use": True,
}


def figure(width: float, height: float, **layout: Any) -> tuple[Any, Any]:
    """A figure and its axes, as ``matplotlib.pyplot.subplots`` makes them, drawn without a display.

    Args:
        width: Inches, of 120 pixels.
        height: Inches.
        **layout: ``nrows``, ``ncols``, ``sharex`` ...
    """
    with require("matplotlib", "pictures").rc_context(_STYLE):
        drawn = require("matplotlib.figure", "pictures").Figure(figsize=(width, height), layout="constrained")
        require("matplotlib.backends.backend_agg", "pictures").FigureCanvasAgg(drawn)
        return drawn, drawn.subplots(**layout)


def save(drawn: Any, path: Path) -> Path:
    """Write a figure as PNG.

    Raises:
        SymbenchError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(path, dpi=_STYLE["savefig.dpi"], metadata={"Software": None})
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def save_csv(path: Path, header: Sequence[str], lines: Iterable[Sequence[Any]]) -> Path:
    """Write a table.

    Raises:
        SymbenchError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *lines])
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError) -> SymbenchError:
    return SymbenchError(f"cannot write {str(path)!r} ({error.strerror or error}); give another --out")
