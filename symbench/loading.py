"""Runs that are on disk, as data frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from symbench.errors import SymbenchError
from symbench.leaderboard.frame import episodes_frame, leaderboard_frame, runs_frame
from symbench.leaderboard.rows import make_rows
from symbench.runner import Store, load_manifest

if TYPE_CHECKING:
    Per = Literal["agent", "run", "episode"]


def load(*runs: str | Path, per: Per = "agent") -> pd.DataFrame:
    """Read run directories that ``symbench run`` or :func:`symbench.evaluate` wrote; nothing is written.

    Args:
        runs: One or several.
        per: What a line is about. ``"agent"``: an agent under a condition, as in ``leaderboard.csv``. ``"run"``: the
            same of each of its training runs, with ``mean``, ``score`` and ``retention`` of this run. ``"episode"``: an
            episode, as in ``episodes.csv``.

    Returns:
        The lines of all of them, with the directory in the column ``source``.

    Raises:
        SymbenchError: A directory holds no run, or a cell is damaged.

    Example:
        >>> symbench.load("runs/shuffle")[["agent", "severity", "retention"]]  # doctest: +SKIP
    """
    if not runs:
        raise SymbenchError("which run? give its directory, e.g. symbench.load('runs/shuffle')")
    if per not in ("agent", "run", "episode"):
        raise SymbenchError(f"per must be 'agent', 'run' or 'episode', received {per!r}")
    if wrong := next((run for run in runs if not isinstance(run, (str, Path))), None):
        raise SymbenchError(f"a directory is expected, received {type(wrong).__name__}; several: symbench.load(*runs)")
    frames = [_one(Path(run), per) for run in runs]
    return pd.concat(frames, ignore_index=True)


def _one(directory: Path, per: Per) -> pd.DataFrame:
    manifest = load_manifest(directory)
    records = Store(directory).records(manifest.cells)
    if per == "agent":
        frame = leaderboard_frame(make_rows(manifest, records))
    else:
        frame = runs_frame(manifest, records) if per == "run" else episodes_frame(records)
    located: pd.DataFrame = frame.assign(source=str(directory))
    return located
