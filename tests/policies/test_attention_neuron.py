from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from symbench.policies.attention_neuron import (
    AttentionNeuron,
    QueryKeyScores,
    RecurrentAttentionNeuron,
    compress,
    dense,
    sinusoidal_table,
)
from symbench.policies.attention_neuron_networks import AttentionNeuronNetwork
from symbench.policies.sensor_gate import SensorGate

LAYERS = ["history", "differences", "recurrent"]


def code_of(kind: str, permutation: Tensor, sensors: int = 7) -> Tensor:
    """The layer's output after a few steps, for sensors in this order; the same weights and values at every call."""
    torch.manual_seed(1)
    values, actions = torch.randn(3, sensors, 4, dtype=torch.float64), torch.randn(3, 4, 2, dtype=torch.float64)
    values = values[:, permutation]
    if kind != "recurrent":
        differences = 20.0 if kind == "differences" else 0.0
        return AttentionNeuron(history=4, action_dim=2, differences=differences).double()(values, actions)
    layer = RecurrentAttentionNeuron(action_dim=2).double()
    hidden = cell = torch.zeros(3, sensors, 8, dtype=torch.float64)
    for t in range(4):
        code, hidden, cell = layer(values[:, :, t], actions[:, t], hidden, cell)
    return code


def test_queries_are_the_sinusoidal_table() -> None:
    table = sinusoidal_table(16, 8)
    for x in range(16):
        for j in range(8):
            angle = x / 10000 ** (2 * (j // 2) / 8)
            assert table[x, j] == pytest.approx(math.cos(angle) if j % 2 else math.sin(angle), abs=1e-7)


@pytest.mark.parametrize(("bias", "scale"), [(False, False), (True, True)])
def test_folded_scores_are_the_equation(bias: bool, scale: bool) -> None:
    scores = QueryKeyScores(16, 8, 8, 32, bias=bias, scale=scale)
    keys = torch.randn(5, 8)
    plain = scores.project_query(sinusoidal_table(16, 8)) @ scores.project_key(keys).T
    expected = plain / math.sqrt(32) if scale else plain
    torch.testing.assert_close(scores(keys).T, expected)


def test_recurrent_layer_is_the_published_equation() -> None:
    layer = RecurrentAttentionNeuron(action_dim=2)
    values, action = torch.randn(5), torch.randn(2)
    hidden, cell = torch.randn(5, 8), torch.randn(5, 8)
    keys = torch.stack([layer.lstm(torch.cat([values[i : i + 1], action]), (hidden[i], cell[i]))[0] for i in range(5)])
    queries = layer.scores.project_query(sinusoidal_table(16, 8))
    expected = torch.tanh(torch.tanh(queries @ layer.scores.project_key(keys).T) @ values)
    code, new_hidden, _ = layer(values[None], action[None], hidden[None], cell[None])
    torch.testing.assert_close(code[0], expected)
    torch.testing.assert_close(new_hidden[0], keys)


def test_history_layer_is_its_equation() -> None:
    layer = AttentionNeuron(history=3, action_dim=2, num_codes=4, value_dim=5, key_widths=(6, 7))
    sensors, actions = torch.randn(1, 5, 3), torch.randn(1, 3, 2)
    first, *rest = layer.key_network
    keys = first(layer.key_of_values(sensors[0]) + layer.key_of_actions(actions.flatten()))
    for module in rest:
        keys = module(keys)
    queries = layer.scores.project_query(sinusoidal_table(4, 8))
    weights = torch.tanh(queries @ layer.scores.project_key(keys).T)
    torch.testing.assert_close(layer(sensors, actions)[0], (weights @ layer.values(sensors[0])).flatten())


def test_history_layer_with_differences_is_its_equation() -> None:
    """Keys and values read the history and, behind it, what its steps are 20 times enlarged."""
    layer = AttentionNeuron(history=3, action_dim=2, num_codes=4, value_dim=5, key_widths=(6, 7), differences=20.0)
    sensors, actions = torch.randn(1, 5, 3), torch.randn(1, 3, 2)
    steps = torch.asinh(20 * (sensors[0, :, 1:] - sensors[0, :, :-1]))
    read = torch.cat([sensors[0], steps], dim=1)
    first, *rest = layer.key_network
    keys = first(read @ layer.key_of_values.weight.T + layer.key_of_actions(actions.flatten()))
    for module in rest:
        keys = module(keys)
    weights = torch.tanh(layer.scores.project_query(sinusoidal_table(4, 8)) @ layer.scores.project_key(keys).T)
    torch.testing.assert_close(layer(sensors, actions)[0], (weights @ (read @ layer.values.weight.T)).flatten())


def test_the_first_value_of_an_episode_is_no_difference() -> None:
    layer = AttentionNeuron(history=4, action_dim=1, differences=20.0)
    begun = torch.tensor([[[0.0, 0.0, 0.7, 0.7]]])
    assert torch.equal(layer.read(begun), torch.cat([begun, torch.zeros(1, 1, 3)], dim=2))


@pytest.mark.parametrize(("history", "differences"), [(12, -1.0), (12, float("nan")), (12, float("inf")), (1, 20.0)])
def test_impossible_differences_are_named(history: int, differences: float) -> None:
    space = {"low": [-1.0], "high": [1.0], "squash": "clip"}
    with pytest.raises(ValueError, match=f"differences of {differences} over {history} steps"):
        AttentionNeuronNetwork(space, history=history, differences=differences)


@pytest.mark.parametrize("kind", LAYERS)
def test_output_does_not_depend_on_the_order_of_sensors(kind: str) -> None:
    in_order = code_of(kind, torch.arange(7))
    for seed in range(100):
        order = torch.randperm(7, generator=torch.Generator().manual_seed(seed))
        assert (code_of(kind, order) - in_order).abs().max() < 1e-6


@pytest.mark.parametrize("kind", LAYERS)
def test_output_depends_on_the_values(kind: str) -> None:
    assert (code_of(kind, torch.zeros(7, dtype=torch.int64)) - code_of(kind, torch.arange(7))).abs().max() > 0.01


def test_an_ordinary_network_is_not_invariant() -> None:
    network, values = dense((7, 16, 1), "tanh"), torch.randn(3, 7)
    assert (network(values) - network(values.flip(1))).abs().max() > 0.01


def test_hidden_states_follow_their_sensors() -> None:
    layer, order = RecurrentAttentionNeuron(action_dim=1).double(), torch.randperm(6)
    values, action = torch.randn(2, 6, dtype=torch.float64), torch.randn(2, 1, dtype=torch.float64)
    hidden, cell = torch.randn(2, 2, 6, 8, dtype=torch.float64)
    _, new_hidden, new_cell = layer(values, action, hidden, cell)
    _, shuffled_hidden, shuffled_cell = layer(values[:, order], action, hidden[:, order], cell[:, order])
    torch.testing.assert_close(shuffled_hidden, new_hidden[:, order])
    torch.testing.assert_close(shuffled_cell, new_cell[:, order])


@pytest.mark.parametrize("differences", [0.0, 20.0])
def test_a_sensor_that_is_always_zero_contributes_nothing(differences: float) -> None:
    layer = AttentionNeuron(history=8, action_dim=1, differences=differences).double()
    sensors, actions = torch.randn(2, 5, 8, dtype=torch.float64), torch.randn(2, 8, 1, dtype=torch.float64)
    with_dead_ones = torch.cat([sensors, torch.zeros(2, 50, 8, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(layer(with_dead_ones, actions), layer(sensors, actions), rtol=0, atol=1e-12)


@pytest.mark.parametrize("widths", [(16,), (16, 8), (32, 16, 8)])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_widths_are_free(widths: tuple[int, ...], activation: str) -> None:
    layer = AttentionNeuron(3, 2, num_codes=5, value_dim=4, key_widths=widths, query_dim=6, activation=activation)
    assert layer(torch.randn(9, 11, 3), torch.randn(9, 3, 2)).shape == (9, 20)


def test_compression_is_odd_monotone_and_keeps_zero() -> None:
    values = torch.linspace(-1000, 1000, 2001)
    compressed = compress(values)
    assert (compressed.diff() > 0).all()
    assert compressed[1000] == 0
    torch.testing.assert_close(compressed, -compressed.flip(0))
    assert compressed.abs().max() < 8


@pytest.mark.parametrize("normalisation", ["softmax", "gate"])
def test_sensors_that_all_come_twice_change_a_mean_and_not_a_sum(normalisation: str) -> None:
    values, actions = torch.randn(3, 5, 4).double(), torch.randn(3, 4, 2).double()
    twice = torch.cat([values, values], dim=1)
    layer = AttentionNeuron(4, 2, normalisation=normalisation).double()
    torch.testing.assert_close(layer(twice, actions), layer(values, actions))
    summing = AttentionNeuron(4, 2).double()
    torch.testing.assert_close(summing(twice, actions), 2 * summing(values, actions))


def test_what_the_gate_shuts_out_has_no_effect_however_many_there_are() -> None:
    layer = AttentionNeuron(4, 2, normalisation="gate").double()
    values, actions, strange = (torch.randn(3, *shape).double() for shape in ((5, 4), (4, 2), (500, 4)))
    assert layer.gate is not None
    layer.gate.network = torch.nn.Sequential(torch.nn.Identity())
    layer.gate.of_values.weight.data = 10 * torch.eye(1, 6).double()  # the first value of a sensor decides
    layer.gate.of_actions = torch.nn.Linear(8, 1).double()
    torch.nn.init.zeros_(layer.gate.of_actions.weight)
    torch.nn.init.zeros_(layer.gate.of_actions.bias)
    values[..., 0], strange[..., 0] = 1.0, -1.0
    few = layer(values, actions)
    torch.testing.assert_close(layer(torch.cat([values, strange], dim=1), actions), few, rtol=0, atol=1e-12)
    layer.gate.of_actions.bias.data.fill_(20.0)  # open to all
    assert (layer(torch.cat([values, strange], dim=1), actions) - few).abs().max() > 1e-3


def test_a_gate_does_not_count_sensors_that_are_constantly_zero() -> None:
    layer = AttentionNeuron(4, 2, normalisation="gate").double()
    values, actions = torch.randn(3, 5, 4).double(), torch.randn(3, 4, 2).double()
    silent = torch.cat([values, torch.zeros(3, 20, 4).double()], dim=1)
    torch.testing.assert_close(layer(silent, actions), layer(values, actions))


def test_a_gate_sees_shapes_and_sizes_alike_of_large_and_small_sensors() -> None:
    """What it reads besides the size does not depend on the unit; the step from before an episode is no jump."""
    gate = SensorGate(4, 2).double()
    gate.of_values.weight.data[:, 4] = 0.0  # the size
    values, actions = torch.randn(3, 5, 4).double(), torch.randn(3, 4, 2).double()
    torch.testing.assert_close(gate.logits(1000 * values, actions), gate.logits(values, actions))
    gate.of_values.weight.data[:, :5] = 0.0  # but for the jumps
    level, begun = torch.ones(1, 1, 4).double(), torch.tensor([[[0.0, 0.0, 1.0, 1.0]]]).double()
    assert torch.equal(gate.logits(level, actions[:1]), gate.logits(begun, actions[:1]))
    assert not torch.equal(gate.logits(level, actions[:1]), gate.logits(values[:1], actions[:1]))


def test_an_unknown_normalisation_is_named() -> None:
    with pytest.raises(ValueError, match="received 'mean'"):
        AttentionNeuron(4, 2, normalisation="mean")


@pytest.mark.parametrize("normalisation", ["softmax", "gate"])
def test_normalised_layers_do_not_depend_on_the_order_of_sensors(normalisation: str) -> None:
    layer = AttentionNeuron(4, 2, normalisation=normalisation).double()
    values, actions = torch.randn(3, 7, 4).double(), torch.randn(3, 4, 2).double()
    torch.testing.assert_close(layer(values[:, torch.randperm(7)], actions), layer(values, actions))
    assert (layer(values + 1, actions) - layer(values, actions)).abs().max() > 1e-3
