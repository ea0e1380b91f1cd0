"""Shortest tours by dynamic programming over subsets: exact, for a few cities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.envs.routing.tours import distances
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LARGEST: Final = 20
"""Cities whose table, 2^(n-1) (n-1) float64, still fits anywhere: 80 MB. One more takes twice the memory and time."""


def held_karp(cities: ArrayLike) -> NDArray[np.int64]:
    """A shortest closed tour.

    Args:
        cities: (n, 2), n from 1 to 20. 12 cities take .01 s, 20 take seconds.

    Returns:
        The tour, (n,), which begins at city 0.

    Raises:
        SymbenchError: The cities are not finite numbers (n, 2), or there are too many.

    Source: Held & Karp 1962, A dynamic programming approach to sequencing problems.
    """
    places = np.asarray(cities, np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not np.isfinite(places).all():
        raise SymbenchError(f"cities must be finite numbers of shape (n, 2), received shape {places.shape}")
    if not 1 <= len(places) <= LARGEST:
        raise SymbenchError(
            f"Held-Karp solves 1 to {LARGEST} cities, received {len(places)}; take a heuristic, DPDP or elkai for more"
        )
    between = distances(places)
    return _read_back(_costs(between), between)


def _costs(between: NDArray[np.float64]) -> NDArray[np.float64]:
    """C[S, j]: least cost from city 0 through all of S to city j+1 in S, (2^(n-1), n-1); bit j of S is city j+1."""
    home, onward = between[0, 1:], between[1:, 1:]
    m = len(home)
    costs = np.full((1 << m, m), np.inf)
    costs[1 << np.arange(m), np.arange(m)] = home
    sizes = sum((np.arange(1 << m) >> j & 1 for j in range(m)), np.zeros(1 << m, np.int64))
    for size in range(2, m + 1):
        sets = np.flatnonzero(sizes == size)
        for j in range(m):
            ending = sets[(sets >> j & 1) == 1]
            costs[ending, j] = (costs[ending ^ (1 << j)] + onward[j]).min(axis=1)
    return costs


def _read_back(costs: NDArray[np.float64], between: NDArray[np.float64]) -> NDArray[np.int64]:
    """The tour whose costs were found, from its end."""
    tour, visited = [0], len(costs) - 1
    while visited:
        j = int(np.argmin(costs[visited] + between[tour[-1], 1:]))
        tour.append(j + 1)
        visited ^= 1 << j
    return np.array(tour[:1] + tour[:0:-1], np.int64)
