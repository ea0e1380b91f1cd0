"""An edge scorer learns which edges shortest tours have, and guides beams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from symbench.errors import SymbenchError
from symbench.policies.routing.edge_scorer import EdgeScorer
from symbench.solvers.held_karp import held_karp
from symbench.training.routing.edge_scorer_training import (
    EdgeScorerSettings,
    edge_loss,
    measure_gap,
    train_edge_scorer,
)
from symbench.training.routing.shortest_tours import SolvedInstances, solved_instances
from symbench.training.routing.train_edge_scorer import main
from symbench.zoo import load_card, load_network

SMALL = {"width": 16, "layers": 2, "neighbours": 6, "vectors": 2}


def settings(steps: int, **changes: Any) -> EdgeScorerSettings:
    return EdgeScorerSettings(
        **{"instances": {7: 100, 10: 60}, "steps": steps, "cities": 200, "network": SMALL, **changes}
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Instances that Held-Karp solved, where those of LKH would be."""
    folder = tmp_path_factory.mktemp("solved")
    for n, count, seed in ((7, 100, 0), (10, 60, 0), (10, 40, 1)):
        cities = np.random.default_rng([n, seed]).random((count, n, 2), np.float32)
        np.savez(folder / f"tsp-{n}-{count}-s{seed}.npz", cities=cities, tours=[held_karp(each) for each in cities])
    return folder


def without_time(story: dict[str, Any]) -> dict[str, Any]:
    curve = [{key: value for key, value in row.items() if key != "seconds"} for row in story["curve"]]
    return {**story, "training_seconds": None, "curve": curve}


@pytest.mark.slow
def test_it_learns(cache: Path, tmp_path: Path) -> None:
    story = train_edge_scorer(settings(80), tmp_path, test={10: 40}, beam_size=2, cache=cache)
    losses = [row["loss"] for row in story["curve"]]
    assert losses[-1] < 0.75 * losses[0]
    test = solved_instances(10, 40, 1, cache)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        untrained = measure_gap(EdgeScorer(**SMALL), test, beam_size=2)
    trained = load_network(tmp_path / "edge-scorer" / "s0" / "agent")
    assert isinstance(trained, EdgeScorer)
    assert load_card(tmp_path / "edge-scorer" / "s0" / "agent")["gaps"] == story["gaps"]
    assert story["gaps"] == {"10": pytest.approx(measure_gap(trained, test, beam_size=2))}
    assert 0 <= story["gaps"]["10"] < untrained / 2
    assert measure_gap(trained, test, beam_size=1000) <= story["gaps"]["10"]
    assert json.loads((tmp_path / "edge-scorer" / "s0" / "train.json").read_text())["gaps"] == story["gaps"]


@pytest.mark.slow
def test_a_run_that_was_interrupted_is_the_run_that_was_not(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symbench.training.session.CHECKPOINT_SECONDS", 0.0)
    whole = train_edge_scorer(settings(8), tmp_path / "whole", 1, cache=cache)
    calls, step = iter(range(100)), torch.optim.Adam.step

    def stopped(*arguments: Any) -> Any:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return step(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="the last checkpoint"):
        patch.setattr(torch.optim.Adam, "step", stopped)
        train_edge_scorer(settings(8), tmp_path / "parts", 1, cache=cache)
    parts = train_edge_scorer(settings(8), tmp_path / "parts", 1, cache=cache)
    assert without_time(parts) == without_time(whole)
    weights = "edge-scorer/s1/agent.safetensors"
    assert (tmp_path / "parts" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
    assert train_edge_scorer(settings(8), tmp_path / "parts", 1, cache=cache) == parts  # not trained again


def test_the_loss_is_that_of_edges_of_the_tour(cache: Path) -> None:
    instances = SolvedInstances(*(each[:3] for each in solved_instances(7, 100, 0, cache)))
    scorer = EdgeScorer(**{**SMALL, "neighbours": 10})
    log_p = scorer(torch.from_numpy(instances.cities)).detach().double()
    total = 0.0
    for heat, tour in zip(log_p, instances.tours.tolist(), strict=True):
        edges = {frozenset(pair) for pair in zip(tour, tour[1:] + tour[:1], strict=True)}
        for i in range(7):
            for j in range(i):
                p = float(heat[i, j].exp())
                total -= np.log(p if frozenset([i, j]) in edges else 1 - p)
    assert float(edge_loss(scorer, instances).detach()) == pytest.approx(total / (3 * 21), rel=1e-4)


def test_where_probable_edges_make_no_tour_all_are_allowed(cache: Path) -> None:
    instances = SolvedInstances(*(each[:5] for each in solved_instances(10, 40, 1, cache)))

    class Doubtful(EdgeScorer):
        def forward(self, cities: torch.Tensor) -> torch.Tensor:
            return torch.full((len(cities), 10, 10), -14.0)

    assert measure_gap(Doubtful(), instances, beam_size=10**5) == pytest.approx(0, abs=1e-6)


def test_lkh_solves_instances_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("elkai", reason="needs elkai")
    solved = solved_instances(13, 5, 3, tmp_path)
    assert solved.cities.shape == (5, 13, 2) and (np.sort(solved.tours, axis=1) == np.arange(13)).all()
    for cities, tour in zip(*solved, strict=True):
        shortest = held_karp(cities)
        assert np.isin(np.roll(tour, -int(np.argmin(tour)))[[1, -1]], shortest[[1, -1]]).all()
    monkeypatch.setattr("symbench.training.routing.shortest_tours.reference_tours", None)
    again = solved_instances(13, 5, 3, tmp_path)
    assert (again.tours == solved.tours).all() and (again.cities == solved.cities).all()


@pytest.mark.slow
def test_mistakes(cache: Path, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"diverged in step .*; take a smaller learning rate"):
        train_edge_scorer(settings(200, learning_rate=1e30), tmp_path / "a", cache=cache)
    train_edge_scorer(settings(1), tmp_path / "b", cache=cache)
    with pytest.raises(SymbenchError, match="holds another training"):
        train_edge_scorer(settings(2), tmp_path / "b", cache=cache)
    with pytest.raises(SymbenchError, match="n of at least 3"):
        solved_instances(2, 1, 0, cache)


@pytest.mark.slow
def test_on_the_command_line(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.training.routing.shortest_tours.cache_folder", lambda: cache)
    app = typer.Typer()
    app.command()(main)
    call = ["--train", "10:60", "--test", "10:40", "--steps", "2", "--beam-size", "5", "-o", str(tmp_path)]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0 and "TSP10: gap " in done.output and "with beams of 5" in done.output, done.output
    wrong = CliRunner().invoke(app, ["--train", "10", "-o", str(tmp_path)])
    assert wrong.exit_code == 2 and "instances are N:COUNT, like 20:40000, received 10" in wrong.output
