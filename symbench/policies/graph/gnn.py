"""A plain graph network, which knows no symmetry but that of its nodes' order.

* :class:`GNN` - the network
* :class:`GNNLayer` - one of its layers

Source: Gilmer et al. 2017 (arXiv 1704.01212), as the baseline of Satorras et al. 2021 (arXiv 2102.09844), equation 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.perceptrons import EdgePerceptron, Perceptron

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph


class GNNLayer(nn.Module):
    """m_ij = phi_e(h_i, h_j, a_ij), h_i' = h_i + phi_h(h_i, sum_j m_ij)."""

    def __init__(
        self, features: int, edge_features: int, hidden: int, *, attention: bool = False, residual: bool = True
    ) -> None:
        """Make the layer; the options are those of :class:`GNN`."""
        super().__init__()
        self.residual = residual
        self.phi_e = EdgePerceptron(features, edge_features, hidden, hidden)
        self.phi_h = Perceptron(features + hidden, hidden, features)
        self.att = Perceptron(features, hidden, 1) if attention else None

    def forward(self, graph: Graph, features: Tensor, edges: Tensor | None) -> Tensor:
        """H (..., n, k) -> h'."""
        messages = self.phi_e(graph, features, edges)
        if self.att is not None:
            messages = messages * torch.sigmoid(self.att(graph.differences(features).abs()))
        update: Tensor = self.phi_h(torch.cat([features, graph.sum(messages)], dim=-1))
        return features + update if self.residual else update


class GNN(GraphNetwork):
    """A graph network whose nodes' features are numbers like any other: [features, positions, velocities].

    Equivariant under permutations of the nodes only. Its output is the positions themselves, not how far they move.

    Example:
        >>> net = GNN(0, dim=2, velocities=False)
        >>> net(None, torch.randn(7, 5, 2)).positions.shape
        torch.Size([7, 5, 2])
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        hidden: int = 64,
        layers: int = 4,
        *,
        dim: int = 3,
        velocities: bool = True,
        **options: Any,
    ) -> None:
        """Make the network.

        Args:
            features: Features of a node, may be 0.
            edge_features: Features of an edge, a_ij.
            hidden: Width of h and of all perceptrons.
            layers: Number of layers.
            dim: Coordinates d of a position.
            velocities: Whether it reads velocities.
            **options: Of all layers: ``attention``: whether messages are weighted by a sigmoid of a perceptron on
                |h_i - h_j|; ``residual``: whether h is added to its update.
        """
        super().__init__(features, edge_features, dim=dim, needs_velocities=velocities)
        self.embedding = nn.Linear(features + (2 * dim if velocities else dim), hidden)
        self.layers = nn.ModuleList(GNNLayer(hidden, edge_features, hidden, **options) for _ in range(layers))
        self.decoder = Perceptron(hidden, hidden, dim)

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        read = velocities if self.needs_velocities else None
        h = self.embedding(torch.cat([part for part in (features, positions, read) if part is not None], dim=-1))
        for layer in self.layers:
            h = layer(graph, h, edges)
        return GraphOutput(h, self.decoder(h), velocities)
