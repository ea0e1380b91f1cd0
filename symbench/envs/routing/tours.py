"""Tours and their lengths.

A tour of a travelling salesman is a permutation of the n cities, (n,). One of vehicles is a sequence of nodes in which
0, the depot, ends a route; the first start and the final return are implied, and zeros may follow, (L,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.routing.instances import SLACK
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Tours = NDArray[np.int64]


def path_lengths(points: NDArray[Any]) -> Floats:
    """Lengths of paths that end where they begin, (..., L, 2) -> (...), float64.

    Edges are added one after the other, so that points which repeat the last one change no bit.
    """
    places = points.astype(np.float64)
    steps = np.diff(places, axis=-2, append=places[..., :1, :])
    edges = np.sqrt(steps[..., 0] * steps[..., 0] + steps[..., 1] * steps[..., 1])
    lengths: Floats = np.cumsum(edges, axis=-1)[..., -1]
    return lengths


def tour_lengths(cities: NDArray[Any], tours: NDArray[Any]) -> Floats:
    """Lengths of closed tours, float64.

    Args:
        cities: (..., n, 2).
        tours: Of the same instances, (..., n).
    """
    return path_lengths(_in_order(cities, np.asarray(tours, np.int64)))


def _in_order(cities: NDArray[Any], tours: Tours) -> NDArray[Any]:
    """The cities of tours one after the other, (..., L, 2); take is several times faster than take_along_axis."""
    *lead, length = tours.shape
    every = np.broadcast_to(cities, (*lead, *cities.shape[-2:])).reshape(-1, 2)
    first = np.arange(0, len(every), cities.shape[-2])[:, None]
    return every.take(tours.reshape(-1, length) + first, axis=0).reshape(*lead, length, 2)


def route_lengths(cities: NDArray[Any], tours: NDArray[Any]) -> Floats:
    """Lengths of all routes of a CVRP tour together, float64.

    Args:
        cities: (..., n + 1, 2), the depot first.
        tours: Of the same instances, (..., L).
    """
    depot = np.zeros((*np.shape(tours)[:-1], 1), np.int64)
    return tour_lengths(cities, np.concatenate([depot, np.asarray(tours, np.int64)], axis=-1))


def distances(cities: NDArray[Any]) -> Floats:
    """Between all cities, (..., n, 2) -> (..., n, n), float64."""
    places = cities.astype(np.float64)
    offsets = places[..., :, None, :] - places[..., None, :, :]
    between: Floats = np.sqrt(offsets[..., 0] * offsets[..., 0] + offsets[..., 1] * offsets[..., 1])
    return between


def check_tours(tours: NDArray[Any], count: int) -> None:
    """Check that tours visit every city once.

    Args:
        tours: (..., n).
        count: Number n of cities.

    Raises:
        SymbenchError: One does not; the message names the first.
    """
    rows = np.asarray(tours).reshape(-1, np.shape(tours)[-1])
    if rows.shape[1] != count:
        raise SymbenchError(f"a tour of {count} cities has {count} entries, received {rows.shape[1]}")
    wrong = (np.sort(rows, axis=1) != np.arange(count)).any(axis=1)
    if wrong.any():
        first = int(wrong.argmax())
        raise SymbenchError(f"tour {first} does not visit each of {count} cities once: {rows[first].tolist()}")


def check_routes(tours: NDArray[Any], demands: NDArray[Any]) -> None:
    """Check that routes visit every customer once and that no vehicle carries more than 1.

    Args:
        tours: (..., L).
        demands: Of the same instances, (..., n + 1), shares of the capacity, the depot's first.

    Raises:
        SymbenchError: One does not; the message names the first.
    """
    count = np.shape(demands)[-1]
    rows = np.asarray(tours, np.int64).reshape(-1, np.shape(tours)[-1])
    for place, (tour, demand) in enumerate(zip(rows, np.reshape(demands, (-1, count)), strict=True)):
        if not np.array_equal(np.sort(tour[tour != 0]), np.arange(1, count)):
            raise SymbenchError(f"tour {place} does not visit each of {count - 1} customers once: {tour.tolist()}")
        for route in split_routes(tour):
            if (load := float(demand[route].astype(np.float64).sum())) > 1 + SLACK:
                raise SymbenchError(f"tour {place} loads {load:.3f} of a vehicle's capacity on route {route.tolist()}")


def split_routes(tour: NDArray[Any]) -> list[Tours]:
    """The routes of one CVRP tour, (L,), without the depot."""
    parts = np.split(np.asarray(tour, np.int64), np.flatnonzero(np.asarray(tour) == 0))
    return [route for part in parts if (route := part[part != 0]).size]


def join_routes(routes: list[Any], length: int) -> Tours:
    """The CVRP tour of some routes, padded with zeros to a length, (length,).

    Raises:
        SymbenchError: They are longer.
    """
    nodes = [node for route in routes for node in (*route, 0)][:-1]
    if len(nodes) > length:
        raise SymbenchError(f"these routes have {len(nodes)} nodes, more than {length}")
    return np.array(nodes + [0] * (length - len(nodes)), np.int64)
