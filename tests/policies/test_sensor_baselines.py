"""Ordinary networks with a memory: each step by step, what is theirs alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.policies import NETWORKS, GRUNetwork, HistoryMLPNetwork, TransformerNetwork, make_network
from symbench.policies.attention_neuron import compress
from symbench.policies.sensor_baselines import gru_step

FORCE = spaces.Box(-1, 1, (1,))
ORDER = torch.tensor([3, 0, 4, 1, 2])


def test_the_history_is_read_in_the_order_of_the_sensors() -> None:
    network = HistoryMLPNetwork(5, FORCE, history=3)
    seen, done = torch.randn(4, 2, 5), torch.randn(4, 2, 1)
    state = network.initial_state(2, 5)
    for t in range(4):
        (inputs, state) = network.perceive(seen[t], state)
        state = network.update_memory(state, done[t])
    expected = torch.cat([compress(seen[1:]).permute(1, 2, 0).flatten(1), done[:3].transpose(0, 1).flatten(1)], dim=1)
    assert torch.equal(network.features(*inputs), expected)
    assert sum(weights.numel() for weights in HistoryMLPNetwork(5, FORCE).parameters()) == 51_713


def test_a_step_of_the_gru_is_that_of_torch() -> None:
    gru, inputs, hidden = torch.nn.GRUCell(6, 8).double(), torch.randn(3, 6).double(), torch.randn(3, 8).double()
    torch.testing.assert_close(gru_step(gru, inputs, hidden), gru(inputs, hidden))


@pytest.mark.parametrize("kind", ["history-mlp", "gru", "transformer"])
def test_the_order_of_sensors_matters(kind: str) -> None:
    given = {} if kind == "transformer" else {"num_sensors": 5}
    network = NETWORKS[kind](action_space=FORCE, **given).double()
    seen, state = torch.randn(6, 5).double(), network.initial_state(6, 5)
    (expected, _), (actions, _) = network(seen, state), network(seen[:, ORDER], state)
    assert (actions - expected).abs().max() > 1e-4


def test_without_places_a_transformer_does_not_see_an_order() -> None:
    network = TransformerNetwork(FORCE, positions=False).double()
    assert network.config()["positions"] is False
    one, other = network.initial_state(6, 5), network.initial_state(6, 5)
    for seen in torch.randn(4, 6, 5).double():
        (expected, one), (actions, other) = network(seen, one), network(seen[:, ORDER], other)
        torch.testing.assert_close(actions, expected, rtol=0, atol=1e-12)
    assert expected.std() > 1e-3


def test_numbers_of_numpy_are_numbers() -> None:
    table = {"kind": "transformer", "history": np.int64(3)}
    assert make_network(table, spaces.Box(-1, 1, (5,)), FORCE).history == 3


def test_what_does_not_fit_is_said() -> None:
    assert GRUNetwork(5, FORCE).incompatibility(spaces.Box(-1, 1, (6,))) == (
        "reads 5 sensors in a fixed order, received 6"
    )
    assert TransformerNetwork(FORCE).incompatibility(spaces.Box(-1, 1, (6,))) is None
