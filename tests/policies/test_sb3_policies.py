from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3

from symbench.policies import AttentionNeuronExtractor, AttentionNeuronPolicy, RecurrentAttentionNeuronPolicy
from symbench.wrappers import PreviousAction, SensorHistory

if TYPE_CHECKING:
    from pathlib import Path

    from stable_baselines3.common.base_class import BaseAlgorithm

EXTRACTOR = {"features_extractor_class": AttentionNeuronExtractor}
SMALL = {"n_steps": 32, "batch_size": 32}
STARTS = {"learning_starts": 20, "buffer_size": 200}
HISTORY = {
    "ppo": (PPO, AttentionNeuronPolicy, "CartPole-v1", {"n_epochs": 1, **SMALL}),
    "ppo-continuous": (PPO, AttentionNeuronPolicy, "Pendulum-v1", {"n_epochs": 1, **SMALL}),
    "a2c": (A2C, AttentionNeuronPolicy, "CartPole-v1", {"n_steps": 16}),
    "dqn": (DQN, "MultiInputPolicy", "CartPole-v1", {"policy_kwargs": EXTRACTOR, **STARTS}),
    "sac": (SAC, "MultiInputPolicy", "Pendulum-v1", {"policy_kwargs": EXTRACTOR, **STARTS}),
    "td3": (TD3, "MultiInputPolicy", "Pendulum-v1", {"policy_kwargs": EXTRACTOR, **STARTS}),
}


class WithState(gym.ObservationWrapper):
    """Adds a true state of three numbers to a Dict observation."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        state = spaces.Box(-np.inf, np.inf, (3,))
        self.observation_space = spaces.Dict({**env.observation_space.spaces, "state": state})

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        return {**observation, "state": np.ones(3, dtype=np.float32)}


def trained(name: str, env: gym.Env | None = None) -> BaseAlgorithm:
    algorithm, policy, env_id, kwargs = HISTORY[name]
    return algorithm(
        policy, env or SensorHistory(gym.make(env_id), length=4), seed=0, device="cpu", **deepcopy(kwargs)
    ).learn(40)


def trained_recurrent(env: gym.Env, **kwargs: Any) -> RecurrentPPO:
    return RecurrentPPO(RecurrentAttentionNeuronPolicy, env, seed=0, n_epochs=1, **SMALL, **kwargs).learn(64)


def batch_of(space: spaces.Dict, size: int = 6) -> dict[str, np.ndarray]:
    """Reproducible observations."""
    rng = np.random.default_rng(0)
    return {key: rng.normal(size=(size, *part.shape)).astype(np.float32) for key, part in space.spaces.items()}


def changed(space: spaces.Dict, key: str, sensors: int) -> spaces.Dict:
    """The same Dict space with another number of sensors."""
    box = spaces.Box(-np.inf, np.inf, (sensors, *space[key].shape[1:]))
    return spaces.Dict({**space.spaces, key: box})


@pytest.mark.parametrize("name", HISTORY)
def test_models_learn_save_and_load(name: str, tmp_path: Path) -> None:
    model = trained(name)
    observations = batch_of(model.observation_space)
    actions, _ = model.predict(observations, deterministic=True)
    model.save(tmp_path / "model")
    loaded = HISTORY[name][0].load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.predict(observations, deterministic=True)[0], actions)


@pytest.mark.parametrize("name", HISTORY)
def test_models_act_on_other_numbers_of_sensors(name: str, tmp_path: Path) -> None:
    model = trained(name)
    model.save(tmp_path / "model")
    space = changed(model.observation_space, "sensors", 11)
    larger = HISTORY[name][0].load(tmp_path / "model", device="cpu", custom_objects={"observation_space": space})
    observations = batch_of(model.observation_space)
    dead = np.zeros((6, 11 - observations["sensors"].shape[1], 4), dtype=np.float32)
    more = {**observations, "sensors": np.concatenate([dead, observations["sensors"]], axis=1)}
    actions, _ = model.predict(observations, deterministic=True)
    np.testing.assert_allclose(larger.predict(more, deterministic=True)[0], actions, atol=1e-5)


@pytest.mark.parametrize("name", HISTORY)
def test_models_are_invariant(name: str) -> None:
    model = trained(name)
    observations = batch_of(model.observation_space)
    shuffled = {**observations, "sensors": observations["sensors"][:, ::-1].copy()}
    actions, _ = model.predict(observations, deterministic=True)
    np.testing.assert_allclose(model.predict(shuffled, deterministic=True)[0], actions, atol=1e-5)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("privileged", [True, False])
def test_saved_policy_is_the_same_policy(privileged: bool, share: bool, tmp_path: Path) -> None:
    env = SensorHistory(gym.make("CartPole-v1"), length=4)
    env = WithState(env) if privileged else env
    model = PPO(AttentionNeuronPolicy, env, policy_kwargs={"share_features_extractor": share}, **SMALL).learn(64)
    model.policy.save(tmp_path / "policy")
    loaded = AttentionNeuronPolicy.load(tmp_path / "policy")
    assert loaded.share_features_extractor == (share and not privileged)
    observations, _ = model.policy.obs_to_tensor(batch_of(model.observation_space))
    with torch.no_grad():
        for policy in (model.policy, loaded):
            policy.set_training_mode(False)
        torch.testing.assert_close(
            loaded.get_distribution(observations).distribution.logits,
            model.policy.get_distribution(observations).distribution.logits,
        )
        torch.testing.assert_close(loaded.predict_values(observations), model.policy.predict_values(observations))


def test_orthogonal_initialisation_spares_the_layer() -> None:
    def policy(ortho_init: bool) -> AttentionNeuronPolicy:
        env = SensorHistory(gym.make("CartPole-v1"))
        return PPO(AttentionNeuronPolicy, env, seed=0, policy_kwargs={"ortho_init": ortho_init}).policy

    plain, orthogonal = policy(False), policy(True)
    for before, after in zip(
        plain.features_extractor.parameters(), orthogonal.features_extractor.parameters(), strict=True
    ):
        assert torch.equal(before, after)
    weights = orthogonal.mlp_extractor.policy_net[0].weight
    torch.testing.assert_close(weights @ weights.T, 2 * torch.eye(64), atol=1e-5, rtol=0)
    assert orthogonal.action_net.weight.norm() < 0.1 < plain.action_net.weight.norm()


@pytest.mark.parametrize("recurrent", [False, True])
def test_only_the_critic_sees_the_state(recurrent: bool) -> None:
    env = gym.make("Pendulum-v1")
    model: BaseAlgorithm
    if recurrent:
        model = trained_recurrent(WithState(PreviousAction(env)))
    else:
        model = trained("ppo-continuous", WithState(SensorHistory(env, length=4)))
    assert model.policy.privileged
    rows = [batch_of(model.observation_space), batch_of(model.observation_space), batch_of(model.observation_space)]
    rows[1]["state"] += 1
    rows[2] = {key: value if key == "state" else value + 1 for key, value in rows[2].items()}
    inputs = [model.policy.obs_to_tensor(row)[0] for row in rows]
    state = (torch.zeros(1, 6, 3 * 8),) * 2
    extra = (state, torch.zeros(6)) if recurrent else ()
    with torch.no_grad():
        values = [model.policy.predict_values(each, *extra) for each in inputs]
    actions = [model.predict(row, deterministic=True)[0] for row in rows]
    assert np.array_equal(actions[0], actions[1])
    assert not np.allclose(actions[0], actions[2])
    assert torch.equal(values[0], values[2])
    assert not torch.allclose(values[0], values[1])


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_recurrent_model_saves_loads_and_takes_more_sensors(env_id: str, tmp_path: Path) -> None:
    model = trained_recurrent(PreviousAction(gym.make(env_id)))
    assert model.policy.lstm_hidden_state_shape == (1, 1, 8 * model.observation_space["observation"].shape[0])
    model.save(tmp_path / "model")
    loaded = RecurrentPPO.load(tmp_path / "model", device="cpu")
    observations = batch_of(model.observation_space)
    expected, actual = model.predict(observations, deterministic=True), loaded.predict(observations, deterministic=True)
    np.testing.assert_array_equal(actual[0], expected[0])
    np.testing.assert_array_equal(actual[1], expected[1])

    space = changed(model.observation_space, "observation", 11)
    larger = RecurrentPPO.load(tmp_path / "model", device="cpu", custom_objects={"observation_space": space})
    dead = np.zeros((6, 11 - observations["observation"].shape[1]), dtype=np.float32)
    more = {**observations, "observation": np.concatenate([dead, observations["observation"]], axis=1)}
    np.testing.assert_allclose(larger.predict(more, deterministic=True)[0], expected[0], atol=1e-5)


def test_recurrent_policy_saves_its_shape(tmp_path: Path) -> None:
    policy_kwargs = {"layer_kwargs": {"num_codes": 12, "hidden_dim": 4}, "net_arch": {"pi": [], "vf": [8]}}
    model = trained_recurrent(PreviousAction(gym.make("CartPole-v1")), policy_kwargs=policy_kwargs)
    model.policy.save(tmp_path / "policy")
    loaded = RecurrentAttentionNeuronPolicy.load(tmp_path / "policy")
    observations = batch_of(model.observation_space)
    expected, _ = model.policy.predict(observations, deterministic=True)
    np.testing.assert_array_equal(loaded.predict(observations, deterministic=True)[0], expected)
    assert loaded.lstm_hidden_state_shape == (1, 1, 16)


def test_recurrent_state_restarts_with_episodes() -> None:
    model = trained_recurrent(PreviousAction(gym.make("Pendulum-v1")))
    observations = batch_of(model.observation_space, 2)
    fresh, state = model.predict(observations, episode_start=np.ones(2, bool), deterministic=True)
    again, _ = model.predict(observations, state=state, episode_start=np.array([True, False]), deterministic=True)
    np.testing.assert_allclose(again[0], fresh[0], atol=1e-6)
    assert not np.allclose(again[1], fresh[1])


def test_sequences_are_steps_in_a_row() -> None:
    lstm = trained_recurrent(PreviousAction(gym.make("Pendulum-v1"))).policy.lstm_actor
    inputs, state = torch.randn(5, 2, 4), (torch.zeros(1, 2, 24), torch.zeros(1, 2, 24))
    codes, last = lstm(inputs, state)
    for step, code in zip(inputs, codes, strict=True):
        one, state = lstm(step[None], state)
        torch.testing.assert_close(one[0], code)
    torch.testing.assert_close(last, state)


@pytest.mark.parametrize(
    ("algorithm", "policy", "wrapper"),
    [(PPO, AttentionNeuronPolicy, "SensorHistory"), (RecurrentPPO, RecurrentAttentionNeuronPolicy, "PreviousAction")],
)
def test_missing_wrapper_is_named(algorithm: Any, policy: Any, wrapper: str) -> None:
    with pytest.raises(ValueError, match=f"must be wrapped in symbench.wrappers.{wrapper}, received Box"):
        algorithm(policy, gym.make("CartPole-v1"))
