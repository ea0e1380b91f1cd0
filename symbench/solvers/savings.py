"""The savings heuristic for vehicles (Clarke and Wright 1964): routes are merged as long as that saves length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.routing.instances import SLACK
from symbench.envs.routing.tours import distances, join_routes

if TYPE_CHECKING:
    from numpy.typing import NDArray


def savings(cities: NDArray[Any], demands: NDArray[Any]) -> NDArray[np.int64]:
    """Begin with a route for each customer; merge the two whose ends save most, if a vehicle can serve both.

    Args:
        cities: (B, n + 1, 2), the depot first.
        demands: (B, n + 1), shares of the capacity.

    Returns:
        CVRP tours (B, 2 n).
    """
    length = 2 * (cities.shape[1] - 1)
    tours = [join_routes(_merged(*instance), length) for instance in zip(distances(cities), demands, strict=True)]
    return np.stack(tours)


def _merged(between: NDArray[np.float64], demands: NDArray[Any]) -> list[list[int]]:
    route_of = {customer: [customer] for customer in range(1, len(between))}
    loads = {customer: float(demands[customer]) for customer in route_of}  # by the first customer that a route had
    owner = {customer: customer for customer in route_of}
    for i, j in _pairs(between):
        a, b = owner[i], owner[j]
        ends = route_of[a][0], route_of[a][-1], route_of[b][0], route_of[b][-1]
        if a == b or i not in ends[:2] or j not in ends[2:] or loads[a] + loads[b] > 1 + SLACK:
            continue
        first = route_of[a] if route_of[a][-1] == i else route_of[a][::-1]
        second = route_of.pop(b)
        route_of[a] = first + (second if second[0] == j else second[::-1])
        loads[a] += loads[b]
        owner.update(dict.fromkeys(second, a))
    return list(route_of.values())


def _pairs(between: NDArray[np.float64]) -> list[list[int]]:
    """Customers (i, j) whose direct connection saves length, those that save most first."""
    saved = between[1:, :1] + between[:1, 1:] - between[1:, 1:]
    first, second = np.triu_indices(len(saved), k=1)
    order = np.argsort(-saved[first, second], kind="stable")
    pairs: list[list[int]] = (np.stack([first, second], axis=1)[order] + 1).tolist()
    return pairs
