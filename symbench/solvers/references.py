"""The best tours that are known of an instance: optimal up to 12 cities, above them those of LKH and PyVRP.

elkai (LKH 3) and PyVRP come with the extra ``[routing]``. Nothing else of this package needs them: the benchmark's own
references are stored, see :mod:`symbench.solvers.reference_sets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.envs.routing.instances import SLACK
from symbench.envs.routing.tours import distances, join_routes
from symbench.errors import SymbenchError
from symbench.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tours = NDArray[np.int64]

_WHO: Final = "references of tours"
EXACT: Final = 12  # cities up to which tours are optimal
_UNITS: Final = 1_000_000  # of the longer side of an instance: LKH and PyVRP know whole numbers only
_LOADS: Final = 1_000_000_000  # units of a vehicle's capacity


def reference_tours(cities: NDArray[Any], runs: int = 10) -> Tours:
    """The best tours known.

    Args:
        cities: (B, n, 2).
        runs: How often LKH begins anew; n > 12 only.

    Returns:
        Tours (B, n) that begin in city 0: optimal ones for n <= 12.

    Raises:
        SymbenchError: elkai is needed and missing.
    """
    count = cities.shape[1]
    if count <= 3:
        return np.tile(np.arange(count), (len(cities), 1))
    if count <= EXACT:
        from symbench.solvers.held_karp import held_karp

        return np.stack([held_karp(instance) for instance in cities])
    return np.stack([lkh(instance, runs) for instance in cities])


def lkh(cities: NDArray[Any], runs: int = 10) -> Tours:
    """The tour that LKH 3 (Helsgaun 2017) finds, through elkai; the same in every call.

    Args:
        cities: (n, 2), n >= 3.
        runs: How often it begins anew.

    Raises:
        SymbenchError: elkai is missing.
    """
    elkai = require("elkai", _WHO)
    places = dict(enumerate(map(tuple, _whole(cities).tolist())))
    tour = elkai.Coordinates2D(places).solve_tsp(runs=runs)
    return np.array(tour[:-1], np.int64)


def reference_routes(cities: NDArray[Any], demands: NDArray[Any], iterations: int = 1000) -> Tours:
    """The best routes that PyVRP's hybrid genetic search (Wouda et al. 2024) finds; the same in every call.

    Args:
        cities: (B, n + 1, 2), the depot first.
        demands: (B, n + 1), shares of the capacity.
        iterations: Of the search, for each instance.

    Returns:
        CVRP tours (B, 2 n).

    Raises:
        SymbenchError: PyVRP is missing, or it finds no routes.
    """
    length = 2 * (cities.shape[1] - 1)
    found = (_routes(*instance, iterations) for instance in zip(cities, demands, strict=True))
    return np.stack([join_routes(routes, length) for routes in found])


def _routes(cities: NDArray[Any], demands: NDArray[Any], iterations: int) -> list[list[int]]:
    stop = require("pyvrp.stop", _WHO).MaxIterations(iterations)
    result = _model(_whole(cities), demands).solve(stop, seed=0, display=False)
    if not result.is_feasible():
        raise SymbenchError(f"PyVRP found no routes in {iterations} iterations; give it more")
    return [[stop.idx + 1 for stop in route if stop.is_client()] for route in result.best.routes()]


def _model(cities: Tours, demands: NDArray[Any]) -> Any:
    """PyVRP's model of an instance with whole coordinates."""
    model = require("pyvrp", _WHO).Model()
    depot, *customers = places = [model.add_location(x, y) for x, y in cities.tolist()]
    home, capacity = model.add_depot(depot), int((1 + SLACK) * _LOADS)  # the capacity that the environment allows
    model.add_vehicle_type(len(customers), capacity=capacity, start_depot=home, end_depot=home)
    loads = (demands[1:].astype(np.float64) * _LOADS).round().astype(int).tolist()
    for place, load in zip(customers, loads, strict=True):
        model.add_client(place, delivery=load)
    between = distances(cities).round().astype(int).tolist()
    for start, row in zip(places, between, strict=True):
        for end, length in zip(places, row, strict=True):
            model.add_edge(start, end, distance=length)
    return model


def _whole(cities: NDArray[Any]) -> NDArray[np.int64]:
    """Cities with whole coordinates, of which the larger extent has a million."""
    places = cities.astype(np.float64) - cities.min(axis=0)
    whole: NDArray[np.int64] = (places * (_UNITS / (places.max() or 1.0))).round().astype(np.int64)
    return whole
