"""Graph networks of every kind, and scenes for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from symbench.policies.graph import (
    E2GN2,
    EGNN,
    GNN,
    GraphNetwork,
    GraphOutput,
    RadialField,
    SE3Transformer,
    SteerableGNN,
)
from symbench.policies.graph import TensorFieldNetwork as TFN

Make = Callable[[int, int], GraphNetwork]  # of the number of layers and of coordinates


@dataclass(frozen=True)
class Case:
    """A network: how it is made, in which dimensions it lives, whether reflections are a symmetry, and e3nn needed."""

    make: Make
    dims: tuple[int, ...] = (1, 2, 3)
    reflections: bool = True
    e3nn: bool = False


EQUIVARIANT = {
    "egnn": Case(lambda layers, _: EGNN(2, 1, 8, layers)),
    "egnn as published": Case(lambda layers, _: EGNN(2, 1, 8, layers, velocity="initial", coordinates="mean")),
    "egnn with everything": Case(
        lambda layers, _: EGNN(
            2, 1, 8, layers, 3, velocity="initial", attention=True, normalize=True, tanh=True, residual=False
        )
    ),
    "egnn without velocities": Case(
        lambda layers, _: EGNN(2, 1, 8, layers, velocity="none", coordinates="mean", normalize=True)
    ),
    "e2gn2": Case(lambda layers, _: E2GN2(2, 1, 8, layers)),
    "e2gn2 with velocities": Case(lambda layers, _: E2GN2(2, 1, 8, layers, velocities=True)),
    "radial field": Case(lambda layers, _: RadialField(2, 1, 8, layers)),
    "radial field without velocities": Case(lambda layers, _: RadialField(0, 1, 8, layers, velocities=False)),
    "steerable": Case(lambda layers, _: SteerableGNN(2, 1, (5, 4), layers), (3,)),
    "steerable without velocities": Case(lambda layers, _: SteerableGNN(2, 1, (5, 4), layers, velocities=False), (3,)),
    "steerable, linear": Case(lambda layers, _: SteerableGNN(0, 1, (5, 4), layers, messages="linear"), (3,)),
    "steerable of degree 2": Case(lambda layers, _: SteerableGNN(2, 1, (5, 4, 3), layers), (3,), e3nn=True),
    "steerable by degree 3": Case(lambda layers, _: SteerableGNN(2, 1, (5, 4), layers, attribute=3), (3,), e3nn=True),
    "se3-transformer": Case(
        lambda layers, _: SE3Transformer(2, 1, 4, layers, degrees=2, div=2, radial=6, out_features=2), (3,), False
    ),
    "se3-transformer without velocities": Case(
        lambda layers, _: SE3Transformer(
            2, 1, 2, layers, degrees=2, div=1, relative="cat", final="1x1", radial=6, velocities=False
        ),
        (3,),
        False,
    ),
    "se3-transformer of degree 2": Case(
        lambda layers, _: SE3Transformer(0, 1, 2, layers, degrees=3, div=1, heads=1, radial=6), (3,), False, e3nn=True
    ),
    "tensor field": Case(lambda layers, _: TFN(2, 1, 3, layers, degrees=2, radial=6, out_features=2), (3,), False),
    "tensor field of degree 2": Case(
        lambda layers, _: TFN(2, 1, 2, layers, degrees=3, radial=6, velocities=False), (3,), False, e3nn=True
    ),
}
ALL = {
    **EQUIVARIANT,
    "gnn": Case(lambda layers, dim: GNN(2, 1, 8, layers, dim=dim, attention=True)),
    "gnn without velocities": Case(lambda layers, dim: GNN(2, 1, 8, layers, dim=dim, velocities=False)),
}


def network(case: Case, layers: int = 2, dim: int | None = None, seed: int = 0) -> GraphNetwork:
    """In float64, with weights that let it do something: some begin near zero."""
    if case.e3nn:
        pytest.importorskip("e3nn", reason="higher degrees need e3nn")
    torch.manual_seed(seed)
    net = case.make(layers, case.dims[-1] if dim is None else dim).double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return net


@dataclass
class Scene:
    """What a network is called with."""

    features: Tensor | None
    positions: Tensor
    velocities: Tensor | None
    edge_attributes: Tensor
    more: dict[str, Any] = field(default_factory=dict)

    def through(self, net: GraphNetwork) -> GraphOutput:
        arguments = {**vars(self), **self.more}
        del arguments["more"]
        return net(**arguments)  # type: ignore[no-any-return]


def scene(net: GraphNetwork, dim: int = 3, n: int = 5, batch: tuple[int, ...] = (3,), seed: int = 1) -> Scene:
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*batch, *shape, generator=rng, dtype=torch.float64)

    features = draw(n, net.num_features) if net.num_features else None
    velocities = draw(n, dim) if net.needs_velocities else None
    return Scene(features, draw(n, dim), velocities, draw(n, n, net.num_edge_features))


def moved(before: Scene, rotation: Tensor, shift: Tensor) -> Scene:
    """The scene after a rotation (or reflection) and a translation."""
    velocities = None if before.velocities is None else before.velocities @ rotation.T
    positions = before.positions @ rotation.T + shift
    return Scene(before.features, positions, velocities, before.edge_attributes, before.more)


def single(before: Scene) -> Scene:
    """The scene in float32."""
    parts = (before.features, before.positions, before.velocities, before.edge_attributes)
    features, positions, velocities, attributes = (None if part is None else part.float() for part in parts)
    assert positions is not None and attributes is not None
    return Scene(features, positions, velocities, attributes, before.more)


def reordered(before: Scene, order: Tensor) -> Scene:
    """The scene with its nodes in another order."""
    parts = (before.features, before.positions, before.velocities)
    features, positions, velocities = (None if part is None else part[:, order] for part in parts)
    assert positions is not None
    return Scene(features, positions, velocities, before.edge_attributes[:, order][:, :, order], before.more)


@torch.no_grad()
def error_under(net: GraphNetwork, before: Scene, rotation: Tensor, shift: Tensor) -> float:
    """How far the network of the moved scene is from the moved network of the scene, beside how far nodes move."""
    first, second = before.through(net), moved(before, rotation, shift).through(net)
    expected = first.positions @ rotation.T + shift
    errors = [(second.positions - expected).abs().max() / (first.positions - before.positions).abs().max()]
    if first.features.numel():
        errors.append((second.features - first.features).abs().max() / first.features.abs().max())
    if first.velocities is not None and second.velocities is not None:
        turned = first.velocities @ rotation.T
        errors.append((second.velocities - turned).abs().max() / turned.abs().max())
    return float(torch.stack(errors).max())
