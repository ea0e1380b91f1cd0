"""Writes the tables of a run in the form that the ending of a file names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError
from symbench.exports.latex import latex
from symbench.exports.page import page
from symbench.files import write_atomically
from symbench.leaderboard.frame import leaderboard_frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbench.leaderboard import Report


def table(report: Report) -> str:
    """The lines of ``leaderboard.csv``."""
    content: str = leaderboard_frame(report.rows).to_csv(index=False)
    return content


FORMS: Final[dict[str, Callable[[Report], str]]] = {"tex": latex, "html": page, "csv": table}
"""Ending of a file -> what makes its content."""


def write_export(report: Report, form: str, path: Path) -> Path:
    """Write a file whole or not at all; an older one is replaced.

    Args:
        report: The tables of a run.
        form: ``"tex"``, ``"html"`` or ``"csv"``.
        path: The file.

    Raises:
        SymbenchError: It cannot be written, or what the form needs is not installed.
    """
    content = FORMS[form](report)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise SymbenchError(f"cannot write {str(path)!r} ({error.strerror or error}); give another --out") from error
    return path
