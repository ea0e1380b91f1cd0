"""``symbench analyse``: figures and data that are the same each time, and one line for every mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pandas as pd
import pytest
from gymnasium.spaces import Discrete
from stable_baselines3 import PPO

from symbench.policies import AttentionNeuronNetwork, NetworkActorCriticPolicy
from symbench.policies.vision import VisionAttentionNeuronNetwork
from symbench.wrappers import SensorHistory
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Symbench


@pytest.fixture
def sensors(tmp_path: Path) -> None:
    save_agent(AttentionNeuronNetwork(Discrete(2), hidden=(8,)), tmp_path / "set", {"agent": "set"})


def test_all_analyses_of_an_agent_with_sensors(symbench: Symbench, tmp_path: Path, sensors: None) -> None:
    arguments = (
        "analyse",
        "set.json",
        "--task",
        "CartPole-v1",
        "--episodes",
        3,
        "--which",
        "code,regression,attention",
    )
    first = symbench(*arguments, "--out", "a")
    assert first.exit_code == 0, first.output
    codes = np.load(tmp_path / "a" / "code.npz")
    assert np.abs(codes["in_order"] - codes["shuffled"]).max() < 1e-6 < codes["in_order"].std()
    assert len(pd.read_csv(tmp_path / "a" / "regression.csv")) == 4
    assert "attention: left out" in first.output
    symbench(*arguments, "--out", "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_model_of_sb3_is_analysed_and_needs_no_trust(symbench: Symbench, tmp_path: Path) -> None:
    env = SensorHistory(gym.make("CartPole-v1"), length=4)
    PPO(NetworkActorCriticPolicy, env, policy_kwargs={"network": "attention-neuron"}).save(tmp_path / "mine")
    arguments = ("analyse", "ppo:mine.zip", "-t", "CartPole-v1", "--which", "code", "--steps", 20, "--out", "a")
    assert symbench(*arguments).exit_code == 0 and (tmp_path / "a" / "code.npz").is_file()


def test_a_model_of_sb3_that_brings_code_is_analysed_if_it_is_trusted(symbench: Symbench, tmp_path: Path) -> None:
    model = PPO(
        NetworkActorCriticPolicy,
        SensorHistory(gym.make("CartPole-v1"), length=4),
        policy_kwargs={"network": "attention-neuron"},
    )
    model.surprise = lambda: 0
    model.save(tmp_path / "mine")
    arguments = ("analyse", "ppo:mine.zip", "-t", "CartPole-v1", "--which", "code", "--steps", 20, "--out", "a")
    refused = symbench(*arguments)
    assert refused.exit_code == 2 and "--trust" in refused.output
    assert symbench(*arguments, "--trust").exit_code == 0 and (tmp_path / "a" / "code.npz").is_file()


def test_attention_over_patches(symbench: Symbench, tmp_path: Path) -> None:
    network = VisionAttentionNeuronNetwork(Discrete(6), num_codes=16, code_dim=4, conv=(), hidden=(4,), lstm_dim=4)
    save_agent(network, tmp_path / "eye", {"agent": "eye"})
    result = symbench("analyse", "eye.json", "-t", "Pong", "--which", "attention", "--steps", 10, "--out", "a")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "a" / "attention.csv")
    assert len(table) == 14**2 and 1 <= table["share_of_steps"].sum() <= 16


@pytest.mark.slow
def test_tsne(symbench: Symbench, tmp_path: Path, sensors: None) -> None:
    result = symbench("analyse", "set.json", "-t", "CartPoleSwingUp", "--which", "tsne", "--steps", 30, "--out", "a")
    assert result.exit_code == 2 and "cannot play" in result.stderr  # discrete actions in a continuous task
    result = symbench("analyse", "attention-neuron", "-t", "CartPoleSwingUp", "--which", "tsne", "--out", "a")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a" / "tsne.png").exists()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("analyse", "which agent in which task?"),
        ("analyse mlp.json --task CartPole-v1 --which code", "has no layer that reads a set of inputs"),
        ("analyse random --task CartPole-v1 --which code", "has no layer that reads a set of inputs"),
        ("analyse mlp.json --task CartPole-v1 --which cod", "unknown analysis 'cod'; did you mean 'code'?"),
        ("analyse mlp.json --task CartPole-v1 --episodes 2", "need 3 episodes"),
        ("analyse mlp.json --task CartPole-v1 --training-run 3", "has training runs 0, received 3"),
        ("analyse --occlusion nowhere", "holds no run"),
    ],
)
def test_a_mistake_is_one_line(symbench: Symbench, command: str, message: str) -> None:
    result = symbench(*command.split())
    assert result.exit_code == 2 and message in result.stderr, result.output
    assert len(result.stderr.strip().splitlines()) == 1
