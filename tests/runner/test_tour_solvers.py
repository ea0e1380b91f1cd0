"""Solvers and ways to decode as agents: which tasks know them, what their digests cover, and what they play."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.policies.routing import AttentionModel, DistanceModel, EdgeScorer
from symbench.runner.agents import resolve
from symbench.runner.cell import Cell
from symbench.runner.evaluate import evaluate
from symbench.runner.measures import POLICY, measure
from symbench.runner.pipeline import describe
from symbench.runner.run_suite import make_plan
from symbench.suites import load_suite
from symbench.tasks import GapMetric, get_task
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"width": 16, "heads": 2, "layers": 1, "hidden": 16}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    save_agent(AttentionModel(**SMALL), tmp_path / "am", {"agent": "am"})
    save_agent(DistanceModel(**SMALL), tmp_path / "distances", {"agent": "distances"})
    save_agent(EdgeScorer(width=8, layers=1), tmp_path / "scorer", {"agent": "scorer"})
    return tmp_path


def cell(spec: str, task: str = "TSP20", level: str = "in-place", episodes: int = 4) -> Cell:
    planned = make_plan(load_suite("routing"), tasks=[task], agents=[spec], episodes=episodes)
    return next(each for each in planned.cells if each.agent != "random" and each.level == level)


def test_tasks_with_tours_know_their_solvers_and_others_do_not() -> None:
    for task, known, strange in (
        ("TSP20", ["nearest-neighbour", "farthest-insertion", "two-opt", "dpdp"], "savings"),
        ("CVRP20", ["savings"], "two-opt"),
    ):
        with pytest.raises(SymbenchError, match="unknown agent") as caught:
            resolve(["zzz"], task)
        assert all(name in str(caught.value) for name in known) and strange not in str(caught.value)
    with pytest.raises(SymbenchError, match="unknown agent 'two-opt' for CartPole-v1") as caught:
        resolve(["two-opt"], "CartPole-v1")
    assert "nearest-neighbour" not in str(caught.value)
    assert resolve(["two-opt"], "symbench/TSP-v0?n=30")[0].kind == "solver"


def test_digests_cover_the_solver_its_file_and_the_way(models: Path) -> None:
    specs = ["two-opt", "nearest-neighbour", f"{models}/am", f"{models}/am,decode=greedy", f"{models}/am,decode=x8",
             f"{models}/scorer.safetensors", f"{models}/scorer,decode=beam:7"]  # fmt: skip
    digests = [resolve([spec], "TSP20")[0].digest for spec in specs]
    assert None not in digests and len(set(digests)) == len(specs)
    assert resolve(["mine=two-opt"], "TSP20")[0].digest == digests[0]
    save_agent(EdgeScorer(width=8, layers=2), models / "scorer", {"agent": "scorer"})
    assert resolve([specs[5]], "TSP20")[0].digest != digests[5]


def test_mistakes_are_found_when_the_run_is_planned(models: Path) -> None:
    for spec, task, problem in (
        ("savings", "TSP20", "savings plans tours of cvrp, the task gives instances of tsp"),
        (f"{models}/am", "CVRP20", "reads instances of tsp"),
        (f"{models}/am,decode=x8", "CVRP20", "plans tours of tsp, the task gives instances of cvrp"),
        (f"{models}/scorer", "CVRP20", "plans tours of tsp"),
        ("random,decode=x8", "TSP20", "decode is no option of random play"),
        (f"{models}/am,decode=sample", "TSP20", "expected decode=greedy, sample:N"),
    ):
        with pytest.raises(SymbenchError, match=problem):
            cell(spec, task)
    with pytest.raises(SymbenchError, match="agent 'mlp' is a mlp: decode is an option of models that build tours"):
        make_plan(load_suite("shuffle"), tasks=["CartPole-v1"], agents=["mlp,decode=greedy"])


def test_gaps_are_those_of_the_heuristics() -> None:
    gaps = {}
    for agent in ("nearest-neighbour", "farthest-insertion", "two-opt"):
        episodes = evaluate(cell(agent, episodes=200))
        metric = get_task("TSP20").metric
        assert isinstance(metric, GapMetric)
        gaps[agent] = float(metric.gaps(episodes.seeds, episodes.returns).mean())
    assert 12 < gaps["nearest-neighbour"] < 25
    assert 0 < gaps["two-opt"] < 6 and 0 < gaps["farthest-insertion"] < 6


def test_the_pipeline_says_who_plans() -> None:
    told = dict(describe(cell("two-opt")))
    assert told["agent's own"] == "whole tours by two-opt, planned at the first observation of an episode"
    assert told["agent"].startswith("two-opt, training run 0 (a solver of tours, sha256 ")


@pytest.mark.parametrize("decode", ["", ",decode=sample:3", ",decode=beam:4"])
def test_the_invariant_model_keeps_its_tours_and_the_plain_one_does_not(decode: str, models: Path) -> None:
    for level in ("rotated", "moved", "scaled"):
        for name, keeps in (("distances", True), ("am", False)):
            plain, turned = (evaluate(cell(f"{models}/{name}{decode}", level=at)).returns for at in ("in-place", level))
            assert np.allclose(plain, turned, rtol=1e-6) == keeps, (name, level)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["mirrored", "relabelled", "scaled"])
def test_errors_of_equivariance_are_measured(level: str, models: Path) -> None:
    invariant, plain = (measure(cell(f"{models}/{name}", level=level))[POLICY] for name in ("distances", "am"))
    assert invariant < 1e-4
    assert (plain < 1e-4) == (level == "relabelled")
    assert measure(cell("two-opt", level=level)) == {}


def test_lkh_finds_the_references() -> None:
    pytest.importorskip("elkai")
    from symbench.solvers.reference_sets import reference_set

    episodes = evaluate(cell("lkh"))
    np.testing.assert_allclose(-episodes.returns, reference_set("TSP20").lengths_of(episodes.seeds), rtol=1e-6)


def test_distances_guide_beams_and_a_wider_one_is_another_agent() -> None:
    narrow, wide = (cell(spec, episodes=3) for spec in ("dpdp,decode=beam:2", "dpdp"))
    assert narrow.source.digest != wide.source.digest
    assert (evaluate(narrow).returns < evaluate(wide).returns).all()
    assert "DPDP with beams of 1000, guided by distances" in dict(describe(wide))["agent's own"]


def test_pyvrp_finds_the_references_and_the_same_routes_again() -> None:
    pytest.importorskip("pyvrp")
    first, again = (evaluate(cell("pyvrp", "CVRP20")) for _ in range(2))
    np.testing.assert_array_equal(first.returns, again.returns)
    metric = get_task("CVRP20").metric
    assert isinstance(metric, GapMetric)
    assert abs(metric.gaps(first.seeds, first.returns)).max() < 1  # another version may find others
    assert (first.returns >= evaluate(cell("savings", "CVRP20")).returns - 1e-5).all()


@pytest.mark.parametrize(("agent", "task", "package"), [("lkh", "TSP20", "elkai"), ("pyvrp", "CVRP20", "PyVRP")])
def test_a_missing_solver_is_one_line(agent: str, task: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package.lower(), None)
    with pytest.raises(SymbenchError, match=rf"^agents called {agent} need {package}: pip install 'symbench\[routing"):
        resolve([agent], task)


def test_an_edge_scorer_guides_beams(models: Path) -> None:
    narrow, wide = (evaluate(cell(f"{models}/scorer,decode=beam:{width}", episodes=3)).returns for width in (1, 300))
    assert wide.mean() > narrow.mean()
