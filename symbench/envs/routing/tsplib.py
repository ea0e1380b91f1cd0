"""Instances from TSPLIB files (Reinelt 1991), those with points in the plane: EDGE_WEIGHT_TYPE EUC_2D."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.routing.tours import check_tours
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SECTION = "NODE_COORD_SECTION"


@dataclass(frozen=True)
class TsplibInstance:
    """One file.

    Attributes:
        name: As the file calls it.
        cities: Coordinates as the file has them, (n, 2), float64.
    """

    name: str
    cities: NDArray[np.float64]

    def length(self, tour: NDArray[Any]) -> int:
        """Length of a tour, (n,), by TSPLIB's rule: every edge is rounded to a whole number, as in published optima.

        Raises:
            SymbenchError: It does not visit every city once.
        """
        check_tours(tour, len(self.cities))
        points = self.cities[tour]
        edges = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
        return int(np.floor(edges + 0.5).sum())


def read_tsplib(path: str | Path) -> TsplibInstance:
    """Read a file.

    Raises:
        SymbenchError: It cannot be read, holds another type of problem, or its coordinates are not n >= 2 pairs of
            finite numbers.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise SymbenchError(f"cannot read {path} ({getattr(error, 'strerror', None) or 'it is no text'})") from error
    head, rows = _parts(lines)
    for key, expected in (("TYPE", "TSP"), ("EDGE_WEIGHT_TYPE", "EUC_2D")):
        if (found := head.get(key, "none")).split()[:1] != [expected]:
            raise SymbenchError(f"{path}: {key} must be {expected}, received {found}")
    cities = _cities(path, rows)
    if head.get("DIMENSION") != str(len(cities)):
        raise SymbenchError(
            f"{path}: DIMENSION is {head.get('DIMENSION', 'missing')}, but there are {len(cities)} cities"
        )
    return TsplibInstance(head.get("NAME", Path(path).stem), cities)


def _parts(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """Entries of the head, and the lines of coordinates."""
    start = lines.index(_SECTION) if _SECTION in lines else len(lines)
    pairs = (line.partition(":") for line in lines[:start] if ":" in line)
    head = {key.strip(): value.strip() for key, _, value in pairs}
    rows = []
    for line in filter(None, lines[start + 1 :]):
        if line[0].isalpha():  # EOF or another section
            break
        rows.append(line)
    return head, rows


def _cities(path: str | Path, rows: list[str]) -> NDArray[np.float64]:
    try:
        cities = np.array([[float(number) for number in row.split()[1:]] for row in rows], np.float64)
    except ValueError:  # no number, or lines of different lengths
        cities = np.empty(0)
    if len(rows) < 2:
        raise SymbenchError(f"{path}: at least 2 cities are needed, received {len(rows)} in {_SECTION}")
    if cities.shape != (len(rows), 2):
        raise SymbenchError(f"{path}: every line of {_SECTION} must be a number and two coordinates")
    if not np.isfinite(cities).all():
        wrong = rows[int((~np.isfinite(cities)).any(axis=1).argmax())]
        raise SymbenchError(f"{path}: coordinates must be finite, received {wrong!r}")
    return cities
