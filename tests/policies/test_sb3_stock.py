"""SB3's own policies are taken over exactly, and what cannot be taken over is named."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import ROLLOUTS, Toy, model_of, rough
from sb3_contrib import QRDQN, TRPO, MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack
from torch import nn

from symbench.policies import MLPNetwork, NatureCNNNetwork, NetworkAgent, SB3Agent, actor_network
from symbench.zoo import load_agent, save_agent

MODELS = [(PPO, "CartPole-v1"), (PPO, "Pendulum-v1"), (A2C, "Pendulum-v1"), (TRPO, "CartPole-v1")]
MODELS += [(DQN, "CartPole-v1"), (SAC, "Pendulum-v1"), (TD3, "Pendulum-v1"), (DDPG, "Pendulum-v1")]
SMALL = {"seed": 0, "device": "cpu"}


class Film(Toy):
    """Frames that a CNN of SB3 can read."""

    def __init__(self, channels: int = 1, width: int = 36) -> None:
        super().__init__(spaces.Discrete(3), frames=True)
        self.observation_space = spaces.Box(0, 255, (36, width, channels), np.uint8)

    def _observe(self) -> Any:
        self._seen = self.np_random.integers(0, 256, self.observation_space.shape, np.uint8)
        return self._seen


@pytest.mark.parametrize(("algorithm", "env_id"), MODELS)
def test_an_mlp_plays_as_its_model(algorithm: Any, env_id: str, tmp_path: Any) -> None:
    env, played = gym.make(env_id), []
    model = algorithm("MlpPolicy", env, **SMALL)
    for seed in range(8):
        rough(model, 0.05 if algorithm in (TD3, DDPG) else 0.3, seed)  # with larger ones wide layers are saturated
        original, network = SB3Agent(model, "original"), actor_network(model)
        assert isinstance(network, MLPNetwork)
        save_agent(network, tmp_path / "mine", {})
        agents = NetworkAgent(network, "mine"), load_agent(tmp_path / "mine")
        observation, _ = env.reset(seed=seed)
        for _ in range(25):
            action = original.act(observation)
            for agent in agents:
                np.testing.assert_allclose(agent.act(observation), action, atol=1e-4)
            played.append(action)
            observation, _, terminated, _, _ = env.step(action)
            if terminated:
                break
    assert len(np.unique(played)) > 1


def test_widths_and_activations_are_kept() -> None:
    kwargs = {"net_arch": {"pi": [7, 5], "vf": [3]}, "activation_fn": nn.ReLU}
    config = actor_network(PPO("MlpPolicy", "CartPole-v1", policy_kwargs=kwargs, **SMALL)).config()
    assert (config["hidden"], config["activation"]) == ([7, 5], "relu")
    assert config["action_space"] == {"discrete": 2}
    squashed = actor_network(SAC("MlpPolicy", "Pendulum-v1", buffer_size=10, **SMALL)).config()
    assert squashed["action_space"] == {"low": [-2.0], "high": [2.0], "squash": "tanh"}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_a_cnn_is_taken_over_with_its_black_frames(algorithm: Any, channels: int) -> None:
    stacked = VecFrameStack(DummyVecEnv([lambda: Film(channels)]), 4)
    rest = {"buffer_size": 10} if algorithm is DQN else ROLLOUTS
    model = rough(algorithm("CnnPolicy", stacked, **rest, **SMALL), 0.1)
    network = actor_network(model)
    assert isinstance(network, NatureCNNNetwork) and (network.channels, network.history) == (channels, 4)
    agent, task, played = NetworkAgent(network, "mine"), Film(channels), []
    stacked.seed(5)
    observations, (frame, _) = stacked.reset(), task.reset(seed=5)
    for _ in range(11):
        actions, _ = model.predict(observations, deterministic=True)
        assert agent.act(frame[None]) == actions
        scores = agent_scores(model, observations)
        played.append(scores)
        observations, *_ = stacked.step(actions)
        frame, *_ = task.step(int(actions[0]))
    assert np.std(played, axis=0).max() > 0


def agent_scores(model: Any, observations: np.ndarray) -> np.ndarray:
    shown = SB3Agent(model, "x").decisions(observations)
    assert shown is not None
    return shown[0]


def test_layers_behind_convolutions_are_kept() -> None:
    kwargs = {"net_arch": [16], "activation_fn": nn.ReLU, "features_extractor_kwargs": {"features_dim": 32}}
    model = PPO("CnnPolicy", Film(), policy_kwargs=kwargs, **ROLLOUTS, **SMALL)
    assert actor_network(model).config()["hidden"] == [32, 16]


def test_weights_are_copied() -> None:
    model = PPO("MlpPolicy", "CartPole-v1", **SMALL)
    network = actor_network(model)
    before = [parameter.clone() for parameter in network.parameters()]
    rough(model)
    assert all(map(torch.equal, before, network.parameters()))


class Sensors(Toy):
    def __init__(self) -> None:
        super().__init__(spaces.Discrete(3), frames=False)


class Named(gym.ObservationWrapper):
    """The sensors in a Dict."""

    def __init__(self) -> None:
        super().__init__(Sensors())
        self.observation_space = spaces.Dict(sensors=self.env.observation_space)

    def observation(self, observation: Any) -> Any:
        return {"sensors": observation}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PPO("MlpPolicy", Sensors(), policy_kwargs={"activation_fn": nn.GELU}), r"one of .* received GELU"),
        (
            lambda: PPO("MultiInputPolicy", Named()),
            r"only vectors and stacked frames .* received Dict\(sensors: Box\(5,\)\)",
        ),
        (lambda: RecurrentPPO("MlpLstmPolicy", Sensors()), "only vectors and stacked frames"),
        (lambda: QRDQN("MlpPolicy", Sensors()), "can be taken over, received QRDQNPolicy"),
        (lambda: MaskablePPO("MlpPolicy", Sensors()), "can be taken over, received MaskableActorCriticPolicy"),
        (lambda: SAC("MlpPolicy", "Pendulum-v1", use_sde=True), r"SAC \(without gSDE\) .* received SACPolicy"),
        (lambda: PPO("CnnPolicy", Film(width=40)), "only square frames can be taken over, received 36x40"),
        (
            lambda: PPO("CnnPolicy", Film(), policy_kwargs={"net_arch": [8], "activation_fn": nn.Tanh}),
            r"only ReLU can be taken over: train with net_arch=\[\] or torch.nn.ReLU",
        ),
        (lambda: PPO("MlpPolicy", Film()), "only vectors and stacked frames can be taken over"),
    ],
)
def test_what_cannot_be_taken_over_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        actor_network(make())


def test_netrand_trains_and_acts_without_randomness() -> None:
    model = model_of("PPO", "nature-cnn", "discrete", table={"kind": "nature-cnn", "netrand": True, "hidden": [16]})
    network, frames = model.learn(32).policy.network, torch.randint(0, 256, (2, 2, 36, 36)).float()
    network.netrand.clean = 0.0
    network.train()
    assert not torch.allclose(network.features(frames), network.features(frames))
    loss = network.feature_matching({"frames": frames})
    loss.backward()
    assert loss > 0 and network.conv[0].weight.grad.abs().max() > 0
    network.eval()
    assert torch.equal(network.features(frames), network.features(frames))
    assert network.feature_matching({"frames": frames}) == 0
    clean = NatureCNNNetwork(**{**network.config(), "netrand": False})
    clean.load_state_dict(network.state_dict())
    assert torch.equal(clean.features(frames), network.features(frames))
