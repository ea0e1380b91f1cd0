"""In the environments of scenes: an untrained equivariant policy earns the same from scenes that were moved."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from scene_cases import EQUIVARIANT, MLP, PLAIN, rough

import symbench.envs  # noqa: F401
from symbench.policies import make_network
from symbench.symmetry import symmetry_of

NAMES = ("ParticleSpread", "Pursuit", "NBodyControl")
MOTIONS = "motions-and-exchanges"
SCENES = 8


def policy_for(name: str, kind: str) -> Any:
    """Untrained; in float64."""
    torch.manual_seed(0)
    env = gym.make(f"symbench/{name}-v0")
    return rough(make_network(kind, env.observation_space, env.action_space))


def returns(name: str, policy: Any, elements: Any = None, **kwargs: Any) -> np.ndarray:
    """Of eight episodes whose starts were moved. The policy sees states in float64: observations are rounded."""
    envs: Any = gym.make_vec(f"symbench/{name}-v0", SCENES, **kwargs).unwrapped
    envs.reset(seed=0)
    if elements is not None:
        envs.state = symmetry_of(f"symbench/{name}-v0", MOTIONS).observation.apply(elements, envs.state)
    total, over = np.zeros(SCENES), False
    while not over:
        with torch.inference_mode():
            actions, _ = policy(policy.read(envs.state), ())
        _, rewards, terminated, truncated, _ = envs.step(actions.numpy())
        total, over = total + rewards, bool((terminated | truncated).all())
    return total


def drawn(name: str) -> Any:
    return symmetry_of(f"symbench/{name}-v0", MOTIONS).group.sample(np.random.default_rng(0), SCENES)


@pytest.mark.parametrize("name", NAMES)
def test_returns_do_not_depend_on_where_and_how_a_scene_is_seen(name: str) -> None:
    policy = policy_for(name, EQUIVARIANT)
    before = returns(name, policy)
    np.testing.assert_allclose(returns(name, policy, drawn(name)), before, atol=1e-6, rtol=0)
    assert len(set(before.round(3))) == SCENES


@pytest.mark.parametrize("kind", [PLAIN, MLP])
@pytest.mark.parametrize("name", NAMES)
def test_other_policies_earn_something_else(name: str, kind: str) -> None:
    policy = policy_for(name, kind)
    assert np.abs(returns(name, policy, drawn(name)) - returns(name, policy)).max() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_in_wind_the_scene_shows_where_it_is_turned(name: str) -> None:
    policy = policy_for(name, EQUIVARIANT)
    assert np.abs(returns(name, policy, drawn(name), wind=5) - returns(name, policy, wind=5)).max() > 0.1
