"""Layers that begin equivariant and may leave, and EMLPs that commute through any representation."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from symbench.policies.equivariant import EMLP, BasisLinear, GroupConv2d, free_part
from symbench.symmetry import Representation, cyclic, dihedral, regular, standard_2d, trivial_representation


def act(rep: Representation, g: int, features: torch.Tensor) -> torch.Tensor:
    return features @ torch.tensor(rep.matrices[g], dtype=features.dtype).T


def test_soft_layers_begin_equivariant_and_may_leave() -> None:
    reg = regular(cyclic(4))
    layer = BasisLinear(3, 2, reg, reg, basis="soft").double()
    assert len(layer.coefficients) == 16 and layer.free() == 0
    features = torch.randn(5, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(layer(act(reg, 1, features)), act(reg, 1, layer(features)))
    layer.coefficients.data[4:] = 1.0
    layer.bias.data[1:] = 2.0
    assert layer.free() == 12 * 6 + 4 * 3 * 2
    assert not torch.allclose(layer(act(reg, 1, features)), act(reg, 1, layer(features)), atol=1e-2)
    assert (BasisLinear(3, 2, reg, reg).free(), BasisLinear(3, 2, reg, reg, basis="random").free()) == (0, 0)


def test_soft_convolutions_begin_equivariant_and_may_leave() -> None:
    layer = GroupConv2d(cyclic(4), ["turn"], 2, 3, 3, basis="soft").double()
    assert layer.coefficients.shape == (3, 2, 16 * 9) and layer.free() == 0
    assert free_part(torch.nn.Sequential(layer, torch.nn.ReLU())) == 0
    features = torch.randn(2, 2, 4, 5, 5, dtype=torch.float64)

    def turned(values: torch.Tensor) -> torch.Tensor:
        return torch.rot90(values, 1, (3, 4)).roll(1, 2)

    torch.testing.assert_close(layer(turned(features)), turned(layer(features)))
    layer.coefficients.data[..., 36:] = 0.1
    assert float(layer.free().detach()) == pytest.approx(0.01 * 6 * 108)
    assert not torch.allclose(layer(turned(features)), turned(layer(features)), atol=1e-2)


@pytest.mark.parametrize("nonlinearity", ["gated", "norm"])
@pytest.mark.parametrize("group", [cyclic(5), dihedral(3)], ids=lambda group: group.name)
def test_an_emlp_commutes_through_any_representation(group: Any, nonlinearity: str) -> None:
    turn, one = standard_2d(group), trivial_representation(group)
    hidden = turn + one + turn @ turn
    net = EMLP(turn + one, turn, hidden, [8, 8], nonlinearity).double()
    for parameter in net.parameters():
        parameter.data = torch.randn_like(parameter)
    values = torch.randn(7, 3, dtype=torch.float64)
    for g in group.elements:
        error = net(act(turn + one, g, values)) - act(turn, g, net(values))
        assert error.abs().max() < 1e-10 * net(values).abs().max()


def test_relu_would_break_it() -> None:
    turn = standard_2d(cyclic(5))
    net = torch.nn.Sequential(BasisLinear(1, 8, turn, turn), torch.nn.ReLU(), BasisLinear(8, 1, turn, turn))
    values = torch.randn(7, 1, 2)
    assert not torch.allclose(net(act(turn, 1, values)), act(turn, 1, net(values)), atol=1e-2)
