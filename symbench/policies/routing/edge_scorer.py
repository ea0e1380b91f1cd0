"""How likely an edge is part of a shortest tour: a heatmap that depends on distances alone.

Rotated, reflected, shifted and scaled instances have the same heatmap; it is renumbered as cities are.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.errors import SymbenchError
from symbench.policies.graph.perceptrons import Perceptron

FAR: Final = -15.0
"""Log-probability of edges that join no near neighbours: below the threshold of DPDP, and yet a number."""
_FEATURES = 5


class NearNeighbours(NamedTuple):
    """Edges from each city to its k nearest.

    Attributes:
        cities: Whom they lead to, (B, n, k) int64.
        offsets: From city to neighbour, in units of the mean distance of neighbours, (B, n, k, 2).
        features: Distances and ranks, as seen from both ends, (B, n, k, 5).
    """

    cities: Tensor
    offsets: Tensor
    features: Tensor

    def gather(self, values: Tensor) -> Tensor:
        """Values of cities, (B, n, ...), at the ends of edges, (B, n, k, ...)."""
        return at_ends(values, self.cities)


def at_ends(values: Tensor, whom: Tensor) -> Tensor:
    """Values of cities, (B, n, ...), at the cities that edges lead to, (B, n, k) to (B, n, k, ...)."""
    first = torch.arange(len(values), device=values.device)[:, None, None] * values.shape[1]
    ends = values.flatten(0, 1).index_select(0, (whom + first).flatten())
    return ends.view(*whom.shape, *values.shape[2:])


def near_neighbours(cities: Tensor, k: int) -> NearNeighbours:
    """The graph of k nearest neighbours of cities (B, n, 2), k below n."""
    distances = (cities[:, :, None] - cities[:, None]).norm(dim=-1)
    away = distances + torch.diag(distances.new_full(cities.shape[1:2], torch.inf))
    ranks = away.argsort(dim=-1, stable=True).argsort(dim=-1).to(cities.dtype)
    near, whom = away.topk(k, dim=-1, largest=False)
    scale = near.mean(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(cities.dtype).tiny)
    offsets = (at_ends(cities, whom) - cities[:, :, None]) / scale[..., None]
    own, other = ranks.gather(2, whom), ranks.transpose(1, 2).gather(2, whom)
    typical = near.mean(dim=-1, keepdim=True) / scale
    length = near / scale
    features = [length, own / k, (other / k).clamp(max=3.0), length - typical, length - at_ends(typical, whom)[..., 0]]
    return NearNeighbours(whom, offsets, torch.stack(features, dim=-1))


class EdgeScorerLayer(nn.Module):
    """A gated graph convolution on nodes h and directed edges e, with c vectors in the plane.

    ::

        v_i  = mean_j (W e_ij) (x_j - x_i)                                     c vectors, turned as the cities are
        m_ij = A e_ij + B h_i + C h_j + D [v_i . (x_j - x_i), v_j . (x_j - x_i)]
        h_i' = h_i + SiLU(LN(U h_i + sum_j sigmoid(m_ij) V h_j / sum_j sigmoid(m_ij)))
        e_ij' = e_ij + SiLU(LN(m_ij))

    Source: the gated convolution is that of Joshi, Laurent & Bresson 2019 (arXiv 1906.01227), equations 4 and 5.
    """

    def __init__(self, width: int, vectors: int) -> None:
        """Make a layer for nodes and edges of this width."""
        super().__init__()
        self.from_edge, self.from_node = nn.Linear(width, width), nn.Linear(width, 4 * width, bias=False)
        self.vectors, self.from_vectors = nn.Linear(width, vectors), nn.Linear(2 * vectors, width, bias=False)
        self.node_norm, self.edge_norm = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, graph: NearNeighbours, nodes: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Nodes (B, n, width) and edges (B, n, k, width) to the next ones."""
        own, other, kept, sent = self.from_node(nodes).chunk(4, dim=-1)
        messages = self.from_edge(edges) + own[:, :, None] + graph.gather(other) + self._from_angles(graph, edges)
        gates = torch.sigmoid(messages)
        heard = (gates * graph.gather(sent)).sum(dim=2) / gates.sum(dim=2)
        nodes = nodes + F.silu(self.node_norm(kept + heard))
        return nodes, edges + F.silu(self.edge_norm(messages))

    def _from_angles(self, graph: NearNeighbours, edges: Tensor) -> Tensor:
        """What the edges say of their angles to vectors at both ends, (B, n, k, width)."""
        vectors = graph.offsets.transpose(2, 3) @ self.vectors(edges) / edges.shape[2]  # (B, n, 2, c)
        here = graph.offsets @ vectors
        there = (graph.gather(vectors) * graph.offsets[..., None]).sum(dim=-2)
        angles: Tensor = self.from_vectors(torch.cat([here, there], dim=-1))
        return angles


class EdgeScorer(nn.Module):
    """A trainable heatmap of edges for :func:`symbench.solvers.dpdp.dpdp`.

    Invariant under rotations, reflections, translations and scaling of the cities, equivariant under their order, by
    construction: it reads distances and angles in units of the mean distance of neighbours, and ranks of neighbours.
    (Where neighbours are equally far, their order decides whose edges it reads.) It serves any number of cities.

    Example:
        >>> scorer = EdgeScorer()
        >>> scorer(torch.rand(3, 20, 2)).shape
        torch.Size([3, 20, 20])

    Attributes:
        kind: Name of the architecture in saved files.
    """

    kind: ClassVar[str] = "edge-scorer"

    def __init__(self, width: int = 64, layers: int = 4, neighbours: int = 10, vectors: int = 8) -> None:
        """Make the scorer.

        Args:
            width: Of the features of nodes and edges.
            layers: Number of graph convolutions.
            neighbours: Edges lead from every city to this many; all if there are fewer.
            vectors: Vectors of a node, by which angles are seen.
        """
        super().__init__()
        self._config = {"width": width, "layers": layers, "neighbours": neighbours, "vectors": vectors}
        self.node, self.edge = nn.Linear(_FEATURES, width), nn.Linear(_FEATURES, width)
        self.layers = nn.ModuleList(EdgeScorerLayer(width, vectors) for _ in range(layers))
        self.readout = Perceptron(width, width, 1)

    def config(self) -> dict[str, Any]:
        """Arguments that make a scorer of this shape."""
        return dict(self._config)

    def forward(self, cities: Tensor) -> Tensor:
        """Log-probabilities that edges are part of a shortest tour, symmetric, (B, n, n), of cities (B, n, 2).

        Those of cities that are no near neighbours, and of cities with themselves, are :data:`FAR`.

        Raises:
            SymbenchError: ``cities`` has another shape, or fewer than 2 cities.
        """
        logits, near = self.logits(cities)
        return F.logsigmoid(logits).where(near, torch.tensor(FAR, dtype=logits.dtype)).clamp_min(FAR)

    def logits(self, cities: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of edges, symmetric, (B, n, n), and which edges join near neighbours; elsewhere logits are 0."""
        if cities.ndim != 3 or cities.shape[-1] != 2 or cities.shape[1] < 2:
            raise SymbenchError(f"cities must have shape (B, n, 2), n at least 2, received {tuple(cities.shape)}")
        graph = near_neighbours(cities, min(self._config["neighbours"], cities.shape[1] - 1))
        edges = self.edge(graph.features)
        nodes = self.node(graph.features).mean(dim=2)
        for layer in self.layers:
            nodes, edges = layer(graph, nodes, edges)
        return _symmetric(graph.cities, self.readout(edges)[..., 0])


def _symmetric(whom: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Mean logits of i to j and j to i, of those that there are, as matrices: (B, n, k) to (B, n, n)."""
    matrix = logits.new_zeros(*logits.shape[:2], logits.shape[1]).scatter(2, whom, logits)
    count = torch.zeros_like(matrix).scatter(2, whom, 1.0)
    matrix, count = matrix + matrix.transpose(1, 2), count + count.transpose(1, 2)
    return matrix / count.clamp_min(1.0), count > 0
