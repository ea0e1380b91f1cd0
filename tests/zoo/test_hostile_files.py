"""Cards, weights and archives of strangers: whatever they hold, they load or one line says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile_cases import SMALL, TWO, card_of, mutated, observations_of, refused, write_card
from safetensors.torch import save

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS, MLPNetwork, NetworkAgent
from symbench.zoo import load_agent, load_card, load_published, save_agent

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2, 7, 3.5, 1e400, float("nan"), 10**9, 10**18, 10**4000),
    *("", "x", "relu", "C4", "S6", "C300", "C999999999", "D9999 x D9999", "trivial x trivial", "x" * 5000, "a\nb"),
    *("\ud800", [], {}, [1], [[1]], [[[]]], [10**9], ["x"], [None], [1] * 3000, [-1e308], [float("inf")] * 2),
    *({"a": 1}, {"dim": 5}, {"dim": 10**6}, {"moves": ["turn"]}, {"matrices": [[[1]]]}, {"orders": [[0] * 9000]}),
    *([[1, 1, 1]], [[1, 10**6, 1]], [[4, 0, 0]], [[4, 2, -1]]),
    *({"discrete": 2}, {"discrete": 10**9}, {"discrete": 2, "quantiles": 10**9}, {"discrete": 1, "quantiles": 2}),
    *({"multi_discrete": [1, 1]}, {"multi_discrete": 2}, {"multi_discrete": [10**9] * 9}, {"multi_binary": 10**9}),
    *({"multi_discrete": []}, {"multi_binary": []}, {"low": -1, "high": 1}, {"low": [], "high": []}),
    *({"low": [[-1.0], [-1.0]], "high": [[1.0], [1.0]]}, {"low": [-1e400] * 2, "high": [0.0] * 2, "squash": "clip"}),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_agent(MLPNetwork(5, TWO, hidden=(8,)), tmp_path / "a", {"agent": "a"})
    return tmp_path / "a"


def write_weights(path: Path, dtype: torch.dtype, first: float = 0.0) -> dict[str, torch.Tensor]:
    state = MLPNetwork(5, TWO, hidden=(8,)).state_dict()
    tensors = {name: tensor.to(dtype) for name, tensor in state.items()}
    tensors["head.0.bias"][0] = first
    path.with_suffix(".safetensors").write_bytes(save(tensors))
    return tensors


def acts(path: Path) -> None:
    agent = load_agent(path)
    network, agent.name = agent.network, "an agent that loads must be able to act"
    agent.reset(2)
    for _ in range(2):
        agent.act(observations_of(network, 2))


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
def test_odd_values_in_a_card_are_refused_or_the_agent_acts(kind: str, tmp_path: Path) -> None:
    save_agent(NETWORKS[kind](action_space=TWO, **SMALL[kind]), tmp_path / "a", {"agent": "a"})
    card, messages = card_of(tmp_path / "a"), []
    for odd in ODD:
        for name in ("format", "kind", "config", "agent"):
            write_card(tmp_path / "a", {**card, name: odd})
            messages.append(refused(acts, tmp_path / "a"))
        for name in card["config"]:
            write_card(tmp_path / "a", {**card, "config": {**card["config"], name: odd}})
            messages.append(refused(acts, tmp_path / "a"))
    assert sum(message is not None for message in messages) > 0.7 * len(messages)
    write_card(tmp_path / "a", card)
    assert refused(acts, tmp_path / "a") is None


BOX = {"low": [-1.0, -1.0], "high": [1.0, 1.0], "squash": "clip"}
CONFIG = {"num_sensors": 5, "action_space": BOX, "hidden": [8]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": [5]}, r"'config' does not describe .* \(an object was expected, received \[5\]\)"),
        ({"kind": ["mlp"]}, r"unknown architecture \"\['mlp'\]\""),
        ({"agent": 7}, r"'agent': a printable name of at most 200 characters was expected, received 7"),
        ({"agent": "a\nb"}, r"'agent': a printable name"),
        ({"config": {**CONFIG, "action_space": 2}}, "action_space: .* valid dictionary, received 2"),
        ({"config": {**CONFIG, "action_space": {"discrete": True}}}, "`n` to be an integer, actual dtype.*bool"),
        ({"config": {**CONFIG, "action_space": {"discret": 2}}}, r"must be .*'discrete'.* received \{'discret': 2\}"),
        ({"config": {**CONFIG, "action_space": {**BOX, "start": 1}}}, r"must be .*'low' and 'high'.*'start': 1"),
        ({"config": {**CONFIG, "action_space": {"discrete": 2, "quantiles": 0}}}, "quantiles .* received 0"),
        ({"config": {**CONFIG, "action_space": {"discrete": 2, "quantiles": "2"}}}, "quantiles .* received '2'"),
        ({"config": {**CONFIG, "action_space": {"low": 0, "high": 1}}}, r"act in .* spaces, received Box\(\)"),
        (
            {"config": {**CONFIG, "action_space": {"multi_discrete": 2}}},
            r"act in .* spaces, received MultiDiscrete\(\)",
        ),
        ({"config": {**CONFIG, "num_sensors": 5.0}}, r"num_sensors: .* valid integer, received 5\.0"),
        ({"config": {**CONFIG, "hiden": [8]}}, "unknown setting 'hiden'; did you mean 'hidden'"),
        ({"config": {**CONFIG, "action_space": {**BOX, "low": [0]}}}, r"shape don't match, low.shape=\(1,\)"),
        ({"config": {**CONFIG, "action_space": {**BOX, "low": [float("nan"), 0]}}}, "can be equal to `np.nan`"),
        (
            {"config": {**CONFIG, "action_space": {**BOX, "low": [2, 0]}}},
            "low values must be less than or equal to high",
        ),
        ({"config": {**CONFIG, "action_space": {**BOX, "squash": "tan"}}}, "squash must be one of .* received 'tan'"),
        ({"config": {**CONFIG, "hidden": [8] * 9999}}, "many more than the 4 tensors"),
    ],
)
def test_what_is_odd_is_named(path: Path, change: dict[str, Any], message: str) -> None:
    write_card(path, {**card_of(path), **change})
    with pytest.raises(SymbenchError, match=message):
        load_agent(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "NaN", "[]", "\ud800", "[" * 40 + "]" * 40]
)
def test_cards_that_cannot_be_parsed_are_refused(path: Path, text: str) -> None:
    path.with_suffix(".json").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refused(load_card, path)
    whole = json.dumps(card_of_nothing()).replace('"here"', text)
    path.with_suffix(".json").write_bytes(whole.encode("utf-8", "surrogatepass"))
    refused(load_agent, path)


def card_of_nothing() -> dict[str, Any]:
    return {"format": 3, "kind": "mlp", "config": {"num_sensors": 5, "action_space": BOX, "hidden": "here"}}


@pytest.mark.parametrize(
    "dtype", ["float8_e4m3fn", "float8_e5m2", "bool", "complex64", "int8", "uint8", "int32", "int64"]
)
def test_weights_that_are_no_real_numbers_are_refused(path: Path, dtype: str) -> None:
    tensors = {
        name: tensor.to(getattr(torch, dtype)) for name, tensor in MLPNetwork(5, TWO, hidden=(8,)).state_dict().items()
    }
    path.with_suffix(".safetensors").write_bytes(save(tensors))
    message = refused(load_agent, path)
    assert message is not None
    assert f"holds torch.{dtype}; weights are one of float32, float64" in message


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read(path: Path, dtype: torch.dtype) -> None:
    tensors = write_weights(path, dtype)
    for name, tensor in load_agent(path).network.state_dict().items():
        assert torch.equal(tensor, tensors[name].float())


def test_numbers_too_large_for_float32_are_refused(path: Path) -> None:
    write_weights(path, torch.float64, 1e300)
    assert "head.0.bias hold numbers that are not finite" in str(refused(load_agent, path))


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_damaged_agents_load_or_one_line_says_why(path: Path, suffix: str) -> None:
    rng, file = np.random.default_rng(0), path.with_suffix(suffix)
    whole, messages = file.read_bytes(), []
    for _ in range(1500):
        file.write_bytes(mutated(whole, rng))
        messages.append(refused(load_agent, path))
    assert sum(message is not None for message in messages) > 500
    file.write_bytes(whole)
    assert isinstance(load_agent(path), NetworkAgent)


@pytest.mark.parametrize("name", ["a" * 5000, "a\0b"])
def test_names_that_no_file_can_have_are_refused(name: str) -> None:
    for load in (load_agent, load_card, lambda path: load_published("ant_pi", path)):
        with pytest.raises(SymbenchError, match="cannot be read"):
            load(name)


def test_folders_are_no_files(path: Path) -> None:
    path.with_suffix(".json").unlink()
    path.with_suffix(".json").mkdir()
    with pytest.raises(SymbenchError, match=r"a\.json is not a file"):
        load_agent(path)
    with pytest.raises(SymbenchError, match="is not a file"):
        load_published("ant_pi", path.parent)


def test_files_far_larger_than_agents_are_not_read(path: Path) -> None:
    with path.with_suffix(".safetensors").open("r+b") as file:
        file.truncate(2**31)  # takes no space on the disk
    with pytest.raises(SymbenchError, match="has 2,147,483,648 bytes, at most 1,073,741,824 are read"):
        load_agent(path)


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_network_is_built_as_before_it_was_planned(kind: str, tmp_path: Path) -> None:
    """All fixed numbers, also those that are no weights: sinusoidal tables, places, bases."""
    network = NETWORKS[kind](action_space=TWO, **SMALL[kind]).eval()
    save_agent(network, tmp_path / "a", {})
    loaded = load_agent(tmp_path / "a").network
    assert loaded.config() == network.config()
    buffers, expected = dict(loaded.named_buffers()), dict(network.named_buffers())
    assert buffers.keys() == expected.keys()
    assert all(torch.equal(buffers[name], expected[name]) for name in expected)
    assert all(torch.equal(*pair) for pair in zip(loaded.parameters(), network.parameters(), strict=True))
