"""Batched CartPole plays the episodes of Gymnasium's, bit for bit, whatever its neighbours do."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import symbench.envs  # noqa: F401
from symbench.envs.cartpole import CartPoleVectorEnv


@pytest.mark.parametrize("seed", [0, 7, 123])
def test_episodes_are_those_of_gymnasiums_cartpole(seed: int) -> None:
    envs = gym.make_vec("symbench/CartPole-v1", 4, autoreset_mode="SameStep")
    actions = np.random.default_rng(seed).integers(2, size=(600, 4))
    rows = [envs.reset(seed=seed)[0]]
    outcomes = []
    for action in actions:
        observations, *outcome, _ = envs.step(action)
        rows.append(observations)
        outcomes.append(outcome)
    for i in range(4):
        env = gym.make("CartPole-v1")
        np.testing.assert_array_equal(rows[0][i], env.reset(seed=seed + i)[0])
        for t, action in enumerate(actions[:, i]):
            observation, *outcome, _ = env.step(action)
            assert [part[i] for part in outcomes[t]] == outcome
            if outcome[1] or outcome[2]:
                observation, _ = env.reset()
            np.testing.assert_array_equal(rows[t + 1][i], observation)


def test_a_balanced_pole_is_truncated_after_500_steps() -> None:
    envs = CartPoleVectorEnv(1, autoreset_mode="SameStep")
    observations, _ = envs.reset(seed=0)
    for step in range(1, 501):
        angle, speed = observations[0, 2:]
        observations, _, terminated, truncated, _ = envs.step(np.array([int(3 * angle + speed > 0)]))
        assert not terminated[0]
        assert truncated[0] == (step == 500)
