"""The steerable graph network of the published size, made of e3nn's tensor products and gates."""

from __future__ import annotations

import torch
from e3nn import nn as e3nn_nn
from e3nn import o3
from torch import Tensor, nn

from symbench.policies.graph import GraphOutput

HIDDEN = o3.Irreps("32x0e+32x1o")
ATTRIBUTE = o3.Irreps.spherical_harmonics(1)


class Product(nn.Module):
    """A tensor product with a bias on scalars."""

    def __init__(self, inputs: o3.Irreps, outputs: o3.Irreps) -> None:
        super().__init__()
        self.product = o3.FullyConnectedTensorProduct(inputs, ATTRIBUTE, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs.count("0e")))

    def forward(self, features: Tensor, attributes: Tensor) -> Tensor:
        result = self.product(features, attributes)
        scalars = len(self.bias)
        return torch.cat([result[..., :scalars] + self.bias, result[..., scalars:]], dim=-1) if scalars else result


class Gated(nn.Module):
    """A product and a gate."""

    def __init__(self, inputs: o3.Irreps) -> None:
        super().__init__()
        self.gate = e3nn_nn.Gate("32x0e", [torch.nn.functional.silu], "32x0e", [torch.sigmoid], "32x1o")
        self.product = Product(inputs, self.gate.irreps_in)

    def forward(self, features: Tensor, attributes: Tensor) -> Tensor:
        return self.gate(self.product(features, attributes))


class E3nnSteerableGNN(nn.Module):
    """Positions, velocities, |v| and one attribute of edges to positions; all pairs of nodes."""

    def __init__(self, layers: int = 4) -> None:
        super().__init__()
        both = HIDDEN + HIDDEN
        self.embedding = Product(o3.Irreps("2x1o+1x0e"), HIDDEN)
        self.layers = nn.ModuleList(
            nn.ModuleList([Gated(both + o3.Irreps("2x0e")), Gated(HIDDEN), Gated(both), Product(HIDDEN, HIDDEN)])
            for _ in range(layers)
        )
        self.readout = nn.ModuleList([Gated(HIDDEN), Product(HIDDEN, o3.Irreps("1x1o"))])

    def forward(self, features: Tensor, x: Tensor, v: Tensor, *, edge_attributes: Tensor) -> GraphOutput:
        n = x.shape[1]
        others = (~torch.eye(n, dtype=torch.bool)).to(x.dtype)[..., None]
        offsets = x[:, None] - x[:, :, None]
        a = o3.spherical_harmonics(ATTRIBUTE, offsets, normalize=True, normalization="integral")
        of_nodes = (a * others).sum(2) / (n - 1)
        of_nodes = of_nodes + o3.spherical_harmonics(ATTRIBUTE, v, normalize=True, normalization="integral")
        of_nodes = torch.cat([torch.ones_like(of_nodes[..., :1]), of_nodes[..., 1:]], dim=-1)
        h = self.embedding(torch.cat([x - x.mean(1, keepdim=True), v, features], dim=-1), of_nodes)
        scalars = torch.cat([offsets.norm(dim=-1, keepdim=True), edge_attributes], dim=-1)
        for message0, message1, update0, update1 in self.layers:
            pairs = [h[:, :, None].expand(-1, -1, n, -1), h[:, None].expand(-1, n, -1, -1), scalars]
            messages = message1(message0(torch.cat(pairs, dim=-1), a), a)
            sums = (messages * others).sum(2)
            h = h + update1(update0(torch.cat([h, sums], dim=-1), of_nodes), of_nodes)
        displacements = self.readout[1](self.readout[0](h, of_nodes), of_nodes)
        return GraphOutput(h, x + displacements)
