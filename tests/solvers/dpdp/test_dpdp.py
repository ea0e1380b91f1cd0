"""Beams find what slower programs find; full ones find the shortest tours."""

from __future__ import annotations

import numpy as np
import pytest
from plain_dpdp import plain_dpdp

from symbench.errors import SymbenchError
from symbench.solvers.dpdp import SCORES, beams, dpdp, make_edges
from symbench.solvers.held_karp import held_karp


def length(cities: np.ndarray, tour: np.ndarray) -> float:
    ordered = cities[tour]
    return float(np.linalg.norm(ordered - np.roll(ordered, -1, axis=0), axis=1).sum())


def heatmap(cities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Log-probabilities of edges that are rather short, (n, n); not symmetric."""
    distances = np.linalg.norm(cities[:, None] - cities[None], axis=-1)
    return -4 * distances - rng.exponential(size=distances.shape)


def same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two tours from city 0 are equal, or one is the other backwards."""
    return bool((first == second).all() or (first[1:] == second[:0:-1]).all())


def test_a_full_beam_finds_the_shortest_of_all_tours() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        cities = rng.random((rng.integers(1, 13), 2))
        score = SCORES[rng.integers(len(SCORES))]
        tour = dpdp(cities, heatmap(cities, rng), beam_size=10**6, score=score)
        shortest = held_karp(cities)
        assert tour.dtype == np.int64 and same(tour, shortest)
        assert length(cities, tour) == pytest.approx(length(cities, shortest), abs=1e-12)


def test_a_beam_that_is_full_does_not_always() -> None:
    """The negative control of the test before: neither narrow beams nor those that keep dominated paths."""
    rng = np.random.default_rng(1)
    missed = {"narrow": 0, "plain": 0}
    for _ in range(20):
        cities = rng.random((11, 2))
        heat, shortest = heatmap(cities, rng), held_karp(cities)
        missed["narrow"] += not same(dpdp(cities, heat, beam_size=10), shortest)
        missed["plain"] += not same(dpdp(cities, heat, beam_size=60, collapse_dominated=False), shortest)
    assert missed["narrow"] > 0 and missed["plain"] > 0


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(("n", "options"), [(9, {}), (20, {"knn": 7}), (20, {"threshold": 0.05}), (70, {})])
def test_it_is_the_program_that_looks_at_one_state_after_the_other(score: str, n: int, options: dict) -> None:
    rng = np.random.default_rng(n)
    cities = rng.random((n, 2))
    heat = heatmap(cities, rng)
    size = 30 if n < 70 else 5
    expected = plain_dpdp(make_edges(cities, heat, score, **options), size)
    assert dpdp(cities, heat, beam_size=size, score=score, **options).tolist() == expected


def test_beams_hold_different_states_of_the_lengths_of_their_paths() -> None:
    rng = np.random.default_rng(2)
    cities = rng.random((70, 2))
    edges = make_edges(cities, heatmap(cities, rng), threshold=0.01)
    paths = np.zeros((1, 1), np.int64)
    for step, beam in enumerate(beams(edges, 200), start=1):
        paths = np.column_stack([paths[beam.parent], beam.current])
        cost, score = edges.lengths[paths[:, :-1], paths[:, 1:]], edges.scores[paths[:, :-1], paths[:, 1:]]
        np.testing.assert_allclose(beam.cost, cost.sum(axis=1))
        np.testing.assert_allclose(beam.score, score.sum(axis=1))
        assert edges.allowed[paths[:, :-1], paths[:, 1:]].all()
        assert (beam.visited.sum(axis=1) == step + 1).all() and np.take_along_axis(beam.visited, paths, axis=1).all()
        assert len(np.unique(np.column_stack([beam.visited, beam.current]), axis=0)) == len(beam.cost) <= 200
        unvisited = ~beam.visited
        left = np.einsum("bi,bj,ij->b", unvisited, unvisited | (np.arange(70) == 0), edges.weights)
        np.testing.assert_allclose(beam.potential, left, atol=1e-10)


def test_cities_that_coincide_are_no_trouble() -> None:
    cities = np.array([[0, 0], [1, 0], [0, 0], [1, 0], [1, 0]])
    for score in ("cost", "costheatmap", "costheatmap_potential"):
        assert length(cities, dpdp(cities, score=score)) == 2
        assert length(np.zeros((4, 2)), dpdp(np.zeros((4, 2)), score=score)) == 0


def test_the_threshold_of_lengths_can_be_that_of_a_heatmap() -> None:
    rng = np.random.default_rng(3)
    cities = rng.random((10, 2))
    heat = np.full((10, 10), -9.0)
    heat[np.arange(10), np.roll(np.arange(10), -1)] = -0.1
    assert same(dpdp(cities, heat, score="cost", threshold=0.5), np.arange(10))
    assert not same(dpdp(cities, score="cost"), np.arange(10))


def test_impossible_edges_are_last() -> None:
    """Probabilities too small for a number are 0; they cost a heatmap_logp everything."""
    cities = np.random.default_rng(4).random((8, 2))
    heat = np.full((8, 8), -1e9)
    heat[np.arange(8), np.roll(np.arange(8), -1)] = 0.0
    for score in ("heatmap", "heatmap_logp", "heatmap_potential"):
        assert same(dpdp(cities, heat, beam_size=1, score=score), np.arange(8))


def test_a_beam_that_finds_no_tour_says_what_to_relax() -> None:
    cities = np.array([[0.0, 0], [0, 1], [1, 0], [9, 9], [9, 8], [8, 9]])
    with pytest.raises(
        SymbenchError, match=r"no allowed edge leads on at step 3 of 5; take more neighbours than knn=2"
    ):
        dpdp(cities, score="cost", knn=2)
    heat = np.log(np.full((6, 6), 0.2))
    with pytest.raises(SymbenchError, match=r"found no tour.*step 1 of 5; lower the threshold of 0.2, or a beam_size"):
        dpdp(cities, heat, threshold=0.2 + 1e-9)
    heat[0, 2:] = heat[2:, 0] = -9
    with pytest.raises(
        SymbenchError, match=r"leads back to city 0; lower the threshold of 0.1, or a beam_size above 7"
    ):
        dpdp(cities, heat, threshold=0.1, beam_size=7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score": "heat"}, "unknown score 'heat'; did you mean 'heatmap'"),
        ({"score": "heatmap"}, "score 'heatmap' needs a heatmap"),
        ({"log_heatmap": np.zeros((4, 5))}, r"must have shape \(5, 5\), received \(4, 5\)"),
        ({"log_heatmap": np.ones((5, 5))}, "numbers up to 0"),
        ({"log_heatmap": np.full((5, 5), np.nan)}, "no NaN"),
        ({"score": "cost", "beam_size": 0}, "beam_size must be at least 1, received 0"),
        ({"score": "cost", "knn": 0}, "knn must be at least 1, received 0"),
        ({"score": "cost", "knn": 3, "threshold": 0.1}, "set one of them to None"),
        ({"score": "cost", "cities": np.zeros((5, 3))}, r"shape \(n, 2\), received shape \(5, 3\)"),
        ({"score": "cost", "cities": np.full((5, 2), np.inf)}, "finite"),
    ],
)
def test_mistakes(options: dict, message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        dpdp(**{"cities": np.random.default_rng(0).random((5, 2)), **options})
