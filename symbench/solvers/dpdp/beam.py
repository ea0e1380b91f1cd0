"""A beam of partial tours from city 0, and one step of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.solvers.dpdp.edges import Edges

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Beam(NamedTuple):
    """B partial tours of n cities, in no order.

    Attributes:
        visited: Which cities were visited, (B, n) bool.
        current: The last of them, (B,) int64.
        cost: Length of the path, (B,) float64.
        score: Of its edges, without the potential, (B,) float64.
        potential: What is left to gain by edges from unvisited cities to these and to city 0, (B,) float64.
        leaving: What the potential loses when a city is visited, (B, n) float64.
        parent: Whose path in the beam before this one goes on, (B,) int64.
    """

    visited: NDArray[np.bool_]
    current: Integers
    cost: Floats
    score: Floats
    potential: Floats
    leaving: Floats
    parent: Integers


def first_beam(edges: Edges) -> Beam:
    """One tour, which is at city 0."""
    weights, zero = edges.weights, np.zeros(1)
    visited = np.arange(len(weights))[None] == 0
    leaving = weights.sum(axis=1) + weights[1:].sum(axis=0)
    nowhere = np.zeros(1, np.int64)
    return Beam(visited, nowhere, zero, zero, weights[1:].sum(keepdims=True)[0], leaving[None], nowhere)


def expand(beam: Beam, edges: Edges, size: int, collapse_dominated: bool = True) -> Beam:
    """Go on to every unvisited city that an allowed edge leads to, and keep the best.

    Args:
        beam: The beam before this step.
        edges: Of the instance.
        size: How many are kept: those of the least score plus potential.
        collapse_dominated: Whether of paths through the same cities to the same city only the shortest is a candidate.

    Returns:
        The beam after this step; empty where no edge leads on.
    """
    state, city = np.nonzero(edges.allowed[beam.current] & ~beam.visited)
    cost = beam.cost[state] + edges.lengths[beam.current[state], city]
    if collapse_dominated:
        cheapest = _undominated(beam.visited, state, city, cost)
        state, city, cost = state[cheapest], city[cheapest], cost[cheapest]
    score = beam.score[state] + edges.scores[beam.current[state], city]
    potential = beam.potential[state] - beam.leaving[state, city]
    kept = np.argpartition(score + potential, size - 1)[:size] if len(cost) > size else np.arange(len(cost))
    parent, current = state[kept], city[kept]
    visited = beam.visited[parent]
    visited[np.arange(len(current)), current] = True
    leaving = beam.leaving[parent] - (edges.weights + edges.weights.T)[current]
    return Beam(visited, current, cost[kept], score[kept], potential[kept], leaving, parent)


def _undominated(visited: NDArray[np.bool_], state: Integers, city: Integers, cost: Floats) -> Integers:
    """Of candidates with equal visited cities and equal current city, the number of the cheapest."""
    slot = _equal_rows(visited)[state] * visited.shape[1] + city
    least = np.full(len(visited) * visited.shape[1], np.inf)
    np.minimum.at(least, slot, cost)
    cheapest = np.flatnonzero(cost == least[slot])
    slot = slot[cheapest]
    owner = np.empty(len(least), np.int64)
    owner[slot] = cheapest  # of equally cheap ones the last
    undominated: Integers = cheapest[owner[slot] == cheapest]
    return undominated


def _equal_rows(rows: NDArray[np.bool_]) -> Integers:
    """A number for each row, (B,), the same for equal rows."""
    bits = np.packbits(rows, axis=1)
    words = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8))).view(np.uint64)
    order = np.lexsort(words.T)
    ordered = words[order]
    differs = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.zeros(len(rows), np.int64)
    group[order[1:]] = np.cumsum(differs)
    return group
