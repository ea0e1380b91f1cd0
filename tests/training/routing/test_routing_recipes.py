"""Recipes of routing: what does not fit together is refused before anything is trained; the module's command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from symbench.policies import MLPNetwork
from symbench.policies.routing import AttentionModel, PomoModel, RoutingModel
from symbench.training.recipe import Ppo, Recipe, Reinforce
from symbench.training.recipe_parts import _algorithm_incompatibility
from symbench.training.routing import __main__ as module
from symbench.zoo import load_agent

SMALL = {"width": 8, "heads": 2, "layers": 1, "hidden": 8}
RECIPE = """
description = "tours of 6 cities"
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
nodes = 6
batch = 4
samples = 6
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


def test_the_command_writes_an_agent_and_its_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    monkeypatch.setattr("symbench.training.routing.reinforce.VALIDATION", 10)
    (tmp_path / "mine.toml").write_text(RECIPE)
    app = typer.Typer()
    app.command()(module.main)
    command = [str(tmp_path / "mine.toml"), "--out", str(tmp_path), "--instances", "10"]
    for _ in range(2):  # the second time it is finished
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    folder = tmp_path / "mine" / "s0"
    story = json.loads((folder / "train.json").read_text())
    assert story["curve"][-1]["done"] == 3 and 1 < story["length"] < 5
    network = load_agent(folder / "agent").network
    assert isinstance(network, RoutingModel) and network.kind == "pomo"
    result = CliRunner().invoke(app, [*command, "--set", "steps=4"])
    assert result.exit_code == 2 and "holds another training" in result.output
