"""The two-layer perceptrons of graph networks, on nodes and on edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph


class Perceptron(nn.Module):
    """Two linear layers with SiLU between them: (..., inputs) -> (..., outputs)."""

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        *,
        bias: bool = True,
        gain: float | None = None,
        last: bool = False,
    ) -> None:
        """Make the layers.

        Args:
            inputs: Width of what it reads.
            hidden: Width between the layers.
            outputs: Width of what it says.
            bias: Whether the second layer has one.
            gain: Draws the second layer's weights by Xavier's rule times this; ``None``: as torch does.
            last: Whether SiLU follows the second layer, too.
        """
        super().__init__()
        self.linear0, self.linear1 = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs, bias=bias)
        self._last = last
        if gain is not None:
            nn.init.xavier_uniform_(self.linear1.weight, gain=gain)

    def forward(self, values: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        return self._second(self.linear0(values))

    def _second(self, hidden: Tensor) -> Tensor:
        values: Tensor = self.linear1(F.silu(hidden))
        return F.silu(values) if self._last else values


class EdgePerceptron(Perceptron):
    """A perceptron on [h_i, h_j, e_ij] of every edge, with SiLU at its end.

    The first layer is linear, so its parts of h_i and h_j are computed once a node and not once an edge.
    """

    def __init__(self, nodes: int, edges: int, hidden: int, outputs: int) -> None:
        """Make it for nodes and edges of these widths."""
        super().__init__(2 * nodes + edges, hidden, outputs, last=True)
        self._splits = [nodes, nodes, edges]

    def forward(self, graph: Graph, nodes: Tensor, edges: Tensor | None) -> Tensor:  # type: ignore[override]
        """Nodes (..., n, k) and values of edges, to messages."""
        to_receiver, to_sender, to_edge = torch.split(self.linear0.weight, self._splits, dim=1)
        receivers = graph.receivers(F.linear(nodes, to_receiver, self.linear0.bias))
        hidden = receivers + graph.senders(F.linear(nodes, to_sender))
        return self._second(hidden if edges is None else hidden + F.linear(edges, to_edge))
