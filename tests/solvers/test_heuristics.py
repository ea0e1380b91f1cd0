"""Heuristics: valid tours, the same alone and in a batch, as short as published."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symbench.envs.routing.cvrp import CVRPVectorEnv
from symbench.envs.routing.tours import check_routes, check_tours, route_lengths, split_routes, tour_lengths
from symbench.envs.routing.tsp import TSPVectorEnv
from symbench.solvers.heuristics import farthest_insertion, nearest_neighbour, two_opt
from symbench.solvers.savings import savings

Heuristic = Callable[[np.ndarray], np.ndarray]
HEURISTICS = (nearest_neighbour, farthest_insertion, two_opt)


def cities(count: int, n: int) -> np.ndarray:
    drawn: np.ndarray = TSPVectorEnv(count, n=n).reset(seed=0)[0]["cities"]
    return drawn


@pytest.mark.parametrize("n", [2, 3, 4, 5, 20])
@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_tours_are_valid_and_those_of_a_batch_are_those_of_its_members(heuristic: Heuristic, n: int) -> None:
    given = cities(12, n)
    tours = heuristic(given)
    check_tours(tours, n)
    assert tours.dtype == np.int64
    np.testing.assert_array_equal(tours, np.concatenate([heuristic(given[i : i + 1]) for i in range(12)]))


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_coincident_cities_and_empty_batches(heuristic: Heuristic) -> None:
    check_tours(heuristic(np.zeros((2, 7, 2))), 7)
    assert heuristic(np.zeros((0, 7, 2))).shape == (0, 7)


@pytest.mark.parametrize("heuristic", HEURISTICS)
def test_length_does_not_depend_on_where_the_cities_are(heuristic: Heuristic) -> None:
    given = cities(20, 20).astype(np.float64)
    angle = 0.7
    turned = 3 * given @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) + [5, -2]
    lengths = tour_lengths(given, heuristic(given)), tour_lengths(turned, heuristic(turned))
    np.testing.assert_allclose(3 * lengths[0], lengths[1], rtol=1e-9)


@pytest.mark.parametrize(
    ("heuristic", "low", "high"), [(nearest_neighbour, 9.4, 9.9), (farthest_insertion, 8.2, 8.5), (two_opt, 7.9, 8.3)]
)
def test_a_hundred_uniform_cities(heuristic: Heuristic, low: float, high: float) -> None:
    given = cities(60, 100)
    assert low < tour_lengths(given, heuristic(given)).mean() < high  # optimal 7.76; Kool et al. 2019: 9.68, 8.36


def test_nearest_neighbour_step_by_step() -> None:
    given = cities(1, 15)
    tour = nearest_neighbour(given, start=4)[0].tolist()
    assert tour[0] == 4
    for place in range(1, 15):
        rest = [city for city in range(15) if city not in tour[:place]]
        nearest = min(rest, key=lambda city: float(np.linalg.norm(given[0, city] - given[0, tour[place - 1]])))
        assert tour[place] == nearest


def test_two_opt_leaves_nothing_to_exchange() -> None:
    given = cities(5, 12)
    worst = np.tile(np.arange(12), (5, 1))
    tours = two_opt(given, worst)
    best = tour_lengths(given, tours)
    assert (best < tour_lengths(given, worst)).all() and (worst == np.arange(12)).all()
    for i, j in itertools.combinations(range(12), 2):
        exchanged = tours.copy()
        exchanged[:, i : j + 1] = exchanged[:, i : j + 1][:, ::-1]
        assert (tour_lengths(given, exchanged) >= best - 1e-9).all()


def test_savings() -> None:
    drawn, _ = CVRPVectorEnv(100).reset(seed=0)
    tours = savings(drawn["cities"], drawn["demands"])
    check_routes(tours, drawn["demands"])
    assert tours.shape == (100, 40)
    assert 6.1 < route_lengths(drawn["cities"], tours).mean() < 6.7


def test_savings_merges_ends_only() -> None:
    places = np.array([[[0, 0], [1, 0.1], [2, 0], [3, 0.1], [-1, 0.1]]])
    demands = np.array([[0, 0.3, 0.3, 0.3, 0.3]])
    routes = [route.tolist() for route in split_routes(savings(places, demands)[0])]
    assert sorted(sorted(route) for route in routes) == [[1, 2, 3], [4]]


def test_the_types_of_cities_do_not_matter() -> None:
    given = cities(3, 9)
    as_lists: Any = given.astype(np.float64)
    np.testing.assert_array_equal(two_opt(given), two_opt(as_lists))
