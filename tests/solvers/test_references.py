"""Reference tours: found by solvers, and stored with the package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from symbench.envs.routing.cvrp import CVRPVectorEnv
from symbench.envs.routing.tours import check_routes, check_tours, route_lengths, tour_lengths
from symbench.envs.routing.tsp import TSPVectorEnv
from symbench.errors import SymbenchError
from symbench.solvers import reference_sets
from symbench.solvers.heuristics import two_opt
from symbench.solvers.reference_sets import FIRST_SEED, SETS, digest, instances_of, lengths_in, reference_set, write
from symbench.solvers.references import lkh, reference_routes, reference_tours
from symbench.solvers.savings import savings
from symbench.suites import bundled_suites, load_suite
from symbench.tasks import TASKS, GapMetric, get_task


def test_lkh_is_never_worse_than_two_opt_and_always_the_same() -> None:
    pytest.importorskip("elkai")
    cities = TSPVectorEnv(20).reset(seed=0)[0]["cities"]
    tours = reference_tours(cities, runs=1)
    check_tours(tours, 20)
    assert (tour_lengths(cities, tours) <= tour_lengths(cities, two_opt(cities)) + 1e-5).all()
    np.testing.assert_array_equal(tours[3], lkh(cities[3], runs=1))


def test_lkh_takes_cities_of_any_scale_and_coincident_ones() -> None:
    pytest.importorskip("elkai")
    cities = TSPVectorEnv(1).reset(seed=1)[0]["cities"][0].astype(np.float64)
    lengths = [tour_lengths(cities, lkh(scale * cities + 100)) for scale in (1e-3, 1.0, 1e6)]
    np.testing.assert_allclose(lengths, lengths[0], rtol=1e-5)
    check_tours(lkh(np.repeat(cities[:7], 2, axis=0)), 14)
    check_tours(lkh(np.zeros((14, 2))), 14)


@pytest.mark.parametrize("n", [2, 3])
def test_two_and_three_cities_have_one_tour(n: int) -> None:
    np.testing.assert_array_equal(reference_tours(np.zeros((4, n, 2))), np.tile(np.arange(n), (4, 1)))


def test_pyvrp_is_never_worse_than_savings() -> None:
    pytest.importorskip("pyvrp")
    drawn, _ = CVRPVectorEnv(5).reset(seed=0)
    cities, demands = drawn["cities"], drawn["demands"]
    tours = reference_routes(cities, demands, iterations=100)
    check_routes(tours, demands)
    assert (route_lengths(cities, tours) <= route_lengths(cities, savings(cities, demands)) + 1e-5).all()


@pytest.mark.parametrize(("module", "package"), [("elkai", "elkai"), ("pyvrp", "PyVRP")])
def test_a_missing_solver_is_one_line(monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SymbenchError, match=rf"references of tours need {package}: pip install 'symbench\[routing\]'"):
        if module == "elkai":
            reference_tours(np.zeros((1, 20, 2)))
        else:
            reference_routes(np.zeros((1, 21, 2)), np.zeros((1, 21)))


@pytest.mark.parametrize("name", SETS)
def test_stored_tours_are_of_the_instances_that_environments_draw(name: str) -> None:
    stored, instances = reference_set(name), instances_of(name)
    assert digest(instances) == stored.sha256 and stored.first_seed == FIRST_SEED
    check = check_routes if "demands" in instances else check_tours
    check(stored.tours, instances["demands"] if "demands" in instances else SETS[name][0])
    np.testing.assert_allclose(lengths_in(instances, stored.tours), stored.lengths, rtol=0, atol=1e-9)
    assert stored.command.endswith(name) and stored.solver.endswith("each")
    task = get_task(name)
    shown, _ = task.make().reset(seed=FIRST_SEED + 7)
    np.testing.assert_array_equal(shown["cities"], instances["cities"][7])


@pytest.mark.parametrize("name", SETS)
def test_stored_tours_are_shorter_than_those_of_heuristics(name: str) -> None:
    stored, instances = reference_set(name), instances_of(name, 100)
    if "demands" in instances:
        other = route_lengths(instances["cities"], savings(instances["cities"], instances["demands"]))
    else:
        other = tour_lengths(instances["cities"], two_opt(instances["cities"]))
    assert (stored.lengths[:100] <= other + 1e-6).all()


@pytest.mark.parametrize("name", SETS)
def test_gaps_are_to_the_same_instance(name: str) -> None:
    metric, stored = get_task(name).metric, reference_set(name)
    assert isinstance(metric, GapMetric) and metric.normalised
    assert metric.reference_return == pytest.approx(-stored.lengths.mean(), abs=0.006)
    seeds = [FIRST_SEED + 3, FIRST_SEED, FIRST_SEED + 9]
    lengths = stored.lengths[[3, 0, 9]]
    np.testing.assert_allclose(metric.gaps(seeds, [-1.1 * lengths, -lengths]), [[10] * 3, [0] * 3], atol=1e-9)
    for wrong in (FIRST_SEED - 1, FIRST_SEED + SETS[name][1]):
        with pytest.raises(SymbenchError, match=f"references of {name} are of seeds 1000000 to"):
            metric.gaps([wrong], [-1.0])


def test_the_suites_play_the_instances_whose_tours_are_stored() -> None:
    assert {load_suite(name).seed for name in bundled_suites()} == {FIRST_SEED}
    for name, (_, count, _) in SETS.items():
        assert TASKS[name].episodes <= count


def test_a_set_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("elkai")
    monkeypatch.setattr(reference_sets, "SETS", {"TSP20": (20, 5, 3)})
    with np.load(write("TSP20", tmp_path)) as again:
        np.testing.assert_allclose(again["lengths"], reference_set("TSP20").lengths[:5], atol=1e-5)


def test_unknown_sets() -> None:
    with pytest.raises(SymbenchError, match="unknown set of reference tours 'TSP21'; did you mean 'TSP20'"):
        reference_set("TSP21")
