"""The attention that pictures show is the attention that the layers act on."""

from __future__ import annotations

import pytest
import torch
from gymnasium.spaces import Discrete

from symbench.policies.attention_neuron import NORMALISATIONS, AttentionNeuron, RecurrentAttentionNeuron
from symbench.policies.vision import (
    SetPooling,
    SetTransformerNetwork,
    VisionAttentionNeuron,
    VisionAttentionNeuronNetwork,
)

PATCHES, DIM, ACTIONS = 9, 4, 2


def patches(batch: int = 2) -> torch.Tensor:
    """Random frames of patches, of which two thirds do not move."""
    drawn = torch.randint(0, 256, (batch, PATCHES, 4, DIM), dtype=torch.uint8)
    drawn[:, 3:] = drawn[:, 3:, :1]
    return drawn


@pytest.mark.parametrize("options", [{}, {"key_input": "both"}, {"key_hidden": (8,)}])
@pytest.mark.parametrize("masked", [False, True])
def test_weights_times_values_is_what_the_vision_layer_normalises(options: dict[str, object], masked: bool) -> None:
    layer = VisionAttentionNeuron(DIM, ACTIONS, num_codes=16, code_dim=8, **options)  # type: ignore[arg-type]
    seen, actions = patches(), torch.randn(2, ACTIONS)
    mask = (torch.arange(PATCHES) % 3 > 0).expand(2, -1).to(torch.int8) if masked else None
    weights = layer.weights(seen, actions, mask)
    codes = layer.norm_code(torch.relu(weights @ layer.values(seen / 255.0)))
    torch.testing.assert_close(codes, layer(seen, actions, mask), atol=1e-5, rtol=0)
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 16))
    assert mask is None or weights[:, :, mask[0] == 0].abs().max() == 0


@pytest.mark.parametrize("masked", [False, True])
def test_weights_of_one_head_pool_the_tokens_as_the_set_layer_does(masked: bool) -> None:
    layer = SetPooling(DIM, ACTIONS, num_codes=4, code_dim=8, blocks=0)
    seen, actions = patches(), torch.zeros(2, ACTIONS)
    mask = (torch.arange(PATCHES) > 2).expand(2, -1).to(torch.int8) if masked else None
    values = layer.pool.value(layer.embed(seen.flatten(2) / 255.0))
    query = layer.pool.query(layer.seeds)
    mixed = layer.pool.norm_attention(query + layer.weights(seen, actions, mask) @ values)
    expected = layer.pool.norm_row(mixed + torch.relu(layer.pool.row(mixed)))
    torch.testing.assert_close(expected, layer(seen, actions, mask), atol=1e-5, rtol=0)


def test_several_heads_are_averaged() -> None:
    layer = SetPooling(DIM, ACTIONS, num_codes=4, code_dim=8, heads=2)
    weights = layer.weights(patches(), torch.zeros(2, ACTIONS))
    torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 4))


@pytest.mark.parametrize("kind", [VisionAttentionNeuronNetwork, SetTransformerNetwork])
def test_a_network_shows_the_attention_of_the_step_it_is_about_to_take(kind: type) -> None:
    network = kind(Discrete(3), num_codes=16, code_dim=8, conv=(), hidden=(8,)).eval()
    state = network.initial_state(2, 12, 18, 1)
    for _ in range(3):
        frames = torch.randint(0, 256, (2, 12, 18, 1), dtype=torch.uint8)
        before = state
        _, state = network(frames, state)
    weights = network.attention(frames, before)
    assert weights.shape == (2, 16, 6)
    # The patch history that the step left behind is the one that the weights are about.
    torch.testing.assert_close(weights, network.layer.weights(state[1], before[2]))
    other = network.attention(255 - frames, before)
    assert (weights - other).abs().max() > 1e-4


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_weights_of_sensors_are_those_of_the_code(normalisation: str) -> None:
    layer = AttentionNeuron(3, ACTIONS, num_codes=6, value_dim=4, normalisation=normalisation)
    sensors, actions = torch.randn(2, 5, 3), torch.randn(2, 3, ACTIONS)
    weights = layer.weights(sensors, actions)
    assert weights.shape == (2, 6, 5)
    assert torch.equal((weights @ layer.values(sensors)).flatten(1), layer(sensors, actions))
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(layer.weights(sensors[:, order], actions), weights[:, :, order])
    if normalisation == "softmax":
        torch.testing.assert_close(weights.sum(dim=2), torch.ones(2, 6))


def test_recurrent_weights_are_those_of_the_step_that_is_taken() -> None:
    layer = RecurrentAttentionNeuron(ACTIONS, num_codes=6)
    seen, actions, state = torch.randn(2, 5), torch.randn(2, ACTIONS), (torch.randn(2, 5, 8), torch.randn(2, 5, 8))
    weights = layer.weights(seen, actions, *state)
    code, *after = layer(seen, actions, *state)
    torch.testing.assert_close(torch.tanh((weights @ seen[:, :, None])[:, :, 0]), code)
    assert not torch.allclose(layer.weights(seen, actions, *after), weights), "the step after is another"
