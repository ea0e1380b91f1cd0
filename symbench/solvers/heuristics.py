"""Classic heuristics of the travelling salesman for whole batches, in numpy.

Of 100 uniform cities, tours are 25% (nearest neighbour), 8% (farthest insertion) and 4% (2-opt) too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.envs.routing.tours import distances

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Tours = NDArray[np.int64]

_MEMORY: Final = 4_000_000  # distances that are worked on at once
_LEAST_GAIN: Final = 1e-12  # of a 2-opt move: below it, rounding could make moves go in circles


def nearest_neighbour(cities: NDArray[Any], start: int = 0) -> Tours:
    """Always go to the nearest city that was not visited.

    Args:
        cities: (B, n, 2).
        start: Where tours begin.

    Returns:
        Tours (B, n).
    """
    return _in_parts(lambda part: _nearest_neighbour(distances(part), start), cities)


def _nearest_neighbour(between: Floats, start: int) -> Tours:
    count, size, _ = between.shape
    rows, tours = np.arange(count), np.full((count, size), start, np.int64)
    between[:, :, start] = np.inf
    for place in range(1, size):
        tours[:, place] = between[rows, tours[:, place - 1]].argmin(axis=1)
        between[rows, :, tours[:, place]] = np.inf
    return tours


def farthest_insertion(cities: NDArray[Any]) -> Tours:
    """Put the city that is farthest from the tour where it costs least, beginning with the two that are farthest apart.

    Args:
        cities: (B, n, 2).

    Returns:
        Tours (B, n).
    """
    return _in_parts(lambda part: _farthest_insertion(distances(part)), cities)


def _farthest_insertion(between: Floats) -> Tours:
    count, size = between.shape[:2]
    rows, tours = np.arange(count), np.zeros((count, size), np.int64)
    tours[:, 0], tours[:, 1] = np.divmod(between.reshape(count, -1).argmax(axis=1), size)
    nearest = np.full((count, size), np.inf)  # of each city to the tour; -inf once it is there
    _join(nearest, between, rows, tours[:, 0])
    _join(nearest, between, rows, np.where(tours[:, 1] == tours[:, 0], 1, tours[:, 1]))  # all cities coincide
    tours[:, 1] = np.where(tours[:, 1] == tours[:, 0], 1, tours[:, 1])
    for length in range(2, size):
        city = nearest.argmax(axis=1)
        before = tours[:, :length]
        after = np.roll(before, -1, axis=1)
        near = between[rows, city]
        cost = (
            np.take_along_axis(near, before, 1)
            + np.take_along_axis(near, after, 1)
            - between[rows[:, None], before, after]
        )
        place = cost.argmin(axis=1)[:, None] + 1
        columns = np.arange(length + 1)
        shifted = np.take_along_axis(tours, np.maximum(columns - (columns > place), 0), axis=1)
        tours[:, : length + 1] = np.where(columns == place, city[:, None], shifted)
        _join(nearest, between, rows, city)
    return tours


def _join(nearest: Floats, between: Floats, rows: Tours, city: Tours) -> None:
    """Cities have joined the tours: how far the others are from them."""
    np.minimum(nearest, between[rows, city], out=nearest)
    nearest[rows, city] = -np.inf


def two_opt(cities: NDArray[Any], tours: NDArray[Any] | None = None) -> Tours:
    """Reverse the part of a tour that shortens it most, until none does (Croes 1958).

    Args:
        cities: (B, n, 2).
        tours: Where it begins, (B, n). [nearest_neighbour]

    Returns:
        Tours (B, n) that no exchange of two edges makes shorter.
    """
    first = nearest_neighbour(cities) if tours is None else np.asarray(tours, np.int64)
    return _in_parts(lambda part, begun: _two_opt(distances(part), begun.copy()), cities, first)


def _two_opt(between: Floats, tours: Tours) -> Tours:
    size, active = tours.shape[1], np.arange(len(tours))
    columns = np.arange(size)
    while active.size and size > 3:
        current = tours[active]
        gains, first, last = _best_exchange(between[active[:, None, None], current[:, :, None], current[:, None, :]])
        better = gains > _LEAST_GAIN
        active, current, first, last = active[better], current[better], first[better, None], last[better, None]
        inside = (columns > first) & (columns <= last)  # places first + 1 to last are reversed
        tours[active] = np.take_along_axis(current, np.where(inside, first + 1 + last - columns, columns), axis=1)
    return tours


def _best_exchange(along: Floats) -> tuple[Floats, Tours, Tours]:
    """What the best exchange gains, and the places i < j of the cities whose edges to the next ones it removes.

    Args:
        along: Distances between places of the tours, (B, n, n).
    """
    count, size, _ = along.shape
    following = np.roll(along, (-1, -1), axis=(1, 2))
    edges = np.roll(along, -1, axis=2)[:, np.arange(size), np.arange(size)]
    gains = edges[:, :, None] + edges[:, None, :] - along - following
    gains[:, np.tri(size, dtype=bool)] = 0.0
    best = gains.reshape(count, -1).argmax(axis=1)
    first, last = np.divmod(best, size)
    return gains.reshape(count, -1)[np.arange(count), best], first, last


def _in_parts(solve: Callable[..., Tours], cities: NDArray[Any], *others: NDArray[Any]) -> Tours:
    """Tours of a batch, some instances at a time: the distances of all at once would not fit into memory."""
    size = max(1, _MEMORY // cities.shape[1] ** 2)
    starts = range(0, len(cities), size)
    parts = [solve(*(array[start : start + size] for array in (cities, *others))) for start in starts]
    return np.concatenate(parts) if parts else np.zeros(cities.shape[:2], np.int64)
