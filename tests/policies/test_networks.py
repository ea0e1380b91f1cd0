from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from symbench.policies import (
    NETWORKS,
    AttentionNeuronNetwork,
    MLPNetwork,
    PolicyNetwork,
    RecurrentAttentionNeuronNetwork,
)
from symbench.policies.layers import compress
from symbench.policies.vision import VisionNetwork
from symbench.wrappers import SensorHistory

ACTIONS: list[dict[str, Any]] = [
    {"action_dim": 2, "output": "tanh", "low": -2.0, "high": [1.0, 3.0]},
    {"action_dim": 2, "output": "clip", "low": [-0.1, -0.2], "high": 0.1},
    {"action_dim": 3, "output": "discrete"},
]


SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"num_sensors": 5},
    "vision-attention-neuron": {"num_codes": 16, "key_hidden": [8], "conv": [[8, 2, 1]], "hidden": [16], "lstm_dim": 8},
    "set-transformer": {"num_codes": 16, "conv": [], "hidden": [16]},
    "nature-cnn": {"size": 24, "conv": [[8, 8, 4]], "hidden": [16]},
    "attention-agent": {"size": 24},
    "equivariant-mlp": {"group": "C2", "observation": {"signs": [[-1, -1, 1, -1, -1]]}},
    "equivariant-cnn": {"size": 24, "history": 2, "conv": [[4, 4, 2], [4, 3, 2]], "hidden": [8]},
}


def make(kind: str, **actions: Any) -> PolicyNetwork:
    return NETWORKS[kind](**SMALL.get(kind, {}), **actions)


def observe(network: PolicyNetwork, *batch: int) -> torch.Tensor:
    """Random observations that the network can read, with these leading axes."""
    if isinstance(network, VisionNetwork):
        return torch.randint(0, 256, (*batch, 24, 24, network.channels), dtype=torch.uint8)
    return torch.randn(*batch, 5, dtype=next(network.parameters()).dtype)


def begin(network: PolicyNetwork, observations: torch.Tensor) -> Any:
    return network.initial_state(*observations.shape)


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_config_rebuilds_the_network(kind: str, actions: dict[str, Any]) -> None:
    network = make(kind, **actions)
    copy = NETWORKS[kind](**json.loads(json.dumps(network.config())))
    copy.load_state_dict(network.state_dict())
    values = observe(network, 3, 4)
    state = copied_state = begin(network, values[0])
    for observations in values:
        expected, state = network(observations, state)
        found, copied_state = copy(observations, copied_state)
        assert torch.equal(found, expected)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("output", ["tanh", "clip"])
def test_actions_are_in_bounds(kind: str, output: str) -> None:
    network = make(kind, action_dim=2, output=output, low=[-2.0, 0.5], high=[1.0, 0.75])
    values = observe(network, 50)
    values = values if values.dtype == torch.uint8 else 100 * values
    actions, _ = network(values, begin(network, values))
    assert (actions >= torch.tensor([-2.0, 0.5])).all()
    assert (actions <= torch.tensor([1.0, 0.75])).all()


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_sequence_is_what_its_steps_are(kind: str) -> None:
    network = make(kind, action_dim=2, output="tanh", low=[-1.0, 0.0], high=1.0)
    values, actions = observe(network, 6, 3), torch.rand(6, 3, 2)
    starts = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0]])
    steps = PolicyNetwork.unroll(network, values, starts, actions, begin(network, values[0]))
    together = network.unroll(values, starts, actions, begin(network, values[0]))
    torch.testing.assert_close(together, steps, atol=1e-5, rtol=0)
    alone = network.unroll(values[3:, 2:], starts[3:, 2:], actions[3:, 2:], begin(network, values[0, 2:]))
    torch.testing.assert_close(together[3:, 2:], alone, atol=1e-5, rtol=0)  # nothing of the earlier episode is left


@pytest.mark.parametrize("kind", ["attention-neuron", "recurrent-attention-neuron"])
def test_any_number_of_sensors(kind: str) -> None:
    network = make(kind, action_dim=2)
    assert network.num_sensors is None
    for sensors in (1, 5, 105):
        actions, state = network(torch.randn(3, sensors), network.initial_state(3, sensors))
        assert network(torch.randn(3, sensors), state)[0].shape == actions.shape == (3, 2)


@pytest.mark.parametrize(
    ("kind", "place"), [("attention-neuron", (1, slice(None), -1)), ("recurrent-attention-neuron", (2,))]
)
def test_the_next_step_is_told_the_action(kind: str, place: tuple[Any, ...]) -> None:
    for output, action_dim in (("clip", 2), ("discrete", 3)):
        network = make(kind, action_dim=action_dim, output=output)
        actions, state = network(torch.randn(6, 5), network.initial_state(6, 5))
        told = state[place[0]][place[1:]]
        expected = actions if output == "clip" else torch.eye(3)[actions.argmax(1)]
        assert torch.equal(told, expected)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_the_network_remembers_what_sensor_history_shows(env_id: str) -> None:
    env = SensorHistory(gym.make(env_id), length=4)
    discrete = isinstance(env.action_space, gym.spaces.Discrete)
    output = {"output": "discrete"} if discrete else {"output": "clip", "low": -2.0, "high": 2.0}
    network = AttentionNeuronNetwork(2 if discrete else 1, history=4, **output)
    observation, _ = env.reset(seed=0)
    state = network.initial_state(1, len(observation["sensors"]))
    for _ in range(7):
        told = state[1][0].numpy()
        with torch.no_grad():
            actions, state = network(torch.as_tensor(observation["sensors"][None, :, -1]), state)
        np.testing.assert_array_equal(state[0][0].numpy(), compress(torch.as_tensor(observation["sensors"])).numpy())
        np.testing.assert_array_equal(told, observation["actions"])
        observation, *_ = env.step(int(actions[0].argmax()) if discrete else actions[0].numpy())


def test_state_has_the_precision_of_the_weights() -> None:
    for kind in NETWORKS:
        network = make(kind, action_dim=1).double()
        values = observe(network, 2)
        actions, state = network(values, begin(network, values))
        floating = [tensor.dtype for tensor in (actions, *state) if tensor.is_floating_point()]
        assert set(floating) == {torch.float64}


def test_sizes_of_the_published_agents() -> None:
    cart_pole = RecurrentAttentionNeuronNetwork(1)
    ant = RecurrentAttentionNeuronNetwork(8, num_codes=32, bias=True, scale=True, hidden=(32,))
    assert [sum(p.numel() for p in network.parameters()) for network in (cart_pole, ant)] == [913, 2504]


def test_gradients_reach_every_weight() -> None:
    for kind in NETWORKS:
        if kind == "attention-agent":  # choosing the most important patches is not differentiable
            continue
        network = make(kind, action_dim=1)
        state = begin(network, observe(network, 2))
        for _ in range(3):
            actions, state = network(observe(network, 2), state)
        actions.sum().backward()
        missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert missed == []


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="received 'softplus'"):
        MLPNetwork(5, 1, output="softplus")
    with pytest.raises(ValueError, match="received 'gelu'"):
        MLPNetwork(5, 1, activation="gelu")
