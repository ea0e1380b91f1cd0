"""Learning curves on disk, of ``symbench train`` and ``symbench study``, as one data frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pandas as pd

from symbench.errors import SymbenchError
from symbench.reading import brief

_STUDY: Final = "curves.csv"
_TRAINING: Final = ("train.json", "curve.json")  # the first is written last, and holds the whole curve
_WHO_AND_WHEN: Final = ("arm", "run", "step", "source", "name")
_NOT_MEASURED: Final = ("done", "seconds")


def read_curve_logs(*paths: str | Path) -> pd.DataFrame:
    """Read learning curves.

    Args:
        paths: A folder that ``symbench train`` or ``symbench study`` wrote, one above several of these, or a
            ``curves.csv``.

    Returns:
        A line for each measurement: ``source`` (the path), ``arm`` (recipe, or arm of the study), ``run``, ``step``
        (steps or generations), and what was measured: ``return``, or what the training looks at instead.

    Raises:
        SymbenchError: There is no curve, one is damaged, or curves are of different things.
    """
    frames = [_read(Path(path)).assign(source=str(path)) for path in paths]
    measures = {measure_of(frame) for frame in frames}
    if len(measures) > 1:
        raise SymbenchError(f"the curves are of {' and of '.join(sorted(measures))}; draw them apart")
    together: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return together


def measure_of(frame: pd.DataFrame) -> str:
    """The column of what was measured: ``return`` if there is one, else the first that says neither who nor when.

    Raises:
        SymbenchError: There is none.
    """
    found = [str(name) for name in frame.columns if name not in _WHO_AND_WHEN]
    if not found:
        raise SymbenchError("curves need a column with what was measured, e.g. 'return', beside arm, run and step")
    return "return" if "return" in found else found[0]


def has_curves(path: Path) -> bool:
    """Whether there is anything to read for :func:`read_curve_logs`."""
    return path.suffix == ".csv" or (path / _STUDY).exists() or bool(_logs(path))


def _read(path: Path) -> pd.DataFrame:
    table = path if path.suffix == ".csv" else path / _STUDY
    if table.exists():
        return _table(table)
    logs = _logs(path)
    if not logs:
        raise SymbenchError(
            f"{str(path)!r} holds no learning curve; give a folder of symbench train or symbench study, or a {_STUDY}"
        )
    together: pd.DataFrame = pd.concat([_log(log) for log in logs], ignore_index=True)
    return together


def _logs(path: Path) -> list[Path]:
    """The file of each training run in a folder."""
    found: dict[Path, Path] = {}
    for name in reversed(_TRAINING):
        found |= {log.parent: log for log in path.rglob(name)} if path.is_dir() else {}
    return [found[folder] for folder in sorted(found)]


def _table(path: Path) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise SymbenchError(f"{path} cannot be read ({brief(error)})") from error
    missing = [name for name in ("arm", "run", "step") if name not in frame.columns]
    if missing or len(frame.columns) < 4 or frame.empty:
        raise SymbenchError(f"{path} is no table of curves; its columns are arm, run, step and what was measured")
    if not all(pd.api.types.is_numeric_dtype(frame[name]) for name in ("step", measure_of(frame))):
        raise SymbenchError(f"{path}: step and {measure_of(frame)} are numbers in a table of curves")
    return frame


def _log(path: Path) -> pd.DataFrame:
    """One training run: ``RECIPE/sSEED/train.json``."""
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        points = said["curve"] if isinstance(said, dict) else said
        measures = [name for name in points[0] if name not in _NOT_MEASURED]
        measure = "return" if "return" in measures else measures[-1]
        rows = [(float(point["done"]), float(point[measure])) for point in points if point[measure] is not None]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise SymbenchError(f"{path} holds no learning curve ({brief(error)}); train again, or leave it out") from error
    steps, values = zip(*rows, strict=True) if rows else ((), ())
    frame: pd.DataFrame = pd.DataFrame(
        {"arm": path.parent.parent.name, "run": path.parent.name, "step": steps, measure: values}
    )
    return frame
