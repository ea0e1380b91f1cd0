from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from hostile_cases import ROUTING, acted_in, observations_of
from hostile_cases import SMALL as PARTS

from symbench.policies import (
    NETWORKS,
    AttentionNeuronNetwork,
    MLPNetwork,
    PolicyNetwork,
    RecurrentAttentionNeuronNetwork,
    action_head,
)
from symbench.policies.attention_neuron import compress
from symbench.policies.batches import first, rows
from symbench.policies.memory import started
from symbench.policies.vision import VisionNetwork
from symbench.trees import map_tree
from symbench.wrappers import SensorHistory

ACTIONS: list[dict[str, Any]] = [
    {"low": [-2.0, -2.0], "high": [1.0, 3.0], "squash": "tanh"},
    {"low": [-0.1, -0.2], "high": [0.1, 0.1], "squash": "clip"},
    {"low": [[-1.0], [0.0]], "high": [[1.0], [0.5]]},
    {"discrete": 3},
    {"discrete": 3, "start": -1},
    {"multi_discrete": [2, 3]},
    {"multi_binary": [3]},
]
TWO = spaces.Box(-1, 1, (2,))

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"num_sensors": 5},
    "unshuffler": {"num_sensors": 5, "candidates": 8},
    "history-mlp": {"num_sensors": 5},
    "gru": {"num_sensors": 5},
    "vision-attention-neuron": {"num_codes": 16, "key_hidden": [8], "conv": [[8, 2, 1]], "hidden": [16], "lstm_dim": 8},
    "set-transformer": {"num_codes": 16, "conv": [], "hidden": [16]},
    "nature-cnn": {"size": 24, "conv": [[8, 8, 4]], "hidden": [16]},
    "attention-agent": {"size": 24},
    "patch-unshuffler": {"size": 24, "opening": 2, "policy": {"conv": [[8, 8, 4]], "hidden": [16]}},
    "equivariant-mlp": {"group": "C2", "observation": {"signs": [[-1, -1, 1, -1, -1]]}},
    "equivariant-cnn": {"size": 24, "history": 2, "conv": [[4, 4, 2], [4, 3, 2]], "hidden": [8]},
    **{kind: small for kind, small in PARTS.items() if NETWORKS[kind].of_team},
}


KINDS = tuple(kind for kind in NETWORKS if kind not in ROUTING)  # those act in other spaces than a Discrete, too


def make(kind: str, action_space: Any) -> PolicyNetwork:
    return NETWORKS[kind](action_space=acted_in(kind, action_space), **SMALL.get(kind, {}))


def observe(network: PolicyNetwork, *batch: int) -> Any:
    """Random observations that the network can read, with these leading axes."""
    if network.of_team:
        return map_tree(lambda part: torch.from_numpy(part).to(network.dtype), observations_of(network, *batch))
    if isinstance(network, VisionNetwork):
        return torch.randint(0, 256, (*batch, 24, 24, network.channels), dtype=torch.uint8)
    return torch.randn(*batch, 5, dtype=next(network.parameters()).dtype)


def begin(network: PolicyNetwork, observations: Any) -> Any:
    return network.initial_state(*first(observations).shape)


def part(observations: Any, *places: Any) -> Any:
    """The same part of everything that is observed."""
    return map_tree(lambda values: values[places], observations)


@pytest.mark.parametrize("actions", ACTIONS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_config_rebuilds_the_network(kind: str, actions: dict[str, Any]) -> None:
    network = make(kind, actions)
    copy = NETWORKS[kind](**json.loads(json.dumps(network.config())))
    copy.load_state_dict(network.state_dict())
    values = observe(network, 3, 4)
    state = copied_state = begin(network, part(values, 0))
    for t in range(rows(values)):
        observations = part(values, t)
        expected, state = network(observations, state)
        found, copied_state = copy(observations, copied_state)
        assert torch.equal(found, expected)
        assert all(network.action.space.contains(action) for action in found.detach().numpy())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("squash", ["tanh", "clip"])
def test_actions_are_in_bounds(kind: str, squash: str) -> None:
    network = make(kind, {"low": [-2.0, 0.5], "high": [1.0, 0.75], "squash": squash})
    values = observe(network, 50)
    values = map_tree(lambda each: each if each.dtype == torch.uint8 else 100 * each, values)
    actions, _ = network(values, begin(network, values))
    assert (actions >= torch.from_numpy(network.action.space.low)).all()
    assert (actions <= torch.from_numpy(network.action.space.high)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_is_what_its_steps_are(kind: str) -> None:
    network = make(kind, {"low": [-1.0, 0.0], "high": [1.0, 1.0], "squash": "tanh"})
    values, actions = observe(network, 6, 3), torch.rand(6, 3, 2)
    starts = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 1, 0]])
    steps, state = [], begin(network, part(values, 0))
    for t in range(6):
        logits, state = network.logits(part(values, t), started(state, starts[t]))
        state = network.update_memory(state, actions[t])
        steps.append(logits)
    features, together = network.unroll(values, starts, actions, begin(network, part(values, 0)))
    assert features.shape[:2] == (6, 3)
    torch.testing.assert_close(together, torch.stack(steps), atol=1e-5, rtol=0)
    later = part(values, slice(3, None), slice(2, None))
    _, alone = network.unroll(later, starts[3:, 2:], actions[3:, 2:], begin(network, part(later, 0)))
    torch.testing.assert_close(together[3:, 2:], alone, atol=1e-5, rtol=0)  # nothing of the earlier episode is left


@pytest.mark.parametrize("kind", ["attention-neuron", "recurrent-attention-neuron", "transformer"])
def test_any_number_of_sensors(kind: str) -> None:
    network = make(kind, TWO)
    assert network.num_sensors is None
    for sensors in (1, 5, 105):
        actions, state = network(torch.randn(3, sensors), network.initial_state(3, sensors))
        assert network(torch.randn(3, sensors), state)[0].shape == actions.shape == (3, 2)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("attention-neuron", (1, slice(None), -1)),
        ("recurrent-attention-neuron", (2,)),
        ("history-mlp", (1, slice(None), -1)),
        ("gru", (1,)),
    ],
)
def test_the_next_step_is_told_the_action(kind: str, place: tuple[Any, ...]) -> None:
    for space in (TWO, spaces.Discrete(3)):
        network = make(kind, space)
        actions, state = network(torch.randn(6, 5), network.initial_state(6, 5))
        told = state[place[0]][place[1:]]
        expected = actions if space == TWO else torch.eye(3)[actions]
        assert torch.equal(told, expected)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_the_network_remembers_what_sensor_history_shows(env_id: str) -> None:
    env = SensorHistory(gym.make(env_id), length=4)
    network = AttentionNeuronNetwork(env.action_space, history=4)
    observation, _ = env.reset(seed=0)
    state = network.initial_state(1, len(observation["sensors"]))
    for _ in range(7):
        told = state[1][0].numpy()
        with torch.no_grad():
            actions, state = network(torch.as_tensor(observation["sensors"][None, :, -1]), state)
        np.testing.assert_array_equal(state[0][0].numpy(), compress(torch.as_tensor(observation["sensors"])).numpy())
        np.testing.assert_array_equal(told, observation["actions"])
        observation, *_ = env.step(actions[0].numpy())


def test_state_has_the_precision_of_the_weights() -> None:
    for kind in KINDS:
        network = make(kind, spaces.Box(-1, 1, (1,))).double()
        values = observe(network, 2)
        actions, state = network(values, begin(network, values))
        floating = [tensor.dtype for tensor in (actions, *state) if tensor.is_floating_point()]
        assert set(floating) == {torch.float64}


def test_sizes_of_the_published_agents() -> None:
    cart_pole = RecurrentAttentionNeuronNetwork(spaces.Box(-1, 1, (1,)))
    ant = RecurrentAttentionNeuronNetwork(spaces.Box(-1, 1, (8,)), num_codes=32, bias=True, scale=True, hidden=(32,))
    assert [sum(p.numel() for p in network.parameters()) for network in (cart_pole, ant)] == [913, 2504]


def test_gradients_reach_every_weight() -> None:
    for kind in KINDS:
        if kind in ("attention-agent", "unshuffler", "patch-unshuffler"):  # what they choose has no gradient
            continue
        if NETWORKS[kind].of_team:  # here of one agent, which hears nobody
            continue
        network = make(kind, {"low": [-1.0], "high": [1.0], "squash": "tanh"})
        state = begin(network, observe(network, 2))
        for _ in range(3):
            actions, state = network(observe(network, 2), state)
        actions.sum().backward()
        missed = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
        assert missed == []


@pytest.mark.parametrize("normalisation", ["softmax", "gate"])
def test_a_normalised_attention_neuron_is_what_its_settings_say(normalisation: str) -> None:
    network = AttentionNeuronNetwork(TWO, history=2, normalisation=normalisation)
    copied = AttentionNeuronNetwork(**json.loads(json.dumps(network.config())))
    copied.load_state_dict(network.state_dict())
    seen = torch.randn(6, 500)
    actions, _ = network(seen, network.initial_state(6, 500))
    assert torch.equal(copied(seen, copied.initial_state(6, 500))[0], actions)
    actions.sum().backward()
    assert all(weights.grad is not None for weights in network.parameters())
    assert "normalisation" not in AttentionNeuronNetwork(TWO).config()  # cards of before stay as they are


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="received 'softplus'"):
        MLPNetwork(5, action_head(TWO, squash="softplus"))
    with pytest.raises(ValueError, match="received 'gelu'"):
        MLPNetwork(5, TWO, activation="gelu")
