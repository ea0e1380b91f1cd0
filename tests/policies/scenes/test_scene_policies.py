"""Stable-Baselines3 trains policies of scenes; with one import, by the name of an environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from scene_cases import EQUIVARIANT, KINDS, PLAIN, Motion
from stable_baselines3 import PPO, SAC

from symbench.policies import EquivariantGraphPolicy, NetworkActorCriticPolicy, NetworkAgent, NetworkSACPolicy
from symbench.policies.sb3.bridge import seen
from symbench.symmetry import euclidean
from symbench.zoo import load_agent, save_agent

SPREAD = "symbench/ParticleSpread-v0"
FEW: dict[str, Any] = {"n_steps": 32, "batch_size": 16, "n_epochs": 1, "seed": 0, "device": "cpu"}
REPLAY: dict[str, Any] = {"buffer_size": 200, "learning_starts": 32, "batch_size": 16, "seed": 0, "device": "cpu"}
IMPORTED = """
from symbench.policies import EquivariantGraphPolicy
from stable_baselines3 import PPO
print(PPO(EquivariantGraphPolicy, "symbench/ParticleSpread-v0", device="cpu").policy.network.kind)
"""


@pytest.mark.slow
def test_one_import_is_enough() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [EQUIVARIANT]


def test_the_policy_trains_and_comes_back(tmp_path: Path) -> None:
    model: Any = PPO(EquivariantGraphPolicy, SPREAD, **FEW)
    before = [weight.clone() for weight in model.policy.parameters()]
    model.learn(64)
    assert not any(torch.equal(*pair) for pair in zip(before, model.policy.parameters(), strict=True))
    model.save(tmp_path / "model")
    loaded = PPO.load(tmp_path / "model", device="cpu")
    assert type(loaded.policy) is EquivariantGraphPolicy and loaded.policy.table == {"kind": EQUIVARIANT}
    observation = gym.make(SPREAD).reset(seed=0)[0]
    played, again = (each.predict(observation, deterministic=True)[0] for each in (model, loaded))
    np.testing.assert_array_equal(played, again)
    save_agent(model.policy.network, tmp_path / "agent", {})
    for agent in (NetworkAgent(model.policy.network, "x"), load_agent(tmp_path / "agent")):
        np.testing.assert_allclose(agent.act(observation), played, atol=1e-6)


def test_another_network_may_be_named() -> None:
    table = {"kind": EQUIVARIANT, "layers": "egnn", "hidden": 8}
    first: Any = PPO(EquivariantGraphPolicy, SPREAD, policy_kwargs={"network": table}, **FEW)
    other: Any = PPO(EquivariantGraphPolicy, SPREAD, policy_kwargs={"network": PLAIN}, **FEW)
    assert (first.policy.table, other.policy.network.kind) == (table, PLAIN)


@pytest.mark.parametrize("name", ["Pursuit", "NBodyControl"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_trains_in_every_scene(kind: str, name: str) -> None:
    PPO(NetworkActorCriticPolicy, f"symbench/{name}-v0", policy_kwargs={"network": kind}, **FEW).learn(32)


@pytest.mark.parametrize("kind", KINDS)
def test_sac_trains_it(kind: str) -> None:
    model: Any = SAC(NetworkSACPolicy, SPREAD, policy_kwargs={"network": kind, "critic": [32]}, **REPLAY)
    before = [weight.clone() for weight in model.policy.network.parameters()]
    model.learn(48)
    after = model.policy.network.parameters()
    assert not all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert model.policy.network.action.squash == "tanh"


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("share", [True, False])
def test_the_whole_actor_critic_moves_with_the_scene(share: bool) -> None:
    """Means, deviations and values, as PPO asks for them."""
    model: Any = PPO(EquivariantGraphPolicy, SPREAD, policy_kwargs={"share_encoder": share}, **FEW)
    policy, env = model.policy.double(), gym.make(SPREAD)
    observations, _ = env.reset(seed=0)
    before = {key: torch.from_numpy(part).double()[None] for key, part in observations.items()}
    order = torch.tensor([1, 2, 0, 4, 3, 5])
    for element in torch.from_numpy(euclidean(2).sample(np.random.default_rng(0), 4)):
        motion = Motion(element[:-1, :-1], element[:-1, -1], order)
        with torch.no_grad():
            pair = [policy.get_distribution(each).distribution for each in (before, motion.scene(before))]
            values = [policy.predict_values(seen(each)) for each in (before, motion.scene(before))]
        first, second = pair
        torch.testing.assert_close(second.mean, motion.vectors(first.mean), rtol=1e-9, atol=1e-12)
        assert torch.equal(first.stddev, second.stddev) and len(first.stddev.unique()) == 1
        torch.testing.assert_close(*values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_before_training_moving_agents_are_hardly_pushed(kind: str) -> None:
    """Agents that at first speed up whatever moves learn, under loud noise, to go to the middle, where they meet."""
    model: Any = PPO(NetworkActorCriticPolicy, SPREAD, policy_kwargs={"network": kind}, **FEW)
    agent, envs, rng = NetworkAgent(model.policy.network, kind), gym.make_vec(SPREAD, 50), np.random.default_rng(0)
    agent.reset(50)
    seen, _ = envs.reset(seed=0)
    for _ in range(15):
        seen = envs.step(rng.uniform(-1, 1, (50, 3, 2)))[0]
    assert np.linalg.norm(agent.act(seen), axis=-1).mean() < 0.05
