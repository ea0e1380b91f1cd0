"""Writes figures: PDF with its fonts, SVG that refers to nothing outside itself, PNG; equal data give equal bytes."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any, Final

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.plot.style import context

# None leaves the entry out: when it was made, and by which version.
FORMATS: Final[dict[str, dict[str, None]]] = {
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
}
"""Format -> entries of its metadata that are left out."""

_DPI: Final = 300
_OUTSIDE: Final = re.compile(rb"<!DOCTYPE[^>]*>\s*")


def save(figure: Any, path: str | Path) -> Path:
    """Write a figure whole or not at all; an older file is replaced.

    Args:
        figure: Of :func:`~symbench.plot.multiples.figure`, or any of matplotlib.
        path: Ends with ``.pdf``, ``.svg`` or ``.png``, which decides the format.

    Raises:
        SymbenchError: There is no such format, or the file cannot be written.
    """
    path = Path(path)
    content = rendered(figure, format_of(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise SymbenchError(f"cannot write {str(path)!r} ({error.strerror or error}); give another --out") from error
    return path


def format_of(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        SymbenchError: There is none such.
    """
    found = path.suffix.lower().removeprefix(".")
    if found not in FORMATS:
        raise SymbenchError(f"{str(path)!r} names no format of figures; it must end with .{', .'.join(FORMATS)}")
    return found


def rendered(figure: Any, form: str) -> bytes:
    """The content of the file."""
    with context(), io.BytesIO() as memory:
        figure.savefig(memory, format=form, dpi=_DPI, metadata=FORMATS[form])
        content = memory.getvalue()
    return _OUTSIDE.sub(b"", content, count=1) if form == "svg" else content
