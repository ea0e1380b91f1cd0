"""Graphs that messages travel along: from senders j to receivers i, then summed at each receiver.

* :func:`make_graph` - who receives from whom: everybody from all others, those of an adjacency, or those of a list
* :class:`DenseGraph`, :class:`SparseGraph` - the two ways to hold messages; networks do not know which it is

Dense messages are (..., n, n, k) with the receiver first, sparse ones (..., E, k). Leading dimensions are batches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from symbench.errors import SymbenchError


class Graph(ABC):
    """Who receives from whom. A node without neighbours receives zeros.

    Attributes:
        mask: Which nodes exist, (..., n) of bools; ``None``: all.
        edge_shape: (n, n) or (E,): what messages have between the batch and their features.
    """

    def __init__(
        self, edge_shape: tuple[int, ...], present: Tensor | None, mask: Tensor | None, dtype: torch.dtype
    ) -> None:
        """Hold which messages count, bools (..., *edge_shape); ``None``: all."""
        self.edge_shape, self.mask = edge_shape, mask
        self._present = None if present is None else present[..., None]
        self._weights = None if present is None else present[..., None].to(dtype)
        self._degrees: Tensor | None = None

    @abstractmethod
    def receivers(self, nodes: Tensor) -> Tensor:
        """Values of nodes (..., n, k) at the messages that they receive."""

    @abstractmethod
    def senders(self, nodes: Tensor) -> Tensor:
        """Values of nodes (..., n, k) at the messages that they send."""

    @abstractmethod
    def _sum(self, messages: Tensor) -> Tensor:
        """Sum of messages at their receivers, (..., n, k)."""

    @abstractmethod
    def _max(self, messages: Tensor) -> Tensor:
        """Maximum of messages at their receivers, (..., n, k)."""

    def differences(self, positions: Tensor) -> Tensor:
        """x_i - x_j, from the sender to the receiver, (..., n, d) -> messages."""
        return self.receivers(positions) - self.senders(positions)

    def sum(self, messages: Tensor) -> Tensor:
        """Sum over the neighbours, (..., n, k)."""
        return self._sum(messages if self._weights is None else messages * self._weights)

    def mean(self, messages: Tensor) -> Tensor:
        """Mean over the neighbours, (..., n, k); zeros where there are none."""
        if self._degrees is None:
            self._degrees = self.sum(messages.new_ones((*self.edge_shape, 1))).clamp_min(1.0)
        return self.sum(messages) / self._degrees

    def softmax(self, scores: Tensor) -> Tensor:
        """Scores of messages to weights that add up to one over the neighbours of every receiver."""
        if self._present is not None:
            scores = scores.masked_fill(~self._present, -torch.inf)
        highest = self._max(scores.detach())
        highest = torch.where(highest.isfinite(), highest, 0.0)  # nodes without neighbours
        weights = torch.exp(scores - self.receivers(highest))
        total = self._sum(weights)
        return weights / self.receivers(torch.where(total > 0, total, 1.0))

    def only_present(self, nodes: Tensor) -> Tensor:
        """Values of nodes with zeros for those that do not exist, whatever was there."""
        return nodes if self.mask is None else torch.where(self.mask[..., None], nodes, 0.0)

    def centroid(self, positions: Tensor) -> Tensor:
        """Mean of the nodes that exist, (..., 1, d)."""
        if self.mask is None:
            return positions.mean(-2, keepdim=True)
        count = self.mask.sum(-1)[..., None, None].clamp_min(1)
        return self.only_present(positions).sum(-2, keepdim=True) / count


class DenseGraph(Graph):
    """All pairs of nodes, of which some count: messages (..., n, n, k), no gathering and no scattering."""

    def receivers(self, nodes: Tensor) -> Tensor:
        """(..., n, k) -> (..., n, 1, k), to be broadcast over senders."""
        return nodes.unsqueeze(-2)

    def senders(self, nodes: Tensor) -> Tensor:
        """(..., n, k) -> (..., 1, n, k), to be broadcast over receivers."""
        return nodes.unsqueeze(-3)

    def _sum(self, messages: Tensor) -> Tensor:
        return messages.sum(-2)

    def _max(self, messages: Tensor) -> Tensor:
        return messages.amax(-2)


class SparseGraph(Graph):
    """A list of edges, the same for the whole batch: messages (..., E, k)."""

    def __init__(self, edges: Tensor, num_nodes: int, mask: Tensor | None, dtype: torch.dtype) -> None:
        """Hold edges (2, E): receivers and senders."""
        self._i, self._j = edges
        self._n = num_nodes
        present = None if mask is None else mask[..., self._i] & mask[..., self._j]
        super().__init__((len(self._i),), present, mask, dtype)

    def receivers(self, nodes: Tensor) -> Tensor:
        """(..., n, k) -> (..., E, k)."""
        return nodes.index_select(-2, self._i)

    def senders(self, nodes: Tensor) -> Tensor:
        """(..., n, k) -> (..., E, k)."""
        return nodes.index_select(-2, self._j)

    def _sum(self, messages: Tensor) -> Tensor:
        empty = messages.new_zeros((*messages.shape[:-2], self._n, messages.shape[-1]))
        return empty.index_add(-2, self._i, messages)

    def _max(self, messages: Tensor) -> Tensor:
        lowest = messages.new_full((*messages.shape[:-2], self._n, messages.shape[-1]), -torch.inf)
        index = self._i[:, None].expand_as(messages)
        return lowest.scatter_reduce(-2, index, messages, "amax")


def make_graph(positions: Tensor, edges: Tensor | None = None, mask: Tensor | None = None) -> Graph:
    """The graph of nodes at given positions.

    Args:
        positions: (..., n, d).
        edges: ``None``: everybody receives from all others. Bools (..., n, n): receiver i from sender j. Integers
            (2, E): a list of receivers and senders, the same for the whole batch.
        mask: Which nodes exist, bools (..., n); the others neither send nor receive.

    Raises:
        SymbenchError: Edges or mask do not fit the positions, or an edge names a node that is not there.
    """
    n = positions.shape[-2]
    if mask is not None and (mask.dtype != torch.bool or mask.shape != positions.shape[:-1]):
        raise SymbenchError(
            f"mask must be bools of shape {tuple(positions.shape[:-1])}, one for each node, "
            f"received {mask.dtype} of shape {tuple(mask.shape)}"
        )
    if edges is not None and edges.dtype != torch.bool:
        return SparseGraph(_checked(edges, n), n, mask, positions.dtype)
    present = ~torch.eye(n, dtype=torch.bool, device=positions.device)
    if edges is not None:
        if edges.shape[-2:] != (n, n) or edges.shape[:-2] not in ((), positions.shape[:-2]):
            raise SymbenchError(f"an adjacency of {n} nodes must be (..., {n}, {n}), received {tuple(edges.shape)}")
        present = edges
    if mask is not None:
        present = present & mask[..., :, None] & mask[..., None, :]
    return DenseGraph((n, n), present, mask, positions.dtype)


def _checked(edges: Tensor, n: int) -> Tensor:
    if edges.dtype not in (torch.int64, torch.int32) or edges.ndim != 2 or len(edges) != 2:
        raise SymbenchError(
            "edges must be integers of shape (2, E), receivers and senders, or bools of shape (..., n, n); "
            f"received {edges.dtype} of shape {tuple(edges.shape)}"
        )
    if edges.numel() and not 0 <= int(edges.min()) <= int(edges.max()) < n:
        raise SymbenchError(
            f"edges must name nodes 0 to {n - 1}, received {int(edges.min())} to {int(edges.max())}; "
            "leave out edges of absent nodes"
        )
    return edges.long()
