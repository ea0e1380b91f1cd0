"""Cards of earlier versions: their agents go on playing as they did, and what they lack is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hostile_cases import SCENES, SMALL, card_of, observations_of, refused, shape_of, write_card

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS, EquivariantMLPNetwork, MLPNetwork
from symbench.runner.agents import load, resolve
from symbench.tasks import TASKS, get_task
from symbench.zoo import bundled, load_agent, load_card, save_agent
from symbench.zoo.card_formats import FORMAT, upgrade

ACTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "discrete": ({"action_dim": 2, "output": "discrete", "low": -1.0, "high": 1.0}, {"discrete": 2}),
    "one bound for all": (
        {"action_dim": 2, "output": "tanh", "low": -2, "high": 0.5},
        {"low": [-2.0, -2.0], "high": [0.5, 0.5], "squash": "tanh"},
    ),
    "a bound for each": (
        {"action_dim": 2, "output": "clip", "low": [-1.0, 0.0], "high": 0.5},
        {"low": [-1.0, 0.0], "high": [0.5, 0.5], "squash": "clip"},
    ),
}


def written(network: Any, path: Path, version: int, **settings: Any) -> Path:
    """An agent whose card is of an earlier format: other settings in place of ``action_space``."""
    save_agent(network, path, {"agent": "old"})
    card = card_of(path)
    assert card["format"] == FORMAT
    config = {name: value for name, value in card["config"].items() if name != "action_space"}
    if version == 1:
        config = {"arm" if name == "basis" else name: value for name, value in config.items()}
    write_card(path, {**card, "format": version, "config": {**config, **settings}})
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("kind", [kind for kind in NETWORKS if kind not in SCENES])  # younger than the formats
def test_an_older_card_describes_the_same_network(kind: str, actions: str, version: int, tmp_path: Path) -> None:
    before, now = ACTIONS[actions]
    network = NETWORKS[kind](action_space=now, **SMALL[kind]).eval()
    if kind == "attention-agent":  # the setting is younger than the formats
        before = {**before, "as_published": True}
    agent = load_agent(written(network, tmp_path / "a", version, **before))
    assert agent.network.config() == network.config()
    seen = observations_of(network, 3)
    agent.reset(3)
    read = network.read(seen)
    with torch.inference_mode():
        expected, _ = network(read, network.initial_state(3, *shape_of(seen)))
    np.testing.assert_array_equal(agent.act(seen), expected.numpy())
    save_agent(agent.network, tmp_path / "new", {})
    assert card_of(tmp_path / "new")["format"] == FORMAT
    assert load_agent(tmp_path / "new").network.config() == network.config()


def test_bases_had_another_name_in_the_first_format(tmp_path: Path) -> None:
    mirror: dict[str, Any] = {"group": "C2", "observation": {"signs": [[-1, -1]]}, "action": {"maps": [[1, 0]]}}
    network = EquivariantMLPNetwork(spaces.Discrete(2), **mirror, hidden=[4], basis="random")
    path = written(network, tmp_path / "agent", 1, **ACTIONS["discrete"][0])
    assert card_of(path)["config"]["arm"] == "random"
    assert load_agent(path).network.config() == network.config()
    for version in (2, 3):
        write_card(path, {**card_of(path), "format": version})
        with pytest.raises(SymbenchError, match=r"unknown setting '(arm|action_dim)'"):
            load_agent(path)


@pytest.mark.parametrize("version", [1, 2])
def test_agents_saved_before_a_setting_existed_play_as_they_did(version: int, tmp_path: Path) -> None:
    kind, (before, now) = "attention-agent", ACTIONS["one bound for all"]
    path = written(NETWORKS[kind](action_space=now, **SMALL[kind]), tmp_path / "a", version, **before)
    card = card_of(path)
    assert card["config"].pop("as_published") is True
    write_card(path, card)
    network = load_agent(path).network
    frames = torch.randint(0, 256, (1, 43, 43, 3), dtype=torch.uint8)
    pixels = frames.permute(0, 3, 1, 2) / 255.0
    assert torch.equal(network.features(frames), torch.nn.functional.unfold(pixels, 7, stride=4).transpose(1, 2))
    assert network.head.places[0].tolist() == pytest.approx([3.5 / 43] * 2)
    assert network.head.factor == 1.0
    assert network.config()["as_published"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action_dim": True}, "action_dim must be a whole number .* received True"),
        ({"action_dim": 0}, "action_dim must be a whole number .* received 0"),
        ({"action_dim": 10**9}, "action_dim must be a whole number from 1 to 100,000, received 1000000000"),
        ({"output": "softplus"}, "squash must be one of .* received 'softplus'"),
        ({"low": [0]}, r"there are 2 actions, received bounds .*'low': \[0\]"),
        ({"low": float("nan")}, "can be equal to `np.nan`"),
        ({"low": 2.0}, "low values must be less than or equal to high"),
        ({"high": "x"}, "could not convert"),
    ],
)
def test_what_is_odd_in_an_older_card_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    before, now = ACTIONS["a bound for each"]
    path = written(MLPNetwork(5, now, hidden=(8,)), tmp_path / "a", 2, **{**before, **changes})
    with pytest.raises(SymbenchError, match=f"a.json: 'config' does not describe a network .*{message}"):
        load_agent(path)


@pytest.mark.parametrize("name", ["action_dim", "output", "low", "high"])
def test_what_an_older_card_lacks_is_named(name: str, tmp_path: Path) -> None:
    before, now = ACTIONS["a bound for each"]
    rest = {key: value for key, value in before.items() if key != name}
    path = written(MLPNetwork(5, now, hidden=(8,)), tmp_path / "a", 2, **rest)
    assert f"({name} is missing)" in str(refused(load_agent, path))


def test_what_is_given_is_not_changed() -> None:
    before = {"arm": "nullspace", **ACTIONS["discrete"][0]}
    whole = json.dumps(before)
    assert upgrade("equivariant-mlp", before, 1) == {"basis": "nullspace", "action_space": {"discrete": 2}}
    assert json.dumps(before) == whole
    new = {"action_space": {"discrete": 2}}
    assert upgrade("attention-agent", new, FORMAT) == new


@pytest.mark.parametrize("task", TASKS)
def test_the_bundled_agents_of_every_task_act_in_it(task: str) -> None:
    for paths in bundled(task).values():
        assert load_card(paths[0])["format"] <= FORMAT
        with get_task(task).make() as env:
            agent = load(resolve([f"{paths[0]}.json"], task)[0], env.observation_space, env.action_space)
            assert agent.incompatibility(env.observation_space, env.action_space) is None
