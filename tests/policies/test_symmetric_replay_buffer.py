"""Transformed transitions in a replay buffer: as wholes, by a random stream of their own, before statistics."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from symmetry_cases import STARTS, parts

from symbench.policies import SymmetricReplayBuffer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def filled(symmetry: Any, env_id: str, **kwargs: Any) -> tuple[SymmetricReplayBuffer, gym.Env]:
    env = gym.make(env_id)
    buffer = SymmetricReplayBuffer(
        64, env.observation_space, env.action_space, device="cpu", symmetry=symmetry, **kwargs
    )
    rng, dim = np.random.default_rng(0), env.observation_space.shape[0]
    env.action_space.seed(0)
    for i in range(64):
        before, after = rng.normal(size=(2, 1, dim)).astype(np.float32)
        action = np.atleast_1d(env.action_space.sample())[None]
        buffer.add(before, after, action, np.array([float(i)]), np.array([i % 2]), [{}])
    return buffer, env


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_sampled_transitions_are_transformed_as_wholes(env_id: str) -> None:
    buffer, _ = filled(env_id, env_id)
    observation, action = parts(env_id)
    samples, seen = buffer.sample(500), set()
    for i in range(500):
        row = int(samples.rewards[i])  # rewards name the transition and are not transformed
        original = buffer.observations[row], buffer.next_observations[row], buffer.actions[row]
        matches = [
            g
            for g in observation.group.elements
            if np.allclose(observation.apply(g, original[0]), samples.observations[i])
            and np.allclose(observation.apply(g, original[1]), samples.next_observations[i])
            and np.allclose(
                np.ravel(action.apply(g, original[2].reshape(1, -1)[:, 0] if env_id == "CartPole-v1" else original[2])),
                samples.actions[i],
            )
        ]
        assert len(matches) == 1
        assert int(samples.dones[i]) == row % 2
        seen.add((row, matches[0]))
    assert {g for _, g in seen} == {0, 1}
    assert samples.actions.dtype == torch.tensor(buffer.actions).dtype


@contextmanager
def sb3_draws_alike() -> Iterator[None]:
    """Inside the block SB3 draws from one seed of numpy's global stream; afterwards that is as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def test_the_buffer_has_a_stream_of_its_own() -> None:
    def draws(seed: int) -> torch.Tensor:
        buffer, _ = filled("CartPole-v1", "CartPole-v1", seed=seed)
        with sb3_draws_alike():
            return buffer.sample(64).observations

    assert torch.equal(draws(1), draws(1))
    assert not torch.equal(draws(1), draws(2))


def test_statistics_are_applied_after_the_transformation() -> None:
    buffer, env = filled("CartPole-v1", "CartPole-v1")
    normaliser = VecNormalize(DummyVecEnv([lambda: env]))
    normaliser.obs_rms.mean[:] = [1.0, 2.0, 3.0, 4.0]
    with sb3_draws_alike():
        plain = buffer.sample(32).observations
    buffer.rng = np.random.default_rng(0)
    buffer, _ = filled("CartPole-v1", "CartPole-v1")
    with sb3_draws_alike():
        normalised = buffer.sample(32, normaliser).observations
    np.testing.assert_allclose(normalised, normaliser.normalize_obs(plain.numpy()))


@pytest.mark.parametrize(("algorithm", "env_id"), [(DQN, "CartPole-v1"), (SAC, "Pendulum-v1")])
def test_off_policy_algorithms_train_with_it(algorithm: Any, env_id: str, tmp_path: Path) -> None:
    options = {"replay_buffer_class": SymmetricReplayBuffer, "replay_buffer_kwargs": {"symmetry": env_id}}
    model = algorithm("MlpPolicy", env_id, **options, **STARTS).learn(40)
    model.save(tmp_path / "model")
    algorithm.load(tmp_path / "model", env=gym.make(env_id), device="cpu").learn(30)
