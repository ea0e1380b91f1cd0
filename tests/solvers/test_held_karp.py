"""Held-Karp finds the shortest of all tours."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.solvers.held_karp import held_karp


def length(cities: np.ndarray, tour: np.ndarray) -> float:
    ordered = cities[tour]
    return float(np.linalg.norm(ordered - np.roll(ordered, -1, axis=0), axis=1).sum())


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
def test_no_tour_is_shorter(n: int) -> None:
    cities = np.random.default_rng(n).random((n, 2))
    tour = held_karp(cities)
    assert tour.dtype == np.int64 and tour[0] == 0 and sorted(tour) == list(range(n))
    every = [length(cities, np.array((0, *rest))) for rest in permutations(range(1, n))]
    assert length(cities, tour) == pytest.approx(min(every), abs=1e-12)
    assert n < 4 or min(every) < max(every) - 1e-3


def test_cities_on_a_circle_are_visited_in_their_order() -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(13)
    angles = 2 * np.pi * order / 13
    tour = held_karp(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    steps = np.diff(order[tour], append=order[tour[0]]) % 13
    assert set(steps) in ({1}, {12})


def test_coincident_cities_are_no_trouble() -> None:
    cities = np.array([[0, 0], [1, 0], [0, 0], [1, 0], [1, 0]])
    tour = held_karp(cities)
    assert sorted(tour) == [0, 1, 2, 3, 4] and length(cities, tour) == 2


@pytest.mark.parametrize(
    ("cities", "message"),
    [
        (np.zeros((21, 2)), "1 to 20 cities, received 21; take a heuristic"),
        (np.zeros((0, 2)), "1 to 20 cities, received 0"),
        (np.zeros((5, 3)), r"shape \(n, 2\), received shape \(5, 3\)"),
        (np.full((5, 2), np.nan), "finite"),
    ],
)
def test_mistakes(cities: np.ndarray, message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        held_karp(cities)
