"""Lengths and checks of tours."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symbench.envs.routing.tours import (
    check_routes,
    check_tours,
    distances,
    join_routes,
    route_lengths,
    split_routes,
    tour_lengths,
)
from symbench.errors import SymbenchError

RNG = np.random.default_rng(0)
CITIES = RNG.random((6, 9, 2), dtype=np.float32)
TOURS = RNG.permuted(np.tile(np.arange(9), (6, 1)), axis=1)


def test_lengths_are_sums_of_edges() -> None:
    found = tour_lengths(CITIES, TOURS)
    assert found.dtype == np.float64
    for cities, tour, length in zip(CITIES.astype(float), TOURS, found, strict=True):
        assert length == pytest.approx(
            sum(math.dist(cities[tour[i - 1]], cities[tour[i]]) for i in range(9)), abs=1e-12
        )
        assert tour_lengths(cities, tour) == length


def test_lengths_do_not_depend_on_the_type_of_tours_or_on_padding() -> None:
    assert (tour_lengths(CITIES, TOURS.astype(np.uint8)) == tour_lengths(CITIES, TOURS)).all()
    routes = np.array([3, 1, 0, 2, 4])
    lengths = [route_lengths(CITIES[0], np.pad(routes, (0, more))) for more in range(30)]
    assert len(set(map(float, lengths))) == 1


def test_distances() -> None:
    between = distances(CITIES)
    assert between.shape == (6, 9, 9)
    assert between[2, 3, 5] == pytest.approx(math.dist(*CITIES[2, [3, 5]].astype(float)), abs=1e-12)


def test_routes_are_split_and_joined() -> None:
    tour = np.array([3, 1, 0, 2, 4, 0, 0])
    assert [route.tolist() for route in split_routes(tour)] == [[3, 1], [2, 4]]
    np.testing.assert_array_equal(join_routes(split_routes(tour), 7), tour)
    with pytest.raises(SymbenchError, match="have 5 nodes, more than 4"):
        join_routes(split_routes(tour), 4)


def test_wrong_tours_are_found() -> None:
    check_tours(TOURS, 9)
    with pytest.raises(SymbenchError, match=r"tour 1 does not visit each of 3 cities once: \[0, 0, 2\]"):
        check_tours([[0, 1, 2], [0, 0, 2]], 3)
    with pytest.raises(SymbenchError, match="a tour of 4 cities has 4 entries, received 3"):
        check_tours([[0, 1, 2]], 4)


def test_wrong_routes_are_found() -> None:
    demands = np.array([0, 0.5, 0.5, 0.25])
    check_routes([1, 2, 0, 3], demands)
    with pytest.raises(SymbenchError, match=r"tour 0 loads 1.250 of a vehicle's capacity on route \[1, 2, 3\]"):
        check_routes([1, 2, 3, 0], demands)
    with pytest.raises(SymbenchError, match="tour 0 does not visit each of 3 customers once"):
        check_routes([1, 2, 0, 0], demands)
