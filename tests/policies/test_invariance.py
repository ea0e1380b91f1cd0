"""Whole episodes, with and without shuffled sensors."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

import symbench.envs  # noqa: F401
from symbench.policies import (
    AttentionNeuronNetwork,
    MLPNetwork,
    NetworkAgent,
    PolicyNetwork,
    RecurrentAttentionNeuronNetwork,
)
from symbench.wrappers import vector

NUM_ENVS, STEPS = 32, 150
FORCE = spaces.Box(-1, 1, (1,))


def rewards_of(network: PolicyNetwork, shuffle: str | int | None, dtype: torch.dtype = torch.float64) -> np.ndarray:
    """Rewards of many steps, shape (STEPS, NUM_ENVS), through several episodes each."""
    envs = gym.make_vec("symbench/CartPoleSwingUp-v0", NUM_ENVS, autoreset_mode="SameStep")
    if shuffle is not None:
        envs = vector.ShuffleSensors(envs, resample=shuffle)
    agent = NetworkAgent(network, "x", dtype)
    agent.reset(NUM_ENVS)
    observations, _ = envs.reset(seed=0)
    rewards = []
    for _ in range(STEPS):
        observations, reward, terminated, truncated, _ = envs.step(agent.act(observations))
        agent.restart(terminated | truncated)
        rewards.append(reward)
    return np.array(rewards)


@pytest.mark.parametrize("make", [AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork])
def test_episodes_are_identical_when_sensors_are_shuffled_at_reset(make: type[PolicyNetwork]) -> None:
    network = make(action_space=FORCE)
    np.testing.assert_array_equal(rewards_of(network, "episode"), rewards_of(network, None))


@pytest.mark.parametrize("make", [AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork])
def test_a_reshuffle_within_an_episode_is_noticed(make: type[PolicyNetwork]) -> None:
    network = make(action_space=FORCE)
    assert np.abs(rewards_of(network, 5) - rewards_of(network, None)).max() > 1e-3


def test_an_mlp_is_not_invariant() -> None:
    network = MLPNetwork(5, FORCE)
    assert np.abs(rewards_of(network, "episode") - rewards_of(network, None)).max() > 1e-3
