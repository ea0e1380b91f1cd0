"""Rows of gaps and seconds of methods that build tours, and the tables that a leaderboard keeps of them."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Final, NamedTuple, get_type_hints

from symbench.errors import SymbenchError
from symbench.solvers.reference_sets import SETS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER: Final = "tours"
"""Where a leaderboard keeps the tables, one for each task."""
FAMILIES: Final = {
    **{"": "without learning", "dpdp": "DPDP", "edge-scorer": "DPDP"},
    **{"attention-model": "attention model", "pomo": "POMO"},
}
"""Kind of the model, or of the solver -> what methods have in common."""
OTHERS: Final = "invariant and other models"


class GapRow(NamedTuple):
    """One method on one task.

    Attributes:
        task: Name of the task.
        method: The agent, and how it takes its tours.
        family: One of :data:`FAMILIES`, or :data:`OTHERS`.
        nodes: Cities, or customers.
        instances: How many were solved, by each training run.
        runs: Training runs of the agent.
        batch: Instances that it solves at once.
        gap_mean: Mean over instances and runs of how much longer the tour is than the stored one, in %.
        gap_std: Standard deviation of the same.
        gap_low: Lower end of the 95% interval of the mean; NaN of a single instance.
        gap_high: Upper end.
        seconds: Processor time for an instance.
        share_at_reference: Of instances whose tour is no longer than the stored one.
    """

    task: str
    method: str
    family: str
    nodes: int
    instances: int
    runs: int
    batch: int
    gap_mean: float
    gap_std: float
    gap_low: float
    gap_high: float
    seconds: float
    share_at_reference: float


def read_rows(file: Path) -> list[GapRow]:
    """The rows of a table.

    Raises:
        SymbenchError: It cannot be read, or is no such table.
    """
    types = get_type_hints(GapRow)
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.DictReader(stream))
        rows = [GapRow(*(types[key](line[key]) for key in GapRow._fields)) for line in lines]
        if not rows or not all(math.isfinite(row.gap_mean) and 0 < row.seconds < math.inf for row in rows):
            raise ValueError("no rows, or a row without a gap or seconds")
        return rows
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SymbenchError(
            f"{file} is no table of gaps ({error}); make it again: python -m symbench.leaderboard.gap_against_seconds"
        ) from error


def read_tables(folder: Path) -> list[list[GapRow]]:
    """The tables of a leaderboard's folder, one for each task in the order of their sizes; none if it has none."""
    tables = {file.stem: file for file in (folder / FOLDER).glob("*.csv")}
    return [read_rows(tables[task]) for task in SETS if task in tables]


def write_rows(file: Path, rows: Iterable[GapRow]) -> None:
    """Write a table."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(GapRow._fields)
        writer.writerows([f"{value:.6g}" if isinstance(value, float) else value for value in row] for row in rows)
