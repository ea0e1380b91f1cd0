"""E(n)-equivariant graph networks.

* :class:`EGNN` - the network
* :class:`EGNNLayer` - one of its layers

Source: Satorras, Hoogeboom & Welling 2021 (arXiv 2102.09844), equations 3 to 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.perceptrons import EdgePerceptron, Perceptron

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph

VELOCITIES: Final = ("updated", "initial", "none")
COORDINATES: Final = ("sum", "mean")


class EGNNLayer(nn.Module):
    """One layer of an E(n)-equivariant graph network.

    ::

        m_ij = phi_e(h_i, h_j, |x_i - x_j|^2, a_ij)
        u_i  = sum_j (x_i - x_j) phi_x(m_ij)                or the mean over j
        v_i' = phi_v(h_i) v_i + u_i,  x_i' = x_i + v_i'     velocity="updated"
        x_i' = x_i + u_i + phi_v(h_i) v_i                   velocity="initial": v stays as it was
        x_i' = x_i + u_i                                    velocity="none"
        h_i' = h_i + phi_h(h_i, sum_j m_ij)
    """

    def __init__(
        self,
        features: int,
        edge_features: int,
        hidden: int,
        *,
        velocity: str = "updated",
        coordinates: str = "sum",
        attention: bool = False,
        normalize: bool = False,
        tanh: bool = False,
        residual: bool = True,
        clamp: float | None = None,
    ) -> None:
        """Make the layer; the options are those of :class:`EGNN`.

        Raises:
            SymbenchError: ``velocity`` or ``coordinates`` is unknown.
        """
        super().__init__()
        if velocity not in VELOCITIES:
            raise unknown("velocity", velocity, VELOCITIES)
        if coordinates not in COORDINATES:
            raise unknown("aggregation of coordinates", coordinates, COORDINATES)
        self.velocity, self.coordinates = velocity, coordinates
        self.normalize, self.tanh, self.residual, self.clamp = normalize, tanh, residual, clamp
        self.phi_e = EdgePerceptron(features, 1 + edge_features, hidden, hidden)
        self.phi_h = Perceptron(features + hidden, hidden, features)
        self.phi_x = Perceptron(hidden, hidden, 1, bias=False, gain=1e-3)
        self.att = nn.Linear(hidden, 1) if attention else None
        self.phi_v = None if velocity == "none" else Perceptron(features, hidden, 1)

    def forward(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """H (..., n, k), x (..., n, d), v like x, a: values of edges; to h, x and v."""
        offsets = graph.differences(positions)
        squares = offsets.square().sum(-1, keepdim=True)
        messages = self.phi_e(graph, features, squares if edges is None else torch.cat([squares, edges], dim=-1))
        if self.att is not None:
            messages = messages * torch.sigmoid(self.att(messages))
        push = self._push(graph, offsets, squares, messages)
        positions, velocities = self._move(features, positions, velocities, push)
        update = self.phi_h(torch.cat([features, graph.sum(messages)], dim=-1))
        return features + update if self.residual else update, positions, velocities

    def _push(self, graph: Graph, offsets: Tensor, squares: Tensor, messages: Tensor) -> Tensor:
        """u_i, (..., n, d)."""
        weights = self.phi_x(messages)
        if self.tanh:
            weights = torch.tanh(weights)
        if self.normalize:
            lengths = squares.where(squares > 0, 1.0).sqrt()  # at 0 the root has no gradient, and d_ij is 0 anyway
            # As published: with velocities |d| + 1, without them |d| + 1e-8.
            weights = weights / (lengths + (1e-8 if self.phi_v is None else 1.0))
        pushes = offsets * weights
        if self.clamp is not None:
            pushes = pushes.clamp(-self.clamp, self.clamp)
        return graph.sum(pushes) if self.coordinates == "sum" else graph.mean(pushes)

    def _move(
        self, features: Tensor, positions: Tensor, velocities: Tensor | None, push: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        if self.phi_v is None or velocities is None:
            return positions + push, velocities
        kept = self.phi_v(features) * velocities
        if self.velocity == "initial":
            return positions + push + kept, velocities
        return positions + kept + push, kept + push


class EGNN(GraphNetwork):
    """A graph network that is equivariant under rotations, reflections and translations in any dimension.

    The defaults are the equations of the paper. The published program takes the initial velocity in every layer and
    means over neighbours: ``velocity="initial", coordinates="mean"``; its version for graphs without velocities is
    ``velocity="none"``.

    Example:
        >>> net = EGNN(1, edge_features=1)
        >>> x, v = torch.randn(7, 5, 3), torch.randn(7, 5, 3)
        >>> charges = torch.ones(7, 5, 5, 1)
        >>> out = net(v.norm(dim=-1, keepdim=True), x, v, edge_attributes=charges)
        >>> out.positions.shape, out.velocities.shape, out.features.shape
        (torch.Size([7, 5, 3]), torch.Size([7, 5, 3]), torch.Size([7, 5, 64]))
    """

    def __init__(
        self,
        features: int,
        edge_features: int = 0,
        hidden: int = 64,
        layers: int = 4,
        out_features: int | None = None,
        **options: Any,
    ) -> None:
        """Make the network.

        Args:
            features: Invariants of a node.
            edge_features: Invariants of an edge, a_ij.
            hidden: Width of h and of all perceptrons.
            layers: Number of layers.
            out_features: Width of a last linear layer on h; ``None``: h itself.
            **options: Of all layers: ``velocity``: one of :data:`VELOCITIES`; ``coordinates``: one of
                :data:`COORDINATES`; ``attention``: whether messages are weighted by a sigmoid of them;
                ``normalize``: whether x_i - x_j is divided by its length (and 1, where there are velocities);
                ``tanh``: whether phi_x is bounded; ``residual``: whether h is added to its update; ``clamp``: bound of
                each component of a push; the published program has 100. It breaks equivariance where it acts.

        Raises:
            SymbenchError: An option's value is unknown.
        """
        super().__init__(features, edge_features, needs_velocities=options.get("velocity", "updated") != "none")
        self.embedding = nn.Linear(features, hidden)
        self.layers = nn.ModuleList(EGNNLayer(hidden, edge_features, hidden, **options) for _ in range(layers))
        self.embedding_out = None if out_features is None else nn.Linear(hidden, out_features)

    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """See :class:`GraphNetwork`."""
        h, x, v = self.embedding(features), positions, velocities
        for layer in self.layers:
            h, x, v = layer(graph, h, x, v, edges)
        return GraphOutput(h if self.embedding_out is None else self.embedding_out(h), x, v)
