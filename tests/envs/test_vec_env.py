"""A Gymnasium vector environment played through SB3's interface."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO

import symbench.envs  # noqa: F401
from symbench.envs.vec_env import VectorToVecEnv

ID = "symbench/CartPoleSwingUp-v0"


def test_same_episodes_as_the_vector_environment_with_monitor_statistics() -> None:
    make = lambda: gym.make_vec(ID, 3, autoreset_mode="SameStep")  # noqa: E731
    envs, vec_env = make(), VectorToVecEnv(make())
    vec_env.seed(4)
    np.testing.assert_array_equal(vec_env.reset(), envs.reset(seed=4)[0])
    push, returns, lengths = np.ones((3, 1), np.float32), np.zeros(3), np.zeros(3, int)
    seen = 0
    for _ in range(300):
        expected, rewards, terminated, truncated, vector_infos = envs.step(push)
        observations, sb3_rewards, dones, infos = vec_env.step(push)
        np.testing.assert_array_equal(observations, expected)
        np.testing.assert_array_equal(sb3_rewards, rewards.astype(np.float32))
        np.testing.assert_array_equal(dones, terminated | truncated)
        returns, lengths = returns + rewards, lengths + 1
        for i in np.flatnonzero(dones):
            seen += 1
            np.testing.assert_array_equal(infos[i]["terminal_observation"], vector_infos["final_obs"][i])
            assert infos[i]["TimeLimit.truncated"] == (truncated[i] and not terminated[i])
            assert infos[i]["episode"]["r"] == pytest.approx(returns[i])
            assert infos[i]["episode"]["l"] == lengths[i]
            returns[i], lengths[i] = 0.0, 0
    assert seen > 0


def test_ppo_learns_on_it() -> None:
    vec_env = VectorToVecEnv(gym.make_vec(ID, 8, autoreset_mode="SameStep"))
    PPO("MlpPolicy", vec_env, n_steps=64, batch_size=64, seed=0, device="cpu").learn(512)


def test_other_autoreset_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="SAME_STEP"):
        VectorToVecEnv(gym.make_vec(ID, 2))
