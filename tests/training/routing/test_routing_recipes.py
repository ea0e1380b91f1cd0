"""Recipes of routing: what does not fit together is refused before anything is trained; the module's command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from symbench.policies import MLPNetwork
from symbench.policies.routing import AttentionModel, PomoModel, RoutingModel
from symbench.tasks import get_task
from symbench.training.recipe import Ppo, Recipe, Reinforce, load_recipe
from symbench.training.recipe_parts import _algorithm_incompatibility, make_network
from symbench.training.routing import __main__ as module
from symbench.training.routing import train_routing
from symbench.training.session import Session
from symbench.zoo import load_agent

SMALL = {"width": 8, "heads": 2, "layers": 1, "hidden": 8}
RECIPE = """
description = "small tours"
agent = "small"
task = "TSP20"

[network]
kind = "pomo"
width = 8
heads = 2
layers = 1
hidden = 8

[algorithm]
name = "reinforce"
steps = 3
nodes = 10
batch = 4
samples = 10
starts = true
baseline = "shared"
"""


def recipe_of(algorithm: Ppo | Reinforce) -> Recipe:
    about = {"name": "mine", "description": "mine", "agent": "mine", "task": "TSP20"}
    return Recipe(**about, network={"kind": "pomo"}, algorithm=algorithm)


@pytest.mark.parametrize(
    ("algorithm", "network", "reason"),
    [
        (Ppo(name="ppo", steps=1), AttentionModel(**SMALL), "reinforce"),
        (Reinforce(name="reinforce", steps=1), MLPNetwork(5, {"discrete": 2}), "use ppo"),
        (Reinforce(name="reinforce", steps=1), PomoModel(**SMALL), "starts = true"),
        (Reinforce(name="reinforce", steps=1), AttentionModel(**SMALL), None),
        (Reinforce(name="reinforce", steps=1, starts=True), PomoModel(**SMALL), None),
    ],
)
def test_network_and_algorithm_must_fit(algorithm: Ppo | Reinforce, network: object, reason: str | None) -> None:
    found = _algorithm_incompatibility(recipe_of(algorithm), network, None, 0)  # type: ignore[arg-type]
    assert found is None if reason is None else reason in str(found)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "samples", "starts"), [("cvrp20-am", 8, False), ("cvrp20-pomo", 20, True)])
def test_a_few_steps_of_the_recipes_of_routes_beat_random_play(
    name: str, samples: int, starts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symbench.training.routing.reinforce.VALIDATION", 10)
    plan, session = load_recipe(name, {"steps": 30, "batch": 8, "samples": samples}), Session(tmp_path, 0)
    assert isinstance(plan.algorithm, Reinforce) and (plan.algorithm.nodes, plan.algorithm.starts) == (20, starts)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = make_network(plan, 0)
    assert isinstance(model, RoutingModel) and model.problem == "cvrp"
    train_routing(plan.algorithm, model, session)
    random_return = get_task(plan.task).metric.random_return
    assert random_return is not None and session.curve[-1]["sampled"] < 0.75 * -random_return


@pytest.mark.parametrize(("task", "problem"), [("TSP20", "tsp"), ("CVRP20", "cvrp")])
def test_the_command_writes_an_agent_and_its_story(
    task: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer

    monkeypatch.setattr("symbench.training.routing.reinforce.VALIDATION", 10)
    (tmp_path / "mine.toml").write_text(RECIPE.replace("TSP20", task))
    app = typer.Typer()
    app.command()(module.main)
    command = [str(tmp_path / "mine.toml"), "--out", str(tmp_path), "--instances", "10"]
    for _ in range(2):  # the second time it is finished
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    folder = tmp_path / "mine" / "s0"
    story = json.loads((folder / "train.json").read_text())
    assert story["curve"][-1]["done"] == 3 and 2 < story["length"] < 12
    network = load_agent(folder / "agent").network
    assert isinstance(network, RoutingModel) and (network.kind, network.problem) == ("pomo", problem)
    result = CliRunner().invoke(app, [*command, "--set", "steps=4"])
    assert result.exit_code == 2 and "holds another training" in result.output
