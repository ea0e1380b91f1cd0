"""Blocks say the same as bases, with fewer numbers; layers learn with blocks and act with folded weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from symbench.policies.equivariant import BasisLinear, invariants, map_basis
from symbench.policies.equivariant.blocks import isotypic_blocks, one_block
from symbench.symmetry import (
    Representation,
    cyclic,
    dihedral,
    permutation,
    product,
    regular,
    signed_permutation,
    standard_2d,
    symmetric,
    trivial_representation,
)

C2, C4, D4, S3, S4 = cyclic(2), cyclic(4), dihedral(4), symmetric(3), symmetric(4)
GROUPS = (cyclic(1), C2, cyclic(3), C4, cyclic(5), cyclic(8), dihedral(3), D4, product(C2, C4), S3, S4)
SIGNS = signed_permutation(C2, signs=[[-1, -1, -1, -1]])
SKEW = np.array([[1.0, 1.0], [0.0, 1.0]])
SKEWED = Representation(C4, SKEW @ standard_2d(C4).matrices @ np.linalg.inv(SKEW))
PAIRS: dict[str, tuple[Representation, Representation]] = {
    **{f"regular {group.name}": (regular(group), regular(group)) for group in GROUPS},
    "cart-pole in": (SIGNS, regular(C2)),
    "to actions": (regular(C4), permutation(C4, [[0, 2, 3, 4, 1]])),
    "value": (regular(D4), trivial_representation(D4)),
    "fifth turns": (regular(cyclic(5)), standard_2d(cyclic(5))),
    "permutations": (regular(S3), permutation(S3, [[0, 2, 1], [1, 2, 0]])),
    "sums": (regular(D4), regular(D4) + standard_2d(D4) + trivial_representation(D4, 3)),
    "nothing in common": (trivial_representation(C2), SIGNS),
    "not orthogonal": (regular(C4), SKEWED),
}


@pytest.mark.parametrize("name", PAIRS)
def test_blocks_are_the_basis(name: str) -> None:
    rep_in, rep_out = PAIRS[name]
    for blocks in (isotypic_blocks(rep_in, rep_out, 64, 64), one_block(map_basis(rep_in, rep_out))):
        maps = np.einsum("kao,kabr,kbi->roi", blocks.out, blocks.maps, blocks.into)
        np.testing.assert_allclose(maps, map_basis(rep_in, rep_out), atol=1e-12)
        vectors, written = invariants(rep_out), np.concatenate(blocks.out)
        np.testing.assert_allclose(vectors @ written.T @ written, vectors, atol=1e-12)  # biases fit in


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("regular C2", (2, 1, 1)),
        ("regular C4", (2, 2, 2)),
        ("regular D4", (2, 4, 4)),
        ("regular C2 x C4", (4, 2, 2)),
        ("regular S4", (3, 9, 9)),
        ("value", (1, 1, 1)),
        ("not orthogonal", (1, 2, 4)),
    ],
)
def test_blocks_are_as_small_as_the_theory_says(name: str, sizes: tuple[int, int, int]) -> None:
    assert isotypic_blocks(*PAIRS[name], 64, 64).sizes == sizes


def test_between_few_channels_nothing_is_moved() -> None:
    assert isotypic_blocks(*PAIRS["regular D4"], 64, 1).sizes == (1, 8, 8)


def outcome(layer: nn.Module, features: Tensor, output: Tensor) -> list[Tensor]:
    towards = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
    return [output, *torch.autograd.grad((output * towards).sum(), [features, *layer.parameters()])]


@pytest.mark.parametrize("basis", ["equivariant", "nullspace", "random", "soft"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", [name for name in PAIRS if name != "regular S4"])
def test_what_learns_is_what_acts(name: str, bias: bool, basis: str) -> None:
    """Outputs and gradients are those of the ordinary layer with the folded weights."""
    rep_in, rep_out = PAIRS[name]
    layer = BasisLinear(16, 12, rep_in, rep_out, bias=bias, basis=basis).double()
    layer.coefficients.data.normal_()
    features = torch.randn(5, 16, rep_in.dim, dtype=torch.float64, requires_grad=True)
    flat = nn.functional.linear(features.transpose(1, 2).flatten(1), *layer.fold())
    expected = outcome(layer, features, flat.view(5, rep_out.dim, 12).transpose(1, 2))
    for found, wanted in zip(outcome(layer, features, layer(features)), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(layer(features), expected[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["regular C4", "cart-pole in", "not orthogonal"])
@pytest.mark.parametrize("batch", [0, 1, 5])
def test_features_may_lie_in_memory_as_they_like(batch: int, name: str) -> None:
    rep_in, rep_out = PAIRS[name]
    layer, features = BasisLinear(16, 12, rep_in, rep_out), torch.randn(batch, 16, rep_in.dim)
    expected = layer(features)
    assert expected.shape == (batch, 12, rep_out.dim)
    for order in ((2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1), (1, 0, 2)):
        back = [order.index(axis) for axis in range(3)]
        torch.testing.assert_close(layer(features.permute(order).contiguous().permute(back)), expected)
    torch.testing.assert_close(layer(torch.cat([features, features], dim=1)[:, 16:]), expected)


def test_gradients_have_gradients() -> None:
    """Natural gradients (TRPO) and penalties of gradients need them."""
    layer = BasisLinear(8, 8, regular(C2), regular(C2)).double()
    features = torch.randn(2, 8, 2, dtype=torch.float64, requires_grad=True)

    def call(features: Tensor, *values: Tensor) -> Tensor:
        names = dict(zip(("coefficients", "bias"), values, strict=True))
        return torch.func.functional_call(layer, names, (features,)).square()

    assert torch.autograd.gradgradcheck(call, (features, *layer.parameters()))


def test_layers_learn_side_by_side() -> None:
    """Many networks of one architecture are trained as one."""
    layer, features = BasisLinear(9, 8, regular(D4), regular(D4)).double(), torch.randn(5, 9, 8, dtype=torch.float64)
    stacked = {name: torch.stack([p, -2 * p]).detach() for name, p in layer.named_parameters()}

    def loss(weights: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(layer, weights, (features,)).square().sum()

    both = torch.vmap(torch.func.grad(loss))(stacked)
    for i in range(2):
        alone = torch.func.grad(loss)({name: value[i] for name, value in stacked.items()})
        for name, gradient in alone.items():
            torch.testing.assert_close(both[name][i], gradient)
