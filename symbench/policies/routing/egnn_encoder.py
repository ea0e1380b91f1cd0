"""An encoder made of the E(n)-equivariant graph network: exactly invariant, for it hands on the invariant features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.graph.egnn import EGNN
from symbench.policies.routing.attention_encoder import NORMS
from symbench.policies.routing.node_invariants import count_invariants, node_invariants, unit_scale
from symbench.policies.scenes.scene_network import check_sizes

if TYPE_CHECKING:
    from symbench.policies.routing.tour_states import Instances


class EGNNEncoder(nn.Module):
    """An EGNN on cities at unit scale, whose features, normalised, are the embeddings.

    Features begin as :func:`~symbench.policies.routing.node_invariants.node_invariants`; positions move from layer to
    layer and are not handed on. Source: Satorras et al. 2021 (arXiv 2102.09844), without velocities.

    Attributes:
        width: Size d of an embedding.
    """

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        layers: int = 3,
        hidden: int = 64,
        norm: str = "batch",
        landmarks: int = 3,
    ) -> None:
        """Make the layers.

        Args:
            problem: ``"tsp"`` or ``"cvrp"``.
            width: Size d of an embedding.
            layers: Number of layers.
            hidden: Width of features and messages.
            norm: ``"batch"`` or ``"instance"``.
            landmarks: Nodes to which every node's distance is told.

        Raises:
            SymbenchError: The norm is unknown, or a size is none.
        """
        super().__init__()
        if norm not in NORMS:
            raise unknown("norm", norm, NORMS)
        check_sizes(width=width, layers=layers, hidden=hidden)
        self.width, self.landmarks = width, landmarks
        features = count_invariants(problem, landmarks)
        self.egnn = EGNN(features, 0, hidden, layers, width, velocity="none", coordinates="mean")
        self.norm = NORMS[norm](width)

    def forward(self, instances: Instances) -> tuple[Tensor, Tensor]:
        """Embeddings of the nodes, (B, n, d), and of the graph, (B, d), their mean."""
        found = self.egnn(node_invariants(instances, self.landmarks), unit_scale(instances["cities"]))
        nodes = self.norm(found.features)
        return nodes, nodes.mean(dim=1)
