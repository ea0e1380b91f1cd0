"""Rewards that are scaled for learning: what is learned from changes, what is reported does not."""

from __future__ import annotations

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from symbench.envs.vec_env import VectorToVecEnv
from symbench.tasks import get_task
from symbench.training.ppo import ScaledRewards


def scenes() -> VecEnv:
    envs = VectorToVecEnv(get_task("ParticleSpread").make_vec(3, AutoresetMode.SAME_STEP))
    envs.seed(0)
    return envs


def test_rewards_are_scaled_and_reported_returns_are_not() -> None:
    plain, scaled, rng = scenes(), ScaledRewards(scenes(), 0.1), np.random.default_rng(0)
    first, other = plain.reset(), scaled.reset()
    np.testing.assert_array_equal(first["positions"], other["positions"])  # type: ignore[call-overload]
    for _ in range(50):
        actions = rng.uniform(-1, 1, (3, 3, 2)).astype(np.float32)
        (_, rewards, _, infos), (_, learned, _, told) = plain.step(actions), scaled.step(actions)
        np.testing.assert_allclose(learned, 0.1 * rewards)
    assert [each["episode"]["r"] for each in told] == [each["episode"]["r"] for each in infos]
