"""Writes the tables of a run directory; they are derived from its cells and can be made again at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.leaderboard import markdown
from symbench.leaderboard.tables import Report, make_report
from symbench.runner import Store, load_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_report(directory: Path, tasks: Sequence[str] = ()) -> Report:
    """Write ``leaderboard.csv``, ``leaderboard.md`` and ``episodes.csv`` into a run directory.

    Args:
        directory: The run directory.
        tasks: Which tasks the reader asked for; see :class:`~symbench.leaderboard.rows.Report`.

    Raises:
        SymbenchError: The directory holds no run, a cell is damaged, or a table cannot be written.
    """
    from symbench.leaderboard.frame import episodes_frame, leaderboard_frame

    manifest, store = load_manifest(directory), Store(directory)
    records = store.records(manifest.cells)
    report = make_report(manifest, records, tasks)
    files = {
        "leaderboard.csv": leaderboard_frame(report.rows).to_csv(index=False),
        "episodes.csv": episodes_frame(records).to_csv(index=False),
        "leaderboard.md": markdown.render(report, records),
    }
    for name, content in files.items():
        try:
            write_atomically(directory / name, content)
        except OSError as error:
            raise SymbenchError(f"cannot write {directory / name} ({error.strerror}); the cells are kept") from error
    return report
