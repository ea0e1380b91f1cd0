"""Losses for a symmetry: nothing without them, they measure what is broken, a model with them comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest
import torch
from sb3_cases import rough
from stable_baselines3 import PPO
from symmetry_cases import SMALL, rows

from symbench.policies import NetworkActorCriticPolicy, SymmetricPPO
from symbench.policies.equivariant import free_part

if TYPE_CHECKING:
    from pathlib import Path


def test_without_further_losses_it_is_ppo() -> None:
    options = {"n_steps": 64, "batch_size": 32, "n_epochs": 3, "device": "cpu", "seed": 0, "clip_range_vf": 0.1}
    ours, theirs = (kind("MlpPolicy", "CartPole-v1", **options).learn(192) for kind in (SymmetricPPO, PPO))
    for first, second in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(first, second)
    assert ours._n_updates == theirs._n_updates


def test_the_target_divergence_stops_an_update() -> None:
    options = {"n_steps": 64, "batch_size": 32, "n_epochs": 9, "device": "cpu", "seed": 0, "target_kl": 1e-5}
    ours, theirs = (kind("MlpPolicy", "CartPole-v1", **options).learn(64) for kind in (SymmetricPPO, PPO))
    for first, second in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("loss", ["drac", "mirror"])
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_losses_measure_what_is_broken(env_id: str, loss: str) -> None:
    plain = rough(SymmetricPPO("MlpPolicy", env_id, symmetry=env_id, symmetry_loss=loss, **SMALL))
    options = {"network": {"symmetry": env_id}}
    exact = SymmetricPPO(
        NetworkActorCriticPolicy, env_id, symmetry=env_id, symmetry_loss=loss, policy_kwargs=options, **SMALL
    )
    batch = torch.tensor(rows(64, plain.observation_space.shape[0]))
    before = plain._asymmetry(batch).detach()
    assert exact._asymmetry(batch) < 1e-6 < 1e-2 < before
    optimizer = torch.optim.Adam(plain.policy.parameters(), 3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        plain._asymmetry(batch).backward()
        optimizer.step()
    assert plain._asymmetry(batch) < 0.3 * before


def test_a_model_with_losses_trains_and_comes_back(tmp_path: Path) -> None:
    model = SymmetricPPO("MlpPolicy", "Pendulum-v1", symmetry="Pendulum-v1", symmetry_coef=0.5, **SMALL).learn(64)
    model.save(tmp_path / "model")
    loaded = SymmetricPPO.load(tmp_path / "model", env=gym.make("Pendulum-v1"), device="cpu")
    assert (loaded.symmetry, loaded.symmetry_coef, loaded.symmetry_loss) == ("Pendulum-v1", 0.5, "drac")
    batch = rows(6, 3)
    np.testing.assert_array_equal(
        loaded.predict(batch, deterministic=True)[0], model.predict(batch, deterministic=True)[0]
    )
    loaded.learn(32)


def test_a_prior_keeps_soft_policies_near_the_symmetry() -> None:
    def free(coefficient: float) -> float:
        soft = {"symmetry": "CartPole-v1", "basis": "soft", "hidden": [8]}
        options = {"network": soft, "critic": [8]}
        settings = {"n_steps": 256, "batch_size": 64, "device": "cpu", "seed": 0, "learning_rate": 1e-2}
        model = SymmetricPPO(
            NetworkActorCriticPolicy, "CartPole-v1", free_coef=coefficient, policy_kwargs=options, **settings
        ).learn(512)
        return float(free_part(model.policy).detach())

    none, strong = free(0.0), free(100.0)
    assert 0 < strong < 0.1 * none
