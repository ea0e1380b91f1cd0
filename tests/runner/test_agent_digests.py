"""A run notices when an object that plays in it has changed: no number of one agent stands under another's name."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from torch import nn

from symbench.policies import MLPNetwork, NetworkAgent
from symbench.runner.agent_digests import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.sign = nn.Linear(4, 2), 1.0
        self.register_buffer("shift", torch.zeros(2), persistent=False)
        self.scale, self.limits = np.ones(4, np.float32), {"low": torch.zeros(2)}

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.sign * self.layer(observations) + self.shift


class Other(Net):
    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return -super().forward(observations)


class Fallen(Net):
    def __init__(self) -> None:
        super().__init__()
        self.env = gym.make("CartPole-v1")


def with_change(change: Callable[[Any], Any]) -> Net:
    net = Net()
    change(net)
    return net


SAME: dict[str, Callable[[], Any]] = {
    "a module": Net,
    "layers": lambda: nn.Sequential(Net().layer, nn.Tanh()),
    "bfloat16": lambda: Net().bfloat16(),
    "a network of symbench": lambda: seeded(MLPNetwork(4, gym.spaces.Discrete(2))),
    "an agent": lambda: NetworkAgent(seeded(MLPNetwork(4, gym.spaces.Discrete(2))), "mine"),
    "a model": lambda: PPO("MlpPolicy", "CartPole-v1", seed=0, device="cpu"),
    "an off-policy model": lambda: DQN("MlpPolicy", "CartPole-v1", seed=0, device="cpu", buffer_size=10),
}
CHANGES: dict[str, Callable[[Net], Any]] = {
    "a weight": lambda net: net.layer.weight.data.add_(1),
    "an attribute": lambda net: setattr(net, "sign", -1.0),
    "an array": lambda net: net.scale.__setitem__(0, 2),
    "a tensor in a dict": lambda net: net.limits["low"].add_(1),
    "a buffer that is not saved": lambda net: net.shift.add_(1),
    "a layer": lambda net: setattr(net, "layer", nn.Sequential(net.layer)),
    "precision": lambda net: net.double(),
}
UNKNOWN: dict[str, Callable[[], Any]] = {
    "a function": lambda: len,
    "an object": object,
    "a module with an environment": Fallen,
    "a module with a hook": lambda: with_change(lambda net: net.register_forward_hook(lambda *_: None)),
}


def seeded(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for weights in network.parameters():
        nn.init.normal_(weights)
    return network


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_made_again_it_is_the_same(make: Callable[[], Any]) -> None:
    assert digest_of(make()) == digest_of(make())


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_changes_what_it_does_changes_it(change: Callable[[Net], Any]) -> None:
    assert digest_of(with_change(change)) != digest_of(Net())


def test_the_same_weights_in_another_class_are_another_agent() -> None:
    assert digest_of(Other()) != digest_of(Net())


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_of_what_nothing_can_be_said_it_is_another_one_each_time(make: Callable[[], Any]) -> None:
    thing = make()
    assert digest_of(thing) != digest_of(thing)


def test_statistics_of_observations_belong_to_a_model() -> None:
    envs = VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")]))
    model = PPO("MlpPolicy", envs, seed=0, device="cpu")
    before = digest_of(model)
    assert before == digest_of(model)
    envs.obs_rms = copy.deepcopy(envs.obs_rms)
    envs.obs_rms.mean += 1
    assert digest_of(model) != before
