"""Layers commute with their group, and their bases are as large as the theory and the published code say."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.equivariant import (
    BASES,
    BasisLinear,
    EquivariantMLP,
    GroupConv2d,
    invariants,
    map_basis,
    pool_group,
    pool_places,
    rank,
    symmetrize,
)
from symbench.policies.equivariant.convolutions import window
from symbench.symmetry import (
    FiniteGroup,
    GridRepresentation,
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

C2, C4, D4 = cyclic(2), cyclic(4), dihedral(4)
SIGNS = signed_permutation(C2, signs=[[-1, -1, -1, -1]])
TURNS = permutation(C4, [[0, 2, 3, 4, 1]])
PONG = permutation(C2, [[0, 1, 3, 2, 5, 4]])
MOVES = {C2: ["flip-rows"], C4: ["turn"], D4: ["turn", "flip-columns"]}

# Layer: its representations, then ranks of weights and bias in each basis.
TABLE = {
    "CartPole in": (SIGNS, regular(C2), (4, 1), (4, 1), (8, 2)),
    "CartPole hidden": (regular(C2), regular(C2), (2, 1), (2, 1), (4, 2)),
    "CartPole value": (regular(C2), trivial_representation(C2), (1, 1), (1, 0), (2, 1)),
    "C4 hidden": (regular(C4), regular(C4), (4, 1), (12, 3), (16, 4)),
    "C4 to 5 actions": (regular(C4), TURNS, (5, 2), (15, 3), (20, 5)),
    "C4 value": (regular(C4), trivial_representation(C4), (1, 1), (3, 0), (4, 1)),
    **{
        f"C4 lifting {k}": (window(C4, ["turn"], k, True), regular(C4), (k**2, 1), (3 * k**2, 3), (4 * k**2, 4))
        for k in (3, 5, 7, 8)
    },
    **{
        f"C4 group {k}": (window(C4, ["turn"], k), regular(C4), (4 * k**2, 1), (12 * k**2, 3), (16 * k**2, 4))
        for k in (3, 5, 7)
    },
    "flip lifting 8": (window(C2, ["flip-rows"], 8, True), regular(C2), (64, 1), (64, 1), (128, 2)),
    "flip group 5": (window(C2, ["flip-rows"], 5), regular(C2), (50, 1), (50, 1), (100, 2)),
    "Pong actions": (regular(C2), PONG, (6, 4), (6, 2), (12, 6)),
    "messages": (regular(C4) + standard_2d(C4) + regular(C4), regular(C4), (10, 1), (30, 3), (40, 4)),
}
PAIRS: dict[str, tuple[Representation, Representation]] = {
    **{name: row[:2] for name, row in TABLE.items() if "lifting" not in name and "group" not in name},
    "vectors": (standard_2d(C4) * 2, standard_2d(C4)),
    "fifth turns": (regular(cyclic(5)), standard_2d(cyclic(5))),
    "triangle": (standard_2d(dihedral(3)), regular(dihedral(3))),
    "permutations": (regular(symmetric(3)), permutation(symmetric(3), [[0, 2, 1], [1, 2, 0]])),
    "product": (regular(product(C2, C4)), regular(product(C2, C4))),
    "square": (regular(D4), regular(D4) + standard_2d(D4)),
    "nothing in common": (trivial_representation(C2), SIGNS),
}


def act(rep: Representation, g: int, features: Tensor) -> Tensor:
    return features @ torch.tensor(rep.matrices[g], dtype=features.dtype).T


def turn(group: FiniteGroup, g: int, pictures: Tensor, on_group: bool = True) -> Tensor:
    """What g does to features on the group (B, C, |G|, H, W), or to pictures (B, C, 1, H, W)."""
    moved = GridRepresentation(group, MOVES[group], axes=(3, 4)).apply(g, pictures.detach().numpy())
    if on_group:
        moved = np.moveaxis(regular(group).apply(g, np.moveaxis(moved, 2, -1)), -1, 2)
    return torch.from_numpy(np.ascontiguousarray(moved))


@pytest.mark.parametrize("name", TABLE)
def test_bases_have_the_known_sizes(name: str) -> None:
    rep_in, rep_out, *expected = TABLE[name]
    for basis, (weights, bias) in zip(BASES, expected, strict=True):
        assert map_basis(rep_in, rep_out, basis).shape == (weights, rep_out.dim, rep_in.dim), basis
        assert invariants(rep_out, basis).shape == (bias, rep_out.dim), basis
    assert rank(rep_in, rep_out) == expected[0][0]


@pytest.mark.parametrize("name", PAIRS)
def test_bases_are_orthonormal_and_complementary(name: str) -> None:
    rep_in, rep_out = PAIRS[name]
    flat = {basis: map_basis(rep_in, rep_out, basis).reshape(-1, rep_in.dim * rep_out.dim) for basis in BASES}
    assert len(flat["equivariant"]) == rank(rep_in, rep_out)
    for vectors in flat.values():
        np.testing.assert_allclose(vectors @ vectors.T, np.eye(len(vectors)), atol=1e-10)
    np.testing.assert_allclose(flat["equivariant"] @ flat["nullspace"].T, 0, atol=1e-10)
    assert len(flat["equivariant"]) + len(flat["nullspace"]) == len(flat["random"]) == rep_in.dim * rep_out.dim


@pytest.mark.parametrize("name", PAIRS)
def test_the_symmetrizer_projects_onto_the_basis(name: str) -> None:
    rep_in, rep_out = PAIRS[name]
    weights = np.random.default_rng(0).standard_normal((3, rep_out.dim, rep_in.dim))
    found, maps = symmetrize(weights, rep_in, rep_out), map_basis(rep_in, rep_out)
    np.testing.assert_allclose(symmetrize(found, rep_in, rep_out), found, atol=1e-12)
    for g in rep_in.group.elements:
        np.testing.assert_allclose(rep_out.matrices[g] @ found, found @ rep_in.matrices[g], atol=1e-12)
    np.testing.assert_allclose(found, np.einsum("nop,rop,rij->nij", weights, maps, maps), atol=1e-10)
    np.testing.assert_allclose(symmetrize(maps, rep_in, rep_out), maps, atol=1e-10)


def test_representations_that_are_not_orthogonal_have_bases_too() -> None:
    skew = np.array([[1.0, 1.0], [0.0, 1.0]])
    rep = Representation(C4, skew @ standard_2d(C4).matrices @ np.linalg.inv(skew))
    assert not rep.is_orthogonal
    maps = map_basis(rep, regular(C4))
    assert len(maps) == rank(rep, regular(C4)) == 2
    for g in C4.elements:
        np.testing.assert_allclose(regular(C4).matrices[g] @ maps, maps @ rep.matrices[g], atol=1e-10)


def test_a_basis_is_computed_once_and_cannot_be_changed() -> None:
    first, again = map_basis(regular(D4), regular(D4)), map_basis(regular(D4), regular(D4))
    assert first.base is again.base or first is again
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_commutes_with_every_element(name: str) -> None:
    rep_in, rep_out = PAIRS[name]
    layer = BasisLinear(3, 2, rep_in, rep_out).double()
    features = torch.randn(5, 3, rep_in.dim, dtype=torch.float64)
    output = layer(features)
    assert output.shape == (5, 2, rep_out.dim)
    for g in rep_in.group.elements:
        torch.testing.assert_close(layer(act(rep_in, g, features)), act(rep_out, g, output), atol=1e-12, rtol=0)


@pytest.mark.parametrize("basis", ["nullspace", "random"])
def test_the_other_bases_do_not_commute(basis: str) -> None:
    layer = BasisLinear(3, 2, regular(C4), TURNS, basis=basis)
    features = torch.randn(5, 3, 4)
    assert not torch.allclose(layer(act(regular(C4), 1, features)), act(TURNS, 1, layer(features)), atol=1e-2)


def test_a_layer_is_the_sum_of_its_basis() -> None:
    """Folding is only a faster way to compute sum_i c_i V_i x + b."""
    layer = BasisLinear(3, 2, regular(C4), TURNS).double()
    features = torch.randn(5, 3, 4, dtype=torch.float64)
    maps, vectors = (torch.tensor(np.array(part)) for part in (map_basis(regular(C4), TURNS), invariants(TURNS)))
    expected = torch.einsum("roi,ryx,bxi->byo", maps, layer.coefficients, features)
    expected += torch.einsum("ro,ry->yo", vectors, layer.bias)
    torch.testing.assert_close(layer(features), expected)


@pytest.mark.parametrize("depth", range(6))
@pytest.mark.parametrize("group", [C2, C4, D4], ids=lambda group: group.name)
def test_deep_networks_commute(group: FiniteGroup, depth: int) -> None:
    rep_in = regular(group) + trivial_representation(group)
    if group is not C2:
        rep_in = rep_in + standard_2d(group)
    body = EquivariantMLP(rep_in, [8] * depth)
    net = nn.Sequential(body, BasisLinear(body.channels, 1, body.rep, rep_in)).double()
    values = torch.randn(7, rep_in.dim, dtype=torch.float64)
    for g in group.elements:
        error = net(act(rep_in, g, values)) - act(rep_in, g, net(values))
        assert error.abs().max() < 1e-10


@pytest.mark.parametrize("depth", range(4))
def test_without_the_inverse_only_odd_numbers_of_hidden_layers_commute(depth: int) -> None:
    """The published code averages K_g W L_g: for quarter turns each layer turns the other way round."""
    reg = regular(C4)

    def published(rep_in: Representation, rep_out: Representation) -> np.ndarray:
        weights = np.random.default_rng(0).standard_normal((rep_out.dim, rep_in.dim))
        return sum(rep_out.matrices[g] @ weights @ rep_in.matrices[g] for g in C4.elements) / 4

    hidden, last = published(reg, reg), published(reg, TURNS)

    def net(values: np.ndarray) -> np.ndarray:
        for _ in range(depth):
            values = np.maximum(values @ hidden.T, 0)
        return values @ last.T

    values = np.random.default_rng(1).standard_normal((50, 4))
    error = np.abs(net(reg.apply(1, values)) - TURNS.apply(1, net(values))).max() / np.abs(net(values)).max()
    assert error < 1e-12 if depth % 2 else error > 1e-2


@pytest.mark.parametrize("lifting", [True, False])
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("group", MOVES, ids=lambda group: group.name)
def test_tied_kernels_span_what_the_symmetrizer_finds(group: FiniteGroup, kernel: int, lifting: bool) -> None:
    maps = map_basis(window(group, MOVES[group], kernel, lifting), regular(group))
    layer = GroupConv2d(group, MOVES[group], 1, 1, kernel, lifting=lifting, bias=False).double()
    assert layer.coefficients.numel() == len(maps)
    kernels = []
    for i in range(len(maps)):
        layer.coefficients.data = torch.eye(len(maps), dtype=torch.float64)[i].view(1, 1, -1)
        kernels.append(layer.fold()[0].flatten())
    tied, found = torch.stack(kernels), torch.tensor(maps.reshape(len(maps), -1))
    torch.testing.assert_close(tied @ tied.T, torch.eye(len(maps), dtype=torch.float64))
    torch.testing.assert_close(tied @ found.T @ found, tied)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(21, 7, 2), (9, 5, 1), (8, 2, 2), (6, 6, 1), (5, 1, 4)])
@pytest.mark.parametrize("lifting", [True, False])
@pytest.mark.parametrize("group", MOVES, ids=lambda group: group.name)
def test_a_convolution_commutes(group: FiniteGroup, lifting: bool, size: int, kernel: int, stride: int) -> None:
    layer = GroupConv2d(group, MOVES[group], 2, 3, kernel, stride, size=size, lifting=lifting).double()
    features = torch.randn(2, 2, 1 if lifting else group.order, size, size, dtype=torch.float64)
    output = layer(features)
    assert output.shape == (2, 3, group.order, layer.out_size, layer.out_size)
    for g in group.elements:
        expected = turn(group, g, output)
        torch.testing.assert_close(layer(turn(group, g, features, not lifting)), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("how", ["max", "mean"])
@pytest.mark.parametrize("group", MOVES, ids=lambda group: group.name)
def test_pooling_commutes(group: FiniteGroup, how: str) -> None:
    features = torch.randn(2, 3, group.order, 6, 6, dtype=torch.float64)
    for g in group.elements:
        moved = turn(group, g, features)
        smaller = pool_places(features, how, 2)
        torch.testing.assert_close(pool_places(moved, how, 2), turn(group, g, smaller))
        torch.testing.assert_close(pool_places(moved, how), act(regular(group), g, pool_places(features, how)))
        invariant = pool_group(pool_places(features, how), how)
        torch.testing.assert_close(pool_group(pool_places(moved, how), how), invariant)
        pictures = pool_group(features, how)[:, :, None]
        torch.testing.assert_close(pool_group(moved, how)[:, :, None], turn(group, g, pictures, on_group=False))


@pytest.mark.parametrize("basis", ["nullspace", "random"])
def test_convolutions_of_the_other_bases_do_not_commute(basis: str) -> None:
    layer = GroupConv2d(C4, ["turn"], 2, 3, 3, basis=basis)
    ranks = {"nullspace": 12 * 9, "random": 16 * 9}
    assert layer.coefficients.shape == (3, 2, ranks[basis])
    features = torch.randn(2, 2, 4, 7, 7)
    assert not torch.allclose(layer(turn(C4, 1, features)), turn(C4, 1, layer(features)), atol=1e-2)


@pytest.mark.parametrize(("size", "kernel", "stride"), [(84, 7, 4), (22, 7, 2), (5, 7, 1)])
def test_windows_that_are_not_symmetric_are_refused(size: int, kernel: int, stride: int) -> None:
    with pytest.raises(SymbenchError, match=f"received {size}"):
        GroupConv2d(C4, ["turn"], 1, 1, kernel, stride, size=size, lifting=True)
    layer = GroupConv2d(C4, ["turn"], 1, 1, kernel, stride, lifting=True)
    with pytest.raises(SymbenchError, match="plus a multiple"):
        layer(torch.zeros(1, 1, 1, size, size))


def test_such_windows_would_break_the_symmetry() -> None:
    layer = GroupConv2d(C4, ["turn"], 1, 1, 7, 2, lifting=True)
    pictures = torch.randn(1, 1, 1, 22, 22)

    def unchecked(pictures: Tensor) -> Tensor:
        return nn.functional.conv2d(pictures[:, :, 0], layer.fold()[0], stride=2)[:, None]

    assert not torch.allclose(unchecked(turn(C4, 1, pictures, False)), turn(C4, 1, unchecked(pictures)), atol=1e-2)


def layers() -> list[tuple[nn.Module, Tensor]]:
    return [
        (BasisLinear(3, 2, regular(C4), TURNS), torch.randn(5, 3, 4)),
        (GroupConv2d(C4, ["turn"], 2, 3, 3), torch.randn(2, 2, 4, 5, 5)),
        (GroupConv2d(C4, ["turn"], 2, 3, 3, basis="random"), torch.randn(2, 2, 4, 5, 5)),
    ]


@pytest.mark.parametrize("which", range(3))
def test_weights_are_never_stale(which: int) -> None:
    layer, features = layers()[which]

    def output() -> Tensor:
        with torch.inference_mode():
            return layer(features).clone()

    before = output()
    assert torch.equal(output(), before)
    with torch.no_grad():
        layer.coefficients.add_(1)  # as optimizers do
    after = output()
    assert not torch.allclose(after, before)
    torch.testing.assert_close(after, layer(features).detach())
    layer.load_state_dict({name: value * 0 for name, value in layer.state_dict().items()})
    assert not output().any()
    layer.coefficients.data = torch.ones_like(layer.coefficients)
    torch.testing.assert_close(output(), layer(features).detach())
    with torch.no_grad():
        before = layer(features)
    layer.coefficients.data.mul_(2)  # as SB3 changes target networks
    with torch.no_grad():
        after = layer(features)
    assert not torch.allclose(after, before)
    torch.testing.assert_close(after, layer(features).detach())


@pytest.mark.parametrize("which", range(3))
def test_layers_train_after_inference_and_survive_copies(which: int) -> None:
    layer, features = layers()[which]
    with torch.inference_mode():
        layer(features)
    layer(features).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in layer.parameters())
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with torch.no_grad():
            other.coefficients.mul_(0)
        with torch.inference_mode():
            assert not torch.allclose(other(features), layer(features))


@pytest.mark.parametrize("which", range(2))
def test_layers_can_be_batched_over_weights(which: int) -> None:
    layer, features = layers()[which]
    stacked = {name: torch.stack([p, 2 * p]) for name, p in layer.named_parameters()}
    with torch.inference_mode():
        layer(features)  # what is remembered must not be taken for these weights

        def call(weights: dict[str, Tensor]) -> Tensor:
            return torch.func.functional_call(layer, weights, (features,))

        both = torch.vmap(call)(stacked)
        torch.testing.assert_close(both[0], layer(features))
        torch.testing.assert_close(both[1], 2 * layer(features), atol=1e-5, rtol=0)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("init", ["xavier", "he", "torch"])
def test_initial_weights_are_as_wide_as_said(init: str, basis: str) -> None:
    layer = BasisLinear(64, 64, regular(C4), TURNS, basis=basis, init=init)
    rank, c_out, c_in = layer.coefficients.shape
    published = {"xavier": 2 / (rank * c_out * 5), "he": 2 / (rank * c_in * 4)}
    if init != "torch":
        assert layer.coefficients.var().item() == pytest.approx(published[init], rel=0.1)
        return
    weight, bias = layer.fold()
    dense = nn.Linear(64 * 4, 64 * 5)
    assert weight.std().item() == pytest.approx(dense.weight.std().item(), rel=0.1)
    assert bias.std().item() == pytest.approx(dense.bias.std().item(), rel=0.3)


def test_convolutions_begin_as_wide_as_torchs() -> None:
    layer, dense = GroupConv2d(C4, ["turn"], 16, 32, 5, init="torch"), nn.Conv2d(64, 128, 5)
    weight, bias = layer.fold()
    assert weight.std().item() == pytest.approx(dense.weight.std().item(), rel=0.1)
    assert bias.std().item() == pytest.approx(dense.bias.std().item(), rel=0.4)


def test_mistakes_are_named() -> None:
    with pytest.raises(SymbenchError, match="received C2 and C4"):
        BasisLinear(1, 1, regular(C2), regular(C4))
    with pytest.raises(SymbenchError, match="unknown basis 'equivarant'; did you mean 'equivariant'"):
        BasisLinear(1, 1, regular(C2), regular(C2), basis="equivarant")
    with pytest.raises(SymbenchError, match="unknown initialisation 'orthogonal'"):
        BasisLinear(1, 1, regular(C2), regular(C2), init="orthogonal")
    with pytest.raises(SymbenchError, match="unknown pooling 'avg'"):
        pool_places(torch.zeros(1, 1, 1, 2, 2), "avg")
    with pytest.raises(SymbenchError, match="unknown basis"):
        GroupConv2d(C4, ["turn"], 1, 1, 3, basis="other")
