"""The layers against the published formula, written out for one observation at a time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from vision_cases import patches_of

from symbench.policies.vision import SetPooling, VisionAttentionNeuron

CONFIGS = [
    {},
    {"key_hidden": (16,)},
    {"key_input": "both"},
    {"affine": False},
    {"still_values": False},
    {"key_input": "both", "still_values": False},
    {"key_input": "frames"},
    {"key_input": "frames", "learned_queries": True},
]


def actions_of(batch: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.nn.functional.one_hot(torch.arange(batch) % 6, 6).to(dtype)


def published(layer: VisionAttentionNeuron, patches: Tensor, action: Tensor) -> Tensor:
    """All patches (N, k, D) of one observation, with the action in every key."""
    frames = patches.to(action.dtype) / 255.0
    keys, values = [], []
    for patch in frames:
        differences = (patch[1:] - patch[:-1]).flatten()
        inputs = {"differences": [differences], "both": [differences, patch[-1]], "frames": [patch.flatten()]}
        keys.append(layer.project_key(torch.cat([*inputs[layer.key_input], action])))
        value = layer.project_value(torch.cat([layer.norm_patch(frame) for frame in patch]))
        values.append(value if layer.still_values or differences.any() else torch.zeros_like(value))
    queries, width = layer.project_query(layer.queries), layer.project_query.out_features
    weights = torch.softmax(queries @ torch.stack(keys).T / math.sqrt(width), dim=-1)
    return layer.norm_code(torch.relu(weights @ torch.stack(values)))


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_grouping_still_patches_and_cancelling_the_action_are_exact(config: dict) -> None:
    layer = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, **config).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    patches, actions = patches_of(3), actions_of(3)
    with torch.no_grad():
        codes = layer(patches, actions)
        for row in range(3):
            torch.testing.assert_close(codes[row], published(layer, patches[row], actions[row]), atol=1e-10, rtol=0)


@pytest.mark.parametrize("still_values", [True, False])
@pytest.mark.parametrize("config", [{}, {"key_hidden": (16,)}], ids=str)
def test_without_still_values_the_texture_of_what_stands_still_has_no_influence(
    config: dict, still_values: bool
) -> None:
    layer = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, still_values=still_values, **config).double()
    patches, actions = patches_of(3), actions_of(3)
    still = (patches[:, :, 1:] == patches[:, :, :-1]).all(dim=3).all(dim=2)
    texture = torch.randint(0, 256, (3, 196, 1, 36), dtype=torch.uint8).expand_as(patches)
    elsewhere = torch.where(still[:, :, None, None], texture, patches)
    with torch.no_grad():
        assert torch.equal(layer(elsewhere, actions), layer(patches, actions)) != still_values


def test_where_all_patches_move_still_values_change_nothing() -> None:
    torch.manual_seed(0)
    plain = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8).double()
    without = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, still_values=False).double()
    without.load_state_dict(plain.state_dict())
    moving, actions = torch.randint(0, 256, (3, 196, 4, 36), dtype=torch.uint8), actions_of(3)
    with torch.no_grad():
        assert torch.equal(without(moving, actions), plain(moving, actions))
        assert not torch.equal(without(patches_of(3), actions), plain(patches_of(3), actions))


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_hidden_patches_are_as_if_removed(config: dict) -> None:
    layer = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, **config).double()
    patches, actions = patches_of(3), actions_of(3)
    mask = (torch.rand(3, 196) < 0.4).to(torch.int8)
    noise = torch.randint(0, 256, patches.shape, dtype=torch.uint8)
    disturbed = torch.where(mask[:, :, None, None] != 0, patches, noise)
    with torch.no_grad():
        codes = layer(patches, actions, mask)
        assert torch.equal(layer(disturbed, actions, mask), codes)
        for row, seen in enumerate(mask != 0):
            removed = layer(patches[row : row + 1, seen], actions[row : row + 1])
            torch.testing.assert_close(removed[0], codes[row], atol=1e-10, rtol=0)
        assert not torch.allclose(layer(disturbed, actions), layer(patches, actions), atol=1e-3)


def test_hidden_patches_are_as_if_removed_from_a_set() -> None:
    layer = SetPooling(36, 6, num_codes=25, code_dim=8, heads=2).double()
    patches, actions = patches_of(3), actions_of(3)
    mask = torch.rand(3, 196) < 0.4
    disturbed = torch.where(mask[:, :, None, None], patches, 255 - patches)
    with torch.no_grad():
        codes = layer(patches, actions, mask)
        assert torch.equal(layer(disturbed, actions, mask), codes)
        for row, seen in enumerate(mask):
            removed = layer(patches[row : row + 1, seen], actions[row : row + 1])
            torch.testing.assert_close(removed[0], codes[row], atol=1e-10, rtol=0)


def test_a_linear_key_leaves_the_action_without_influence_and_a_hidden_layer_does_not() -> None:
    patches, actions = patches_of(3), actions_of(3)
    for config, matters in (({}, False), ({"key_hidden": (16,)}, True)):
        layer = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, **config).double()
        with torch.no_grad():
            assert torch.equal(layer(patches, actions), layer(patches, actions.flip(0))) != matters


@pytest.mark.parametrize("number", [1, 2, 50, 400])
def test_any_number_of_patches(number: int) -> None:
    patches = torch.randint(0, 256, (2, number, 4, 36), dtype=torch.uint8)
    for layer in (VisionAttentionNeuron(36, 6, num_codes=25), SetPooling(36, 6, num_codes=25)):
        codes = layer(patches, torch.zeros(2, 6))
        assert codes.shape == (2, 25, 32) and bool(codes.isfinite().all())


RELATED = [
    {"blocks": 1},
    {"blocks": 2, "heads": 4, "key_hidden": (16,), "learned_queries": True},
    {"blocks": 1, "key_input": "frames", "positions": True},
]


@pytest.mark.parametrize("config", RELATED, ids=str)
def test_patches_learn_of_each_other_but_not_of_hidden_ones(config: dict) -> None:
    layer = VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, **config).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    patches, actions = patches_of(3), actions_of(3)
    mask = (torch.rand(3, 196) < 0.4).to(torch.int8)
    disturbed = torch.where(mask[:, :, None, None] != 0, patches, 255 - patches)
    with torch.no_grad():
        codes = layer(patches, actions, mask)
        assert torch.equal(layer(disturbed, actions, mask), codes)
        assert torch.allclose(layer.weights(disturbed, actions, mask), layer.weights(patches, actions, mask))
        if "positions" not in config:
            for row, seen in enumerate(mask != 0):
                removed = layer(patches[row : row + 1, seen], actions[row : row + 1])
                torch.testing.assert_close(removed[0], codes[row], atol=1e-10, rtol=0)
            order = torch.randperm(196)
            torch.testing.assert_close(layer(patches[:, order], actions), layer(patches, actions), atol=1e-10, rtol=0)
        assert not torch.allclose(layer(patches, actions), codes, atol=1e-3)


def test_learned_queries_begin_as_the_fixed_ones_and_places_without_influence() -> None:
    layers = []
    for config in ({}, {"learned_queries": True, "positions": True}):
        torch.manual_seed(0)
        layers.append(VisionAttentionNeuron(36, 6, num_codes=25, code_dim=8, **config).double())
    fixed, learned = layers
    assert "queries" in dict(learned.named_parameters()) and "queries" not in fixed.state_dict()
    torch.testing.assert_close(learned(patches_of(2), actions_of(2)), fixed(patches_of(2), actions_of(2)))


def test_gradients_reach_every_parameter_that_matters() -> None:
    patches, actions = patches_of(2), actions_of(2, torch.float32)
    related = VisionAttentionNeuron(
        36, 6, num_codes=25, key_hidden=(16,), learned_queries=True, blocks=1, positions=True
    )
    for layer in (VisionAttentionNeuron(36, 6, num_codes=25, key_hidden=(16,)), related, SetPooling(36, 6)):
        layer(patches, actions).pow(2).mul(torch.rand(2, layer.num_codes, 32)).sum().backward()
        for name, parameter in layer.named_parameters():
            # A bias of the last keys adds the same number to all scores, which the softmax cancels.
            if not name.endswith(("project_key.2.bias", "key.bias")):
                assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"key_input": "pixels"}, r"key_input must be one of \('differences', 'both', 'frames'\), received 'pixels'"),
        ({"history": 1}, "history must be at least 2"),
    ],
)
def test_wrong_parameters_are_named(config: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VisionAttentionNeuron(36, 6, **config)
