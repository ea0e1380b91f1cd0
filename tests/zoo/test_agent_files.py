from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hostile_cases import SCENES, SMALL, acted_in, observations_of, shape_of
from safetensors.torch import save_file

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS, AttentionNeuronNetwork, MLPNetwork
from symbench.zoo import agent_files, bundled, load_agent, load_card, load_network, save_agent

ONE = spaces.Box(-1, 1, (1,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An agent on disk, in a folder that did not exist, under a name with a dot."""
    path = tmp_path / "agents" / "lr0.001"
    save_agent(MLPNetwork(5, ONE, hidden=(8,)), path, {"agent": "mlp", "score": [1.5, None]})
    return path


def edit_card(path: Path, **changes: object) -> None:
    file = path.with_name(path.name + ".json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("kind", NETWORKS)
def test_agent_acts_the_same_after_saving(kind: str, tmp_path: Path) -> None:
    mirror = {"group": "C2", "observation": {"signs": [[-1, -1, 1, -1, -1]]}}
    fixed = ("mlp", "unshuffler", "history-mlp", "gru")
    needed: dict[str, Any] = {**{each: {"num_sensors": 5} for each in fixed}, "equivariant-mlp": mirror}
    sensors = {"agents": 1} if NETWORKS[kind].of_team else needed.get(kind, {})
    sensors = SMALL[kind] if kind in SCENES else sensors
    space = acted_in(kind, spaces.Box(np.float32([-1.0, 0.0]), 0.5))
    network = NETWORKS[kind](action_space=space, **sensors).eval()
    save_agent(network, tmp_path / "agent", {})
    agent = load_agent(tmp_path / "agent")
    assert agent.name == "agent"
    agent.reset(2)
    state = network.initial_state(2, *shape_of(observations_of(network, 2)))
    for t in range(3):
        observations = observations_of(network, 2, seed=t)
        with torch.inference_mode():  # as agents act
            expected, state = network(network.read(observations), state)
        np.testing.assert_array_equal(agent.act(observations), expected.numpy())


def test_card_holds_what_was_given(path: Path) -> None:
    card = load_card(path)
    assert card["score"] == [1.5, None]
    assert (card["format"], card["kind"], card["config"]["hidden"]) == (3, "mlp", [8])
    assert load_agent(path).name == "mlp"


@pytest.mark.parametrize("suffix", ["", ".json", ".safetensors"])
def test_suffix_may_be_given(path: Path, suffix: str) -> None:
    assert load_agent(f"{path}{suffix}").name == "mlp"


def test_saving_leaves_nothing_else(path: Path) -> None:
    assert sorted(file.name for file in path.parent.iterdir()) == ["lr0.001.json", "lr0.001.safetensors"]


def test_failed_saving_keeps_the_old_agent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = load_agent(path).network.state_dict()

    write = Path.write_bytes

    def full(file: Path, content: bytes) -> int:
        if ".json" in file.name:
            raise OSError(28, "No space left on device")
        return write(file, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        save_agent(MLPNetwork(5, ONE, hidden=(8,)), path, {})
    assert sorted(file.name for file in path.parent.iterdir()) == ["lr0.001.json", "lr0.001.safetensors"]
    assert all(torch.equal(before[name], tensor) for name, tensor in load_agent(path).network.state_dict().items())


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_missing_file_is_named(path: Path, suffix: str) -> None:
    path.with_name(path.name + suffix).unlink()
    with pytest.raises(SymbenchError, match=rf"lr0.001\{suffix} does not exist; an agent is a pair of files"):
        load_agent(path)


def test_truncated_weights_are_named(path: Path) -> None:
    file = path.with_name(path.name + ".safetensors")
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(SymbenchError, match=r"lr0.001.safetensors is corrupt or not a safetensors file"):
        load_agent(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100])
def test_foreign_weights_are_named(path: Path, content: bytes) -> None:
    path.with_name(path.name + ".safetensors").write_bytes(content)
    with pytest.raises(SymbenchError, match="is corrupt or not a safetensors file"):
        load_agent(path)


def test_weights_of_another_shape_are_named(path: Path) -> None:
    tensors = {**MLPNetwork(6, ONE, hidden=(8,)).state_dict()}
    save_file(tensors, path.with_name(path.name + ".safetensors"))
    with pytest.raises(SymbenchError, match=r"'head.0.weight' has shape \(8, 6\), the card asks for \(8, 5\)"):
        load_agent(path)


def test_missing_and_surplus_weights_are_named(path: Path) -> None:
    file = path.with_name(path.name + ".safetensors")
    tensors = MLPNetwork(5, ONE, hidden=(8,)).state_dict()
    save_file({**tensors, "zzz": torch.zeros(1)}, file)
    with pytest.raises(SymbenchError, match=r"'zzz' has shape \(1,\), the card asks for no such tensor"):
        load_agent(path)
    del tensors["head.2.bias"]
    save_file(tensors, file)
    with pytest.raises(SymbenchError, match=r"'head.2.bias' is missing, the card asks for \(1,\)"):
        load_agent(path)


@pytest.mark.parametrize("text", ["", "{", "\xff", "null", "[1]", '{"kind": "mlp"}'])
def test_broken_card_is_named(path: Path, text: str) -> None:
    path.with_name(path.name + ".json").write_text(text, encoding="latin-1")
    with pytest.raises(SymbenchError, match=r"lr0.001.json is not (a JSON file|an agent's card)"):
        load_agent(path)


def test_unknown_architecture_has_near_matches(path: Path) -> None:
    edit_card(path, kind="attention-neurons")
    with pytest.raises(
        SymbenchError, match=r"unknown architecture 'attention-neurons'; did you mean 'attention-neuron'"
    ):
        load_agent(path)


@pytest.mark.parametrize(
    "config", [None, [], {}, {"num_sensors": 5}, {"num_sensors": 5, "action_space": {"discrete": -1}}, {"x": 1}]
)
def test_wrong_config_is_named(path: Path, config: object) -> None:
    edit_card(path, config=config)
    with pytest.raises(SymbenchError, match=r"'config' does not describe a network of kind 'mlp'"):
        load_agent(path)


def test_format_of_the_future_is_refused(path: Path) -> None:
    for other in (4, 0, True, "2", [1], None):
        edit_card(path, format=other)
        with pytest.raises(SymbenchError, match=r"has format .*; this version of symbench reads formats 1 to 3"):
            load_agent(path)


def test_bundled_lists_training_runs_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_files, "WEIGHTS", tmp_path)
    for agent, runs in (("mlp", (0, 2, 10)), ("attention-neuron", (0,))):
        for run in runs:
            save_agent(AttentionNeuronNetwork(ONE), tmp_path / "Task" / agent / f"s{run}", {})
    found = bundled("Task")
    assert list(found) == ["attention-neuron", "mlp"]
    assert [path.name for path in found["mlp"]] == ["s0", "s2", "s10"]
    assert bundled("Other") == {}


def test_every_bundled_agent_loads() -> None:
    for task in (folder.name for folder in agent_files.WEIGHTS.iterdir() if folder.is_dir()):
        for paths in bundled(task).values():
            for path in paths:
                assert load_network(path).kind in agent_files.KINDS


def test_weights_that_are_not_finite_are_refused(path: Path) -> None:
    network = MLPNetwork(5, ONE, hidden=(8,))
    with torch.no_grad():
        network.head[0].weight[0, 0] = float("nan")
    save_agent(network, path, {"agent": "mlp"})
    with pytest.raises(SymbenchError, match=r"corrupt: head\.0\.weight hold numbers that are not finite"):
        load_agent(path)
