"""An E(n)-equivariant graph network that does not begin by repeating its input.

* :class:`E2GN2` - the network
* :class:`E2GN2Layer` - one of its layers

After McClellan et al. 2024 (arXiv 2410.02581), who show that policies made of an E(n)-equivariant graph network explore
badly: at first x' is almost x, so every agent's action points away from the origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.graph.egnn import EGNNLayer
from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.perceptrons import Perceptron

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph


class E2GN2Layer(EGNNLayer):
    """A layer whose vectors are scaled by an invariant, instead of being kept.

    u_i' = phi_s(h_i) u_i + mean_j (u_i - u_j) phi_x(m_ij) + phi_v(h_i) v_i, with |u_i - u_j|^2 in the messages.
    """

    def __init__(self, features: int, edge_features: int, hidden: int, *, velocities: bool, **options: Any) -> None:
        """Make the layer; the options are those of :class:`~symbench.policies.graph.EGNN`."""
        given = {"velocity": "initial" if velocities else "none", "coordinates": "mean", **options}
        super().__init__(features, edge_features, hidden, **given)
        self.phi_s = Perceptron(features, hidden, 1)
        self.phi_x.linear1.reset_parameters()  # as wide as any other layer: pushes matter from the start

    def _move(
        self, features: Tensor, positions: Tensor, velocities: Tensor | None, push: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        moved, velocities = super()._move(features, self.phi_s(features) * positions, velocities, push)
        return moved, velocities


class E2GN2(GraphNetwork):
    """An E(n)-equivariant network that says how far nodes move: ``positions`` are x + scale * u, with u from layers.

    The finding is the paper's, the equations are ours and were not compared with its program: a learned invariant
    factor in place of the identity in the update of coordinates; u begins as the position relative to the centroid, so
    that translations stay a symmetry; the output is a displacement with a learned scale; velocities may be given.
    ``out.positions - positions`` is what a policy takes as its mean action.

    Example:
        >>> net, x = E2GN2(1), torch.randn(7, 5, 2)
        >>> (net(torch.ones(7, 5, 1), x).positions - x).shape
        torch.Size([7, 5, 2])
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        hidden: int = 64,
        layers: int = 4,
        *,
        velocities: bool = False,
        scale: float = 1.0,
        **options: Any,
    ) -> None:
        """Make the network.

        Args:
            features: Invariants of a node.
            edge_features: Invariants of an edge, a_ij.
            hidden: Width of h and of all perceptrons.
            layers: Number of layers.
            velocities: Whether it reads velocities.
            scale: Of the displacements, to begin with; learned.
            **options: Of all layers: ``attention``, ``normalize``, ``tanh``, ``residual``, ``coordinates``; see
                :class:`~symbench.policies.graph.EGNN`.

        Raises:
            SymbenchError: An option's value is unknown.
        """
        super().__init__(features, edge_features, needs_velocities=velocities)
        self.embedding = nn.Linear(features, hidden)
        self.layers = nn.ModuleList(
            E2GN2Layer(hidden, edge_features, hidden, velocities=velocities, **options) for _ in range(layers)
        )
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        h, u = self.embedding(features), positions - graph.centroid(positions)
        for layer in self.layers:
            h, u, _ = layer(graph, h, u, velocities, edges)
        return GraphOutput(h, positions + self.scale * u, velocities)
