"""Every algorithm trains every network that it can train, whole, and models and policies survive saving."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile_cases import ROUTING
from sb3_cases import ACTIONS, ALGORITHMS, COMBINATIONS, FRAMES, TABLES, TEAMS, TRAINED, Toy, batch_of, model_of, toy_of
from stable_baselines3.common.policies import BasePolicy

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS
from symbench.policies.sb3 import POLICIES, training_table, trains
from symbench.zoo import load_sb3

STEPS = int(os.environ.get("SYMBENCH_TRAINING_STEPS", "128"))  # the table in the documentation was made with 2000
REFUSED = [combination for combination in COMBINATIONS if combination not in TRAINED]


def answers_of(policy: BasePolicy, observations: Any) -> list[np.ndarray]:
    """Likeliest actions, and for a recurrent policy the states behind them."""
    actions, states = policy.predict(observations, deterministic=True)
    return [actions, *(states or ())]


def assert_same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_cases_are_all_there_are() -> None:
    assert ALGORITHMS.keys() == POLICIES.keys() and NETWORKS.keys() - TABLES.keys() == set(
        ROUTING
    )  # these learn whole tours
    assert len(TRAINED) > 100 and len(REFUSED) > 20


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "form"), TRAINED)
def test_every_algorithm_trains_every_part_of_a_network_and_keeps_it(
    name: str, kind: str, form: str, tmp_path: Path
) -> None:
    model = model_of(name, kind, form)
    policy, observations = model.policy, batch_of(model.observation_space)
    before = {key: tensor.clone() for key, tensor in policy.state_dict().items()}
    model.learn(STEPS)
    after = policy.state_dict()
    # What is added to all scores of a softmax has no effect.
    learning = [key for key in after if not key.endswith(("key.bias", "key.0.bias"))]
    assert [key for key in learning if torch.equal(before[key], after[key]) and "target" not in key] == []
    assert all(tensor.isfinite().all() for tensor in after.values())

    expected = answers_of(policy, observations)
    model.save(tmp_path / "model")
    loaded = ALGORITHMS[name][0].load(tmp_path / "model", device="cpu")
    assert_same(answers_of(loaded.policy, observations), expected)
    assert loaded.policy.network.config() == policy.network.config()
    assert loaded.policy.state_dict().keys() == after.keys()
    policy.save(tmp_path / "policy")
    alone = POLICIES[name].load(tmp_path / "policy", device="cpu")
    assert_same(answers_of(alone, observations), expected)
    assert all(torch.equal(tensor, alone.state_dict()[key]) for key, tensor in after.items())


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_loaded_model_goes_on_training(name: str, tmp_path: Path) -> None:
    form = next(form for each, _, form in TRAINED if each == name)
    model = model_of(name, "attention-neuron", form).learn(32)
    model.save(tmp_path / "model")
    loaded = ALGORITHMS[name][0].load(tmp_path / "model", env=model.get_env(), device="cpu")
    before = [parameter.clone() for parameter in loaded.policy.network.parameters()]
    loaded.learn(64)
    assert not all(map(torch.equal, before, loaded.policy.network.parameters()))


@pytest.mark.parametrize(("name", "kind", "form"), REFUSED)
def test_what_an_algorithm_cannot_train_is_refused_with_what_can(name: str, kind: str, form: str) -> None:
    team = f"{kind} chooses for several agents at once, which have no table of values; train it with PPO"
    more = "remembers more than a wrapper can show; train it with RecurrentPPO, by imitation or by evolution"
    said = {
        **dict.fromkeys(TEAMS, team),
        "attention-agent": "makes choices that have no gradient; train it by evolution, or give it a sort_temperature",
        **{
            each: f"{each} makes choices that have no gradient; train it by a recipe with the algorithm"
            for each in ("unshuffler", "patch-unshuffler")
        },
        **{each: f"{each} {more}" for each in ("recurrent-attention-neuron", "gru")},
    }
    assert not trains(kind, name)
    with pytest.raises(SymbenchError, match=said[kind]):
        model_of(name, kind, form, toy_of(kind, ACTIONS[form]))


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "RecurrentPPO"])
def test_an_lstm_in_a_head_needs_an_algorithm_that_remembers(name: str) -> None:
    form = next(form for each, _, form in TRAINED if each == name)
    table = {"kind": "vision-attention-neuron", **TABLES["vision-attention-neuron"], "lstm_dim": 8}
    with pytest.raises(SymbenchError, match="remembers more than a wrapper can show"):
        model_of(name, "vision-attention-neuron", form, table=table)


def test_recurrent_ppo_trains_an_lstm_in_a_head() -> None:
    table = {"kind": "vision-attention-neuron", **TABLES["vision-attention-neuron"], "lstm_dim": 8}
    model = model_of("RecurrentPPO", "vision-attention-neuron", "discrete", table=table)
    before = model.policy.network.head.lstm.weight_hh.clone()
    model.learn(64)
    assert not torch.equal(model.policy.network.head.lstm.weight_hh, before)


def test_the_table_of_the_documentation_says_what_trains_what() -> None:
    docs = Path(__file__).parents[2] / "docs" / "policies.md"
    assert training_table() in docs.read_text(encoding="utf-8")
    lines = training_table().splitlines()
    assert len(lines) == 2 + len(NETWORKS)
    for line in lines[2:]:
        kind, *cells = (cell.strip(" `") for cell in line.strip("|").split("|"))
        assert [cell == "yes" for cell in cells] == [trains(kind, name) for name in POLICIES]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_models_are_known_by_their_files(name: str, tmp_path: Path) -> None:
    """Networks that remember, or are equivariant, play alone; others through SB3."""
    prefixes = {"MaskablePPO": "maskable_ppo", "RecurrentPPO": "recurrent_ppo"}
    form = next(form for each, _, form in TRAINED if each == name)
    model_of(name, "attention-neuron", form).save(tmp_path / "mine")
    toy = Toy(ACTIONS[form], "attention-neuron" in FRAMES)
    agent = load_sb3(f"{prefixes.get(name, name.lower())}:{tmp_path / 'mine.zip'}", trust=True)
    assert agent.incompatibility(toy.observation_space, toy.action_space) is None
    agent.reset(4)
    observations = batch_of(toy.observation_space, 4)
    assert all(toy.action_space.contains(action) for action in agent.act(observations))
