"""What a heatmap is learned from: uniform instances of the TSP and their shortest tours, found once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symbench.errors import SymbenchError
from symbench.files import cache_folder, save_arrays
from symbench.solvers.references import reference_tours

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class SolvedInstances(NamedTuple):
    """N instances of n cities.

    Attributes:
        cities: Uniform in the unit square, (N, n, 2) float32.
        tours: Shortest tours as one run of LKH finds them, (N, n) int16.
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
        SymbenchError: ``n`` is below 3, ``count`` below 1, or elkai is needed (n > 12, no file yet) and missing.
    """
    if n < 3 or count < 1:
        raise SymbenchError(f"solved instances need n of at least 3 and count of at least 1, received {n} and {count}")
    file = (cache or cache_folder()) / f"tsp-{n}-{count}-s{seed}.npz"
    if not file.exists():
        cities = np.random.default_rng([n, seed]).random((count, n, 2), np.float32)
        save_arrays(file, cities=cities, tours=reference_tours(cities, runs=1).astype(np.int16))
    with np.load(file, allow_pickle=False) as arrays:
        return SolvedInstances(arrays["cities"], arrays["tours"])
