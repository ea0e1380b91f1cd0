"""A file is played under the name of the algorithm that saved it, and under no other."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from sb3_contrib import ARS, QRDQN, TQC, TRPO, CrossQ, MaskablePPO, RecurrentPPO
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3

from symbench.errors import SymbenchError
from symbench.policies import NetworkRecurrentPolicy
from symbench.zoo import load_sb3
from symbench.zoo.sb3_zip import ALGORITHMS

if TYPE_CHECKING:
    from pathlib import Path

ROLLOUTS = {"n_steps": 8, "batch_size": 8}
REPLAYS = {"buffer_size": 100, "learning_starts": 4}
MADE: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "ppo": (PPO, "CartPole-v1", ROLLOUTS),
    "a2c": (A2C, "CartPole-v1", {}),
    "trpo": (TRPO, "CartPole-v1", ROLLOUTS),
    "recurrent_ppo": (RecurrentPPO, "CartPole-v1", {**ROLLOUTS, "policy": "MlpLstmPolicy"}),
    "dqn": (DQN, "CartPole-v1", REPLAYS),
    "qrdqn": (QRDQN, "CartPole-v1", REPLAYS),
    "ars": (ARS, "CartPole-v1", {"n_delta": 1}),
    "sac": (SAC, "Pendulum-v1", REPLAYS),
    "tqc": (TQC, "Pendulum-v1", REPLAYS),
    "crossq": (CrossQ, "Pendulum-v1", REPLAYS),
    "td3": (TD3, "Pendulum-v1", REPLAYS),
    "ddpg": (DDPG, "Pendulum-v1", REPLAYS),
}


@pytest.mark.parametrize("name", MADE)
def test_a_model_plays_under_its_own_name_only(name: str, tmp_path: Path) -> None:
    made, task, settings = MADE[name]
    env = gym.make(task)
    model = made(env=env, seed=0, device="cpu", **{"policy": "MlpPolicy", **settings}).learn(8)
    file = tmp_path / "a.zip"
    model.save(file)
    agent = load_sb3(f"{name}:{file}")  # such files are plain data, which nobody has to trust
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    observations = np.stack([env.observation_space.sample() for _ in range(5)])
    agent.reset(5)
    np.testing.assert_array_equal(agent.act(observations), model.predict(observations, deterministic=True)[0])
    for other in ALGORITHMS:
        if ALGORITHMS[other] != ALGORITHMS[name]:
            with pytest.raises(SymbenchError, match=f"was saved by {name.upper()}, not {other.upper()}: {name}:"):
                load_sb3(f"{other}:{file}", trust=True)


@pytest.mark.parametrize("name", ["qrdqn", "ars", "tqc", "crossq", "ddpg", "sac"])
def test_decisions_are_values_of_discrete_actions_or_the_actions(name: str, tmp_path: Path) -> None:
    made, task, settings = MADE[name]
    env = gym.make(task)
    made(env=env, seed=0, device="cpu", **{"policy": "MlpPolicy", **settings}).save(tmp_path / "a")
    agent = load_sb3(f"{name}:{tmp_path / 'a.zip'}", trust=True)
    observations = np.stack([env.observation_space.sample() for _ in range(5)])
    agent.reset(5)
    actions, decisions = agent.act(observations), agent.decisions(observations)
    assert decisions is not None
    if task == "CartPole-v1":
        np.testing.assert_array_equal(decisions.argmax(axis=1), actions)
    else:
        np.testing.assert_allclose(decisions, actions, atol=1e-6)


def test_masked_models_have_a_prefix_of_their_own(tmp_path: Path) -> None:
    env = ActionMasker(gym.make("CartPole-v1"), lambda env: np.ones(2, bool))
    model = MaskablePPO("MlpPolicy", env, device="cpu", seed=0)
    model.save(tmp_path / "a")
    for prefix in ("ppo", "recurrent_ppo"):
        with pytest.raises(SymbenchError, match=f"was saved by MASKABLE_PPO, not {prefix.upper()}: maskable_ppo:"):
            load_sb3(f"{prefix}:{tmp_path / 'a.zip'}", trust=True)
    agent, seen = load_sb3(f"maskable_ppo:{tmp_path / 'a.zip'}", trust=True), np.zeros((2, 4), np.float32)
    agent.reset(2)
    assert agent.act(seen).tolist() == model.predict(seen, deterministic=True)[0].tolist()
    for only in (0, 1):
        agent.allow(np.eye(2, dtype=bool)[[only, 1 - only]])
        assert agent.act(seen).tolist() == [only, 1 - only]
    decisions, values = agent.decisions(seen), agent.values(seen)
    assert decisions is not None
    assert decisions.shape == (2, 2)
    assert values is not None
    assert values.shape == (2,)


def test_recurrence_is_known_by_the_file_whatever_its_policy(tmp_path: Path) -> None:
    kwargs = {"network": "recurrent-attention-neuron"}
    RecurrentPPO(NetworkRecurrentPolicy, "CartPole-v1", policy_kwargs=kwargs).save(tmp_path / "a")
    with pytest.raises(SymbenchError, match=r"was saved by RECURRENT_PPO, not PPO"):
        load_sb3(f"ppo:{tmp_path / 'a.zip'}", trust=True)


@pytest.mark.parametrize(
    ("data", "who"),
    [
        ({"policy_class": {"__module__": "sbx.ppo.policies"}, "clip_range": 0.2}, r"sbx \(JAX\)"),
        ({"policy_class": {"__module__": "my.nets"}}, r"an algorithm that is not known \(its policy is from my.nets"),
    ],
)
def test_other_algorithms_are_refused_by_name(tmp_path: Path, data: dict[str, Any], who: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data", json.dumps(data))
    with pytest.raises(SymbenchError, match=f"was saved by {who}.*; those of ppo, a2c, .* can be played"):
        load_sb3(f"ppo:{tmp_path / 'a.zip'}", trust=True)


@pytest.mark.reference
def test_a_public_qrdqn_keeps_its_score_and_is_no_dqn(reference: Path) -> None:
    file, env = reference / "sb3_zoo" / "logs" / "qrdqn" / "CartPole-v1_1" / "CartPole-v1.zip", gym.make("CartPole-v1")
    agent = load_sb3(f"qrdqn:{file}", True, env.observation_space, env.action_space)
    agent.reset()
    (observation, _), total, over = env.reset(seed=0), 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        total, over = total + float(reward), terminated or truncated
    assert total == 500
    with pytest.raises(SymbenchError, match="was saved by QRDQN, not DQN"):
        load_sb3(f"dqn:{file}", True, env.observation_space, env.action_space)
