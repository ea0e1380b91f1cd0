"""Deep Policy Dynamic Programming as it is explained: one state after the other, in dictionaries."""

from __future__ import annotations

import numpy as np

from symbench.solvers.dpdp import Edges


def plain_dpdp(edges: Edges, beam_size: int) -> list[int]:
    """A tour from city 0."""
    n = len(edges.lengths)
    lengths, scores, weights = edges.lengths.tolist(), edges.scores.tolist(), edges.weights
    beam = {(frozenset([0]), 0): (0.0, 0.0, [0])}
    for _ in range(n - 1):
        reached: dict[tuple[frozenset[int], int], tuple[float, float, list[int]]] = {}
        for (visited, current), (cost, score, path) in beam.items():
            for city in np.flatnonzero(edges.allowed[current]).tolist():
                if city in visited:
                    continue
                state = (visited | {city}, city)
                further = cost + lengths[current][city]
                if state not in reached or further < reached[state][0]:
                    reached[state] = (further, score + scores[current][city], [*path, city])
        keys = {state: found[1] + potential(weights, state[0]) for state, found in reached.items()}
        beam = {state: reached[state] for state in sorted(reached, key=keys.__getitem__)[:beam_size]}
    closed = {state: cost + lengths[state[1]][0] for state, (cost, _, _) in beam.items() if edges.allowed[state[1], 0]}
    return beam[min(closed, key=closed.__getitem__)][2]


def potential(weights: np.ndarray, visited: frozenset[int]) -> float:
    if not weights.any():
        return 0.0
    unvisited = [city for city in range(len(weights)) if city not in visited]
    return float(weights[np.ix_(unvisited, [0, *unvisited])].sum())
