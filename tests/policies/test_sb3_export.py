from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from torch import nn

from symbench.policies import (
    AttentionNeuronExtractor,
    AttentionNeuronPolicy,
    MLPNetwork,
    NetworkAgent,
    RecurrentAttentionNeuronPolicy,
    SB3Agent,
    actor_network,
    mlp_network,
)
from symbench.wrappers import PreviousAction, SensorHistory

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

MODELS = [(PPO, "CartPole-v1"), (PPO, "Pendulum-v1"), (A2C, "Pendulum-v1")]
MODELS += [(DQN, "CartPole-v1"), (SAC, "Pendulum-v1"), (TD3, "Pendulum-v1")]


def disturb(model: BaseAlgorithm) -> None:
    """Make the weights so large that actions vary and some are clipped."""
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))


def assert_same_actions(model: BaseAlgorithm, env: gym.Env, sensors_of: Any, steps: int = 25) -> None:
    """The exported network, fed with plain sensors, plays as the model does."""
    played = []
    for seed in range(8):
        disturb(model)
        agent, original = NetworkAgent(actor_network(model), "exported"), SB3Agent(model, "original")
        (observation, _), terminated = env.reset(seed=seed), False
        while not terminated and len(played) < (seed + 1) * steps:
            action = original.act(observation)
            np.testing.assert_allclose(agent.act(sensors_of(observation)), action, atol=1e-4)
            played.append(action)
            observation, _, terminated, _, _ = env.step(action)
    assert len(np.unique(played)) > 1


@pytest.mark.parametrize(("algorithm", "env_id"), MODELS)
def test_mlp_plays_as_its_model(algorithm: Any, env_id: str) -> None:
    env = gym.make(env_id)
    model = algorithm("MlpPolicy", env, seed=0, device="cpu")
    assert isinstance(mlp_network(model), MLPNetwork)
    assert_same_actions(model, env, lambda observation: observation)


@pytest.mark.parametrize(("algorithm", "env_id"), MODELS)
def test_attention_neuron_plays_as_its_model(algorithm: Any, env_id: str) -> None:
    env = SensorHistory(gym.make(env_id), length=4)
    if algorithm in (PPO, A2C):
        model = algorithm(AttentionNeuronPolicy, env, seed=0, device="cpu")
    else:
        policy_kwargs = {"features_extractor_class": AttentionNeuronExtractor, "net_arch": [16]}
        model = algorithm("MultiInputPolicy", env, policy_kwargs=policy_kwargs, buffer_size=10, seed=0, device="cpu")
    assert_same_actions(model, env, lambda observation: observation["sensors"][:, -1])


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_recurrent_attention_neuron_plays_as_its_model(env_id: str) -> None:
    env = PreviousAction(gym.make(env_id))
    kwargs = {"layer_kwargs": {"bias": True, "scale": True}, "activation_fn": nn.ReLU}
    model = RecurrentPPO(RecurrentAttentionNeuronPolicy, env, policy_kwargs=kwargs, seed=0, device="cpu")
    assert_same_actions(model, env, lambda observation: observation["observation"])


def test_exported_weights_are_a_copy() -> None:
    model = PPO(AttentionNeuronPolicy, SensorHistory(gym.make("CartPole-v1")))
    network = model.policy.actor_network()
    before = [parameter.clone() for parameter in network.parameters()]
    disturb(model)
    assert all(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))


def test_what_cannot_be_exported_is_named() -> None:
    env = gym.make("CartPole-v1")
    with pytest.raises(ValueError, match="'MlpPolicy' is needed, received AttentionNeuronPolicy"):
        mlp_network(PPO(AttentionNeuronPolicy, SensorHistory(env)))
    with pytest.raises(ValueError, match=r"only an AttentionNeuron layer or a vector .* through CombinedExtractor"):
        actor_network(PPO("MultiInputPolicy", SensorHistory(env)))
    with pytest.raises(ValueError, match=r"activation_fn must be one of .* received .*GELU"):
        actor_network(PPO("MlpPolicy", env, policy_kwargs={"activation_fn": nn.GELU}))
    with pytest.raises(ValueError, match="only an AttentionNeuron layer or a vector"):
        actor_network(RecurrentPPO("MlpLstmPolicy", env))


def test_sb3_agent_keeps_recurrent_state_for_each_environment() -> None:
    model = RecurrentPPO("MlpLstmPolicy", gym.make("Pendulum-v1"), seed=0, device="cpu")
    agent = SB3Agent(model, "lstm")
    observations = np.random.default_rng(0).normal(size=(6, 3, 3)).astype(np.float32)
    agent.reset(3)
    undisturbed = [agent.act(step) for step in observations]
    agent.reset(3)
    for t, step in enumerate(observations):
        if t == 3:
            agent.restart(np.array([False, True, False]))
        actions = agent.act(step)
        np.testing.assert_allclose(actions[[0, 2]], undisturbed[t][[0, 2]], atol=1e-9)
    assert not np.array_equal(actions[1], undisturbed[-1][1])


def test_sb3_agent_takes_single_observations() -> None:
    agent = SB3Agent(PPO("MlpPolicy", gym.make("CartPole-v1")), "ppo")
    assert np.shape(agent.act(np.zeros(4, dtype=np.float32))) == ()
    agent.reset(7)
    assert agent.act(np.zeros((7, 4), dtype=np.float32)).shape == (7,)


def test_sb3_agent_says_why_it_does_not_fit() -> None:
    env = gym.make("CartPole-v1")
    agent = SB3Agent(PPO("MlpPolicy", env), "ppo")
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    assert (
        agent.incompatibility(spaces.Box(-1, 1, (9,)), env.action_space) == "ppo observes Box(4,), the task has Box(9,)"
    )
    assert agent.incompatibility(env.observation_space, spaces.Discrete(3)) == (
        "ppo acts in Discrete(2), the task has Discrete(3)"
    )
    history = SB3Agent(PPO(AttentionNeuronPolicy, SensorHistory(env, length=4)), "history")
    assert history.incompatibility(env.observation_space, env.action_space) == (
        "history observes Dict(actions: Box(4, 2), sensors: Box(4, 4)), the task has Box(4,)"
    )
