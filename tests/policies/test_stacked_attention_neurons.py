"""Layers above the first read the sensors again, told what the one below said: what one layer promises, all do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from symbench.policies.attention_neuron_networks import OPEN, AttentionNeuronNetwork

SPACE = {"low": [-1.0, -1.0], "high": [1.0, 1.0], "squash": "clip"}
NORMALISATIONS = ["none", "softmax", "gate"]


def network(num_layers: int = 3, **changes: Any) -> AttentionNeuronNetwork:
    torch.manual_seed(0)
    settings = {"history": 4, "num_codes": 5, "value_dim": 3, **changes}
    return AttentionNeuronNetwork(SPACE, num_layers=num_layers, **settings).double()


@pytest.fixture
def sensors() -> Tensor:
    return torch.randn(6, 7, 4, dtype=torch.float64)


@pytest.fixture
def actions() -> Tensor:
    return torch.randn(6, 4, 2, dtype=torch.float64)


@pytest.mark.parametrize("differences", [0.0, 20.0])
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_the_order_of_sensors_changes_nothing(
    normalisation: str, differences: float, sensors: Tensor, actions: Tensor
) -> None:
    stacked = network(normalisation=normalisation, differences=differences)
    codes = stacked.features(sensors, actions)
    assert codes.shape == (6, 3 * 15)
    torch.testing.assert_close(stacked.features(sensors[:, torch.randperm(7)], actions), codes)
    assert (stacked.features(sensors.flip(2), actions) - codes).abs().max() > 1e-3, "other sensors do"


@pytest.mark.parametrize("normalisation", ["softmax", "gate"])
def test_sensors_that_all_come_twice_change_nothing(normalisation: str, sensors: Tensor, actions: Tensor) -> None:
    stacked, twice = network(normalisation=normalisation), torch.cat([sensors, sensors], dim=1)
    torch.testing.assert_close(stacked.features(twice, actions), stacked.features(sensors, actions))


@pytest.mark.parametrize("normalisation", ["none", "gate"])
def test_silent_sensors_contribute_nothing(normalisation: str, sensors: Tensor, actions: Tensor) -> None:
    stacked, silent = network(normalisation=normalisation), torch.zeros(6, 50, 4, dtype=torch.float64)
    more = torch.cat([sensors, silent], dim=1)
    torch.testing.assert_close(stacked.features(more, actions), stacked.features(sensors, actions))


def test_what_the_gate_shuts_out_reaches_no_layer(sensors: Tensor, actions: Tensor) -> None:
    stacked = network(normalisation="gate")
    assert stacked.layer.gate is not None and all(layer.gate is None for layer in stacked.layers_above)
    last = list(stacked.layer.gate.network)[-1]
    torch.nn.init.zeros_(last.weight)  # type: ignore[arg-type]
    torch.nn.init.constant_(last.bias, -9.0)  # type: ignore[arg-type]
    assert torch.count_nonzero(stacked.features(sensors, actions)) == 0


def test_a_layer_is_told_what_the_one_below_says_of_all_sensors(sensors: Tensor, actions: Tensor) -> None:
    """One layer weighs a sensor by itself; the second weighs it by what the others do, too."""
    stacked, changed = network(2), sensors.clone()
    changed[:, 1:] += 1.0
    (above,) = stacked.layers_above
    first = [stacked.layer.weights(seen, actions)[:, :, 0] for seen in (sensors, changed)]
    torch.testing.assert_close(*first)
    second = [above.weights(seen, actions, stacked.layer(seen, actions))[:, :, 0] for seen in (sensors, changed)]
    assert (second[0] - second[1]).abs().max() > 1e-3


def test_one_layer_is_what_it_was() -> None:
    alone = network(1)
    assert "num_layers" not in alone.config() and network(2).config()["num_layers"] == 2
    assert "differences" not in alone.config() and network(1, differences=9.0).config()["differences"] == 9.0
    assert {name.split(".")[0] for name in alone.state_dict()} == {"layer", "head"}


@pytest.mark.parametrize("number", [0, 17, 10**9, 1.5, True, "two"])
def test_an_impossible_number_of_layers_is_named(number: Any) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 16, received {number!r}"):
        network(number)


def with_gate_on_the_last_value(num_layers: int) -> AttentionNeuronNetwork:
    """A network whose gate lets through what its last value says: 1 quite, 0 not at all."""
    stacked = network(num_layers=num_layers, normalisation="gate")
    gate = stacked.layer.gate
    assert gate is not None
    gate.logits = lambda sensors, actions: 6 * sensors[..., -1:] - 3  # type: ignore[method-assign]
    return stacked


@pytest.mark.parametrize("num_layers", [1, 3])
def test_sensors_that_are_shut_out_need_not_be_computed(num_layers: int) -> None:
    """Rows of no, few and many open sensors among 500 have the codes that they have in training, each by itself."""
    stacked = with_gate_on_the_last_value(num_layers)
    sensors = torch.randn(5, 500, 4, dtype=torch.float64)
    opened = torch.stack([torch.arange(500) < count for count in (0, 1, OPEN, OPEN + 1, 500)]).double()
    sensors[..., -1] = opened * (0.2 + 0.8 * torch.rand(5, 500, dtype=torch.float64))
    actions = torch.randn(5, 4, 2, dtype=torch.float64)
    in_training = stacked.features(sensors, actions)
    with torch.inference_mode():
        playing = stacked.features(sensors, actions)
        alone = [stacked.features(sensors[i : i + 1], actions[i : i + 1]) for i in range(5)]
    torch.testing.assert_close(playing, in_training)
    torch.testing.assert_close(torch.cat(alone), in_training)
    assert playing[0].abs().max() == 0 and playing[1:].abs().amax(dim=1).min() > 1e-3


def test_among_few_sensors_nothing_is_left_out(sensors: Tensor, actions: Tensor) -> None:
    """So that episodes of bundled agents are those that were recorded."""
    stacked = network(normalisation="gate")
    with torch.inference_mode():
        playing = stacked.features(sensors, actions)
    assert torch.equal(playing, stacked.features(sensors, actions))
