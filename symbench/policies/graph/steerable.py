"""Steerable E(3)-equivariant graph networks: nodes and messages hold scalars, vectors and higher degrees.

* :class:`SteerableGNN` - the network
* :class:`SteerableLayer` - messages and updates by gated tensor products
* :class:`SteerableConvolution` - its linear sibling: one product a message, one gate a node

Source: Brandstetter et al. 2022 (arXiv 2110.02905).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.spherical_harmonics import spherical_harmonics, unit_vectors
from symbench.policies.graph.tensor_products import (
    GatedProduct,
    Steerable,
    TensorProduct,
    at_nodes,
    gate,
    with_gates,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.graph.graphs import Graph

MESSAGES: Final = ("nonlinear", "linear")
CENTRES: Final = ("centroid", "axes")


class SteerableLayer(nn.Module):
    """Gated products in messages and updates.

    m_ij: two products of [f_i, f_j, e_ij] with a_ij; f_i' = f_i + two products of [f_i, sum_j m_ij] with a_i.
    """

    def __init__(self, channels: Sequence[int], attribute: int, edge_features: int) -> None:
        """Make the layer for features of these channels and e of so many scalars."""
        super().__init__()
        both = [2 * count for count in channels]
        self.message0 = GatedProduct([both[0] + edge_features, *both[1:]], attribute, channels)
        self.message1 = GatedProduct(channels, attribute, channels)
        self.update0 = GatedProduct(both, attribute, channels)
        self.update1 = TensorProduct(channels, attribute, channels)

    def forward(
        self, graph: Graph, features: Steerable, edges: Tensor, of_edges: Sequence[Tensor], of_nodes: Sequence[Tensor]
    ) -> Steerable:
        """Features of nodes, e (..., k), attributes of edges and of nodes, to features."""
        messages = self.message1(self.message0(at_edges(graph, features, edges), of_edges), of_edges)
        sums = [at_nodes(graph.sum, each) for each in messages]
        both = [torch.cat(pair, dim=-1) for pair in zip(features, sums, strict=True)]
        update = self.update1(self.update0(both, of_nodes), of_nodes)
        return [old + new for old, new in zip(features, update, strict=True)]


class SteerableConvolution(nn.Module):
    """f_i' = f_i + gate(sum_j product of [f_i, f_j, e_ij] with a_ij): messages are linear in features."""

    def __init__(self, channels: Sequence[int], attribute: int, edge_features: int) -> None:
        """Make the layer for features of these channels and e of so many scalars."""
        super().__init__()
        self._channels = tuple(channels)
        scalars, *vectors = (2 * count for count in channels)
        self.message = TensorProduct([scalars + edge_features, *vectors], attribute, with_gates(channels))

    def forward(
        self, graph: Graph, features: Steerable, edges: Tensor, of_edges: Sequence[Tensor], of_nodes: Sequence[Tensor]
    ) -> Steerable:
        """Features of nodes, e (..., k) and attributes of edges to features; attributes of nodes are not read."""
        messages = self.message(at_edges(graph, features, edges), of_edges)
        update = gate([at_nodes(graph.sum, each) for each in messages], self._channels)
        return [old + new for old, new in zip(features, update, strict=True)]


class SteerableGNN(GraphNetwork):
    """A graph network that is equivariant under rotations, reflections and translations of space.

    Attributes of edges and nodes are spherical harmonics of x_j - x_i and of velocities; every layer multiplies
    features by them. Degrees 0 and 1 need no other package; higher ones need e3nn (extra ``[geometric]``).

    Example:
        >>> net, x = SteerableGNN(1, channels=(8, 8), velocities=False), torch.randn(7, 5, 3)
        >>> net(torch.ones(7, 5, 1), x).positions.shape
        torch.Size([7, 5, 3])
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        channels: Sequence[int] = (32, 32),
        layers: int = 4,
        *,
        attribute: int | None = None,
        velocities: bool = True,
        messages: str = "nonlinear",
        centre: str = "centroid",
    ) -> None:
        """Make the network.

        Args:
            features: Invariants of a node.
            edge_features: Invariants of an edge; |x_i - x_j| is read anyway.
            channels: Hidden features of each degree, (scalars, vectors, ...).
            layers: Number of layers.
            attribute: Highest degree of attributes; ``None``: that of the features.
            velocities: Whether it reads velocities.
            messages: One of :data:`MESSAGES`: layers, or linear steerable convolutions.
            centre: What positions are relative to, where they are read as features: the ``"centroid"`` of the graph;
                or ``"axes"``, the mean over a node's own coordinates, which the published script for N-body systems
                subtracts and which is not equivariant.

        Raises:
            SymbenchError: An option's value is unknown, there are no vectors, or e3nn is needed and not installed.
        """
        super().__init__(features, edge_features, dim=3, needs_velocities=velocities)
        if messages not in MESSAGES:
            raise unknown("kind of messages", messages, MESSAGES)
        if centre not in CENTRES:
            raise unknown("centre", centre, CENTRES)
        degree = len(channels) - 1 if attribute is None else attribute
        if len(channels) < 2 or degree < 1:
            raise SymbenchError(f"steerable networks need scalars and vectors, channels=(32, 32), received {channels}")
        self._degree, self._per_axis = degree, centre == "axes"
        layer = SteerableLayer if messages == "nonlinear" else SteerableConvolution
        self.embedding = TensorProduct([features, 2 if velocities else 1], degree, channels)
        self.layers = nn.ModuleList(layer(channels, degree, 1 + edge_features) for _ in range(layers))
        self.readout0 = GatedProduct(channels, degree, channels)
        self.readout1 = TensorProduct(channels, degree, [0, 1])

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        offsets = -graph.differences(positions)
        lengths = torch.linalg.vector_norm(offsets, dim=-1, keepdim=True)
        read = velocities if self.needs_velocities else None
        of_edges = spherical_harmonics(unit_vectors(offsets), self._degree)
        of_nodes = self._node_attributes(graph, of_edges, read)
        h = self.embedding(self._inputs(graph, features, positions, read), of_nodes)
        scalars = lengths if edges is None else torch.cat([lengths, edges], dim=-1)
        for layer in self.layers:
            h = layer(graph, h, scalars, of_edges, of_nodes)
        displacement = self.readout1(self.readout0(h, of_nodes), of_nodes)[1][..., 0]
        return GraphOutput(h[0][..., 0, :], positions + displacement, velocities)

    def _inputs(self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None) -> Steerable:
        centre = positions.mean(-1, keepdim=True) if self._per_axis else graph.centroid(positions)
        vectors = [positions - centre] if velocities is None else [positions - centre, velocities]
        return [features[..., None, :], torch.stack(vectors, dim=-1)]

    def _node_attributes(self, graph: Graph, of_edges: list[Tensor], velocities: Tensor | None) -> list[Tensor]:
        """mean_j Y(x_j - x_i) + Y(v_i); what is of degree 0 is one, as published."""
        means = [graph.mean(each) for each in of_edges]
        if velocities is not None:
            own = spherical_harmonics(unit_vectors(velocities), self._degree)
            means = [mean + each for mean, each in zip(means, own, strict=True)]
        return [torch.ones_like(means[0]), *means[1:]]


def at_edges(graph: Graph, features: Steerable, edges: Tensor) -> Steerable:
    """[f_i, f_j, e_ij] of every edge, the scalars e last."""
    joined = []
    for each in features:
        flat = each.flatten(-2)
        shape = (*flat.shape[:-2], *graph.edge_shape, flat.shape[-1])
        pair = (graph.receivers(flat).expand(shape), graph.senders(flat).expand(shape))
        joined.append(torch.cat([part.view(*shape[:-1], *each.shape[-2:]) for part in pair], dim=-1))
    return [torch.cat([joined[0], edges[..., None, :]], dim=-1), *joined[1:]]
