"""Trainings: they learn, depend on their seed only, and go on after an interruption as if there had been none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from symbench.errors import SymbenchError
from symbench.policies.routing import AttentionModel, PomoModel, RoutingModel
from symbench.training.recipe import Reinforce
from symbench.training.routing import mean_length, train_routing, uniform_instances
from symbench.training.routing.uniform_instances import generator_of
from symbench.training.session import Session

SMALL = {"width": 16, "heads": 2, "layers": 1, "hidden": 32}
KINDS: dict[str, dict[str, Any]] = {
    "shared": {"samples": 4, "baseline": "shared"},
    "rollout": {"baseline": "rollout", "epoch": 3},
    "pomo": {"samples": 6, "starts": True, "baseline": "shared"},
    "symmetric": {"samples": 2, "copies": 3, "baseline": "shared", "invariance": 0.2},
    "routes": {"samples": 4, "baseline": "shared", "nodes": 10},
    "routes-rollout": {"baseline": "rollout", "epoch": 3, "nodes": 10},
    "routes-pomo": {"samples": 10, "starts": True, "baseline": "shared", "nodes": 10},
    "routes-symmetric": {"samples": 2, "copies": 3, "baseline": "shared", "invariance": 0.2, "nodes": 10},
}


@pytest.fixture(autouse=True)
def few_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.training.routing.reinforce.VALIDATION", 20)
    monkeypatch.setattr("symbench.training.routing.rollout_baseline.EVALUATION", 50)


def settings_of(kind: str, **others: Any) -> Reinforce:
    return Reinforce(**{"name": "reinforce", "steps": 8, "nodes": 6, "batch": 4, **KINDS[kind], **others})


def model_of(kind: str) -> RoutingModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PomoModel if "pomo" in kind else AttentionModel
        return model("cvrp" if "routes" in kind else "tsp", **SMALL)


def trained(kind: str, folder: Path, seed: int = 0, **others: Any) -> dict[str, torch.Tensor]:
    model = model_of(kind)
    train_routing(settings_of(kind, **others), model, Session(folder, seed))
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(weight, other[name]) for name, weight in one.items())


@pytest.mark.parametrize("kind", KINDS)
def test_weights_depend_on_the_seed_only(kind: str, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    first = trained(kind, tmp_path / "a")
    torch.rand(3)
    assert same(first, trained(kind, tmp_path / "b"))
    assert not same(first, trained(kind, tmp_path / "c", seed=1))
    torch.random.set_rng_state(before)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_training_goes_on(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(kind, tmp_path / "whole")
    monkeypatch.setattr("symbench.training.session.CHECKPOINT_SECONDS", 0.0)
    show, shown = Session.show, []

    def interrupted(session: Session, *arguments: Any) -> None:
        shown.append(arguments)
        if len(shown) == 6:
            raise KeyboardInterrupt
        show(session, *arguments)

    monkeypatch.setattr(Session, "show", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(kind, tmp_path / "parts")
    assert same(whole, trained(kind, tmp_path / "parts"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_tours_become_shorter(kind: str, tmp_path: Path) -> None:
    settings = settings_of(kind, steps=150, batch=32, learning_rate=3e-3, epoch=50)
    before = mean_length(model_of(kind), settings.nodes, 200)
    model = model_of(kind)
    train_routing(settings, model, Session(tmp_path, 0))
    assert mean_length(model, settings.nodes, 200) < before - 0.02


def test_instances_are_those_of_the_literature() -> None:
    tsp = uniform_instances("tsp", 500, 20, generator_of(0))["cities"]
    assert tsp.shape == (500, 20, 2) and tsp.dtype == torch.float32
    assert 0 <= tsp.min() and tsp.max() < 1 and abs(float(tsp.mean()) - 0.5) < 0.01
    cvrp = uniform_instances("cvrp", 500, 20, generator_of(0))
    assert cvrp["cities"].shape == (500, 21, 2) and not cvrp["demands"][:, 0].any()
    assert sorted((cvrp["demands"][:, 1:] * 30).round().unique().tolist()) == list(range(1, 10))
    with pytest.raises(SymbenchError, match="capacity"):
        uniform_instances("cvrp", 1, 21, generator_of(0))


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"samples": 1}, "at least 2 samples"),
        ({"copies": 2, "baseline": "rollout"}, "shared"),
        ({"invariance": 0.1}, "copies = 2"),
        ({"starts": True, "samples": 7}, "6 starts"),
    ],
)
def test_settings_that_contradict_each_other(others: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of("shared", **others)
