"""A radial field: nodes push each other along the lines between them, and have no features.

* :class:`RadialField` - the network
* :class:`RadialFieldLayer` - one of its layers

Source: Köhler, Klein & Noé 2019 (arXiv 1910.00753), with velocities as in the code of Satorras et al. 2021 (arXiv
2102.09844).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.perceptrons import Perceptron

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph


class RadialFieldLayer(nn.Module):
    """x_i' = x_i + mean_j (x_i - x_j) tanh(phi_x(|x_i - x_j|, a_ij)) + phi_v(|v_i|) v_i."""

    def __init__(self, edge_features: int, hidden: int, velocities: bool) -> None:
        """Make the layer."""
        super().__init__()
        self.phi_x = Perceptron(1 + edge_features, hidden, 1, bias=False, gain=1e-3)
        self.phi_v = Perceptron(1, hidden, 1) if velocities else None

    def forward(self, graph: Graph, positions: Tensor, velocities: Tensor | None, edges: Tensor | None) -> Tensor:
        """X (..., n, d) -> x'."""
        offsets = graph.differences(positions)
        lengths = torch.linalg.vector_norm(offsets, dim=-1, keepdim=True)
        weights = self.phi_x(lengths if edges is None else torch.cat([lengths, edges], dim=-1))
        positions = positions + graph.mean(offsets * torch.tanh(weights))
        if self.phi_v is None or velocities is None:
            return positions
        moved: Tensor = positions + self.phi_v(torch.linalg.vector_norm(velocities, dim=-1, keepdim=True)) * velocities
        return moved


class RadialField(GraphNetwork):
    """An E(n)-equivariant network without features of nodes: fast, and with few parameters.

    Features are passed through. Velocities are the initial ones in every layer.

    Example:
        >>> net = RadialField()
        >>> net(None, torch.randn(7, 5, 3), torch.randn(7, 5, 3)).positions.shape
        torch.Size([7, 5, 3])
    """

    def __init__(
        self, features: int = 0, edge_features: int = 0, hidden: int = 64, layers: int = 4, *, velocities: bool = True
    ) -> None:
        """Make the network.

        Args:
            features: Features of a node that come with it and are not read.
            edge_features: Invariants of an edge, a_ij.
            hidden: Width of all perceptrons.
            layers: Number of layers.
            velocities: Whether it reads velocities.
        """
        super().__init__(features, edge_features, needs_velocities=velocities)
        self.layers = nn.ModuleList(RadialFieldLayer(edge_features, hidden, velocities) for _ in range(layers))

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        for layer in self.layers:
            positions = layer(graph, positions, velocities, edges)
        return GraphOutput(features, positions, velocities)
