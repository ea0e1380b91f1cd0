"""What all graph networks have in common: their call, and what they refuse.

* :class:`GraphNetwork` - base class
* :class:`GraphOutput` - what they return
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.graph.graphs import make_graph

if TYPE_CHECKING:
    from symbench.policies.graph.graphs import Graph


class GraphOutput(NamedTuple):
    """What a graph network says of every node; zeros for nodes that do not exist.

    Attributes:
        features: Numbers that do not move with the scene, (..., n, k).
        positions: (..., n, d).
        velocities: (..., n, d), or ``None`` where there are none.
    """

    features: Tensor
    positions: Tensor
    velocities: Tensor | None = None


class GraphNetwork(nn.Module, ABC):
    """A network on the nodes of a graph, which have features, positions and perhaps velocities.

    Attributes:
        num_features: Features of a node that it reads.
        num_edge_features: Attributes of an edge that it reads.
        dim: Coordinates of a position; ``None``: any number.
        needs_velocities: Whether velocities must be given.
    """

    def __init__(
        self, features: int, edge_features: int, *, dim: int | None = None, needs_velocities: bool = False
    ) -> None:
        """Say what the network reads."""
        super().__init__()
        self.num_features, self.num_edge_features = features, edge_features
        self.dim, self.needs_velocities = dim, needs_velocities

    def forward(
        self,
        features: Tensor | None,
        positions: Tensor,
        velocities: Tensor | None = None,
        edges: Tensor | None = None,
        edge_attributes: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> GraphOutput:
        """What becomes of every node.

        Args:
            features: Invariants of nodes, (..., n, k); ``None`` where the network reads none.
            positions: (..., n, d).
            velocities: Like ``positions``.
            edges: ``None``: everybody receives from all others; bools (..., n, n): receiver i from sender j; integers
                (2, E): a list of receivers and senders, the same for the whole batch.
            edge_attributes: (..., n, n, a), or (..., E, a) with a list of edges.
            mask: Which nodes exist, bools (..., n).

        Raises:
            SymbenchError: Something is missing or of another shape; an edge names a node that is not there.
        """
        self._check(features, positions, velocities)
        graph = make_graph(positions, edges, mask)
        self._check_edges(graph, edge_attributes)
        h = positions[..., :0] if features is None else graph.only_present(features)
        x = graph.only_present(positions)
        v = None if velocities is None else graph.only_present(velocities)
        out = self.propagate(graph, h, x, v, edge_attributes)
        v = out.velocities
        v = None if v is None else graph.only_present(v)
        return GraphOutput(graph.only_present(out.features), graph.only_present(out.positions), v)

    @abstractmethod
    def propagate(
        self, graph: Graph, features: Tensor, positions: Tensor, velocities: Tensor | None, edges: Tensor | None
    ) -> GraphOutput:
        """The network itself, on inputs that were checked; ``edges`` are the attributes."""

    def _check(self, features: Tensor | None, positions: Tensor, velocities: Tensor | None) -> None:
        name, dim = type(self).__name__, self.dim
        if positions.ndim < 2 or 0 in positions.shape[-2:] or positions.shape[-1] != (dim or positions.shape[-1]):
            raise SymbenchError(
                f"{name} needs positions (..., n, {dim or 'd'}) of at least one node, received {_shape(positions)}"
            )
        if velocities is None and self.needs_velocities:
            raise SymbenchError(f"{name} needs velocities (..., n, {positions.shape[-1]}), or to be made without them")
        if velocities is not None and velocities.shape != positions.shape:
            raise SymbenchError(
                f"velocities must be {_shape(positions)} as positions are, received {_shape(velocities)}"
            )
        expected = (*positions.shape[:-1], self.num_features)
        if (features is None and self.num_features) or (features is not None and features.shape != expected):
            raise SymbenchError(f"{name} needs features {expected}, received {_shape(features)}")
        types = {part.dtype for part in (features, positions, velocities) if part is not None}
        if len(types) > 1:
            raise SymbenchError(f"features, positions and velocities must be of one dtype, received {types}")

    def _check_edges(self, graph: Graph, attributes: Tensor | None) -> None:
        expected, name = (*graph.edge_shape, self.num_edge_features), type(self).__name__
        if attributes is None and self.num_edge_features:
            raise SymbenchError(f"{name} needs edge_attributes {('...', *expected)}, received none")
        if attributes is not None and attributes.shape[-len(expected) :] != expected:
            raise SymbenchError(f"{name} needs edge_attributes {('...', *expected)}, received {_shape(attributes)}")


def _shape(tensor: Tensor | None) -> str:
    return "none" if tensor is None else str(tuple(tensor.shape))
