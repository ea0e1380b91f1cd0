"""What a heatmap is learned from: uniform instances of the TSP and their shortest tours, found once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symbench.envs.routing.tours import distances
from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.files import cache_folder, save_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_UNITS = 1_000_000  # of a unit of length: LKH calculates with whole numbers


class SolvedInstances(NamedTuple):
    """N instances of n cities.

    Attributes:
        cities: Uniform in the unit square, (N, n, 2) float32.
        tours: Shortest tours as LKH finds them, (N, n) int16.
    """

    cities: NDArray[np.float32]
    tours: NDArray[np.int16]


def solved_instances(n: int, count: int, seed: int, cache: Path | None = None) -> SolvedInstances:
    """Draw instances and solve them, .001 s each for n = 20, .01 s for 50; the second call reads a file.

    Args:
        n: Number of cities, at least 3.
        count: Number of instances.
        seed: Of the cities.
        cache: Directory of the files. [``$XDG_CACHE_HOME/symbench`` or ``~/.cache/symbench``]

    Raises:
        SymbenchError: ``n`` is below 3, ``count`` below 1, or elkai is not installed and the file is not there.
    """
    if n < 3 or count < 1:
        raise SymbenchError(f"solved instances need n of at least 3 and count of at least 1, received {n} and {count}")
    file = (cache or cache_folder()) / f"tsp-{n}-{count}-s{seed}.npz"
    if not file.exists():
        cities = np.random.default_rng([n, seed]).random((count, n, 2), np.float32)
        save_arrays(file, cities=cities, tours=np.array([_shortest(each) for each in cities], np.int16))
    with np.load(file, allow_pickle=False) as arrays:
        return SolvedInstances(arrays["cities"], arrays["tours"])


def _shortest(cities: NDArray[Any]) -> list[int]:
    elkai = require("elkai", "instances that are solved by LKH")
    tour: list[int] = elkai.DistanceMatrix(np.rint(_UNITS * distances(cities)).astype(int).tolist()).solve_tsp(runs=1)
    return tour[:-1]
