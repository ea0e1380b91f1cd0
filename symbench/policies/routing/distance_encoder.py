"""An encoder that sees distances only: exactly invariant under rotations, mirrors, shifts and scales."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from symbench.policies.graph.perceptrons import Perceptron
from symbench.policies.routing.attention_encoder import AttentionLayer
from symbench.policies.routing.node_invariants import count_invariants, node_invariants, unit_scale
from symbench.policies.scenes.scene_network import check_sizes

if TYPE_CHECKING:
    from symbench.policies.routing.tour_states import Instances


class DistanceEncoder(nn.Module):
    """The attention model's layers, whose scores of attention are shifted by what a perceptron makes of distances.

    ::

        h_i = W [|x_i|, |x_i - landmark_1|, ...]                  x at unit scale; of CVRP also demand and "is depot"
        score_ij = q_i . k_j / sqrt(d_k) + phi_lh(|x_i - x_j|)    in layer l and head h

    Landmarks tell nodes apart that see the same distances, e.g. those on opposite sides of the centre; see
    :func:`~symbench.policies.routing.node_invariants.node_invariants`. Source of the shifted scores: MatNet (Kwon et
    al. 2021, arXiv 2106.11113), which mixes them by a perceptron.

    Attributes:
        width: Size d of an embedding.
    """

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        hidden: int = 512,
        norm: str = "batch",
        landmarks: int = 3,
    ) -> None:
        """Make the layers.

        Args:
            problem: ``"tsp"`` or ``"cvrp"``.
            width: Size d of an embedding.
            heads: Heads of attention; they divide ``width``.
            layers: Number of layers.
            hidden: Width of the feed-forward networks.
            norm: ``"batch"`` or ``"instance"``.
            landmarks: Nodes to which every node's distance is told.

        Raises:
            SymbenchError: The norm is unknown, a size is none, or the heads do not divide the width.
        """
        super().__init__()
        check_sizes(width=width, heads=heads, layers=layers, hidden=hidden)
        self.width, self.landmarks = width, landmarks
        self.embed = nn.Linear(count_invariants(problem, landmarks), width)
        self.scores = Perceptron(1, 32, layers * heads)
        self.layers = nn.ModuleList(AttentionLayer(width, heads, hidden, norm, bias=False) for _ in range(layers))

    def forward(self, instances: Instances) -> tuple[Tensor, Tensor]:
        """Embeddings of the nodes, (B, n, d), and of the graph, (B, d), their mean."""
        nodes = self.embed(node_invariants(instances, self.landmarks))
        offsets = unit_scale(instances["cities"])
        distances = (offsets[:, :, None] - offsets[:, None]).norm(dim=-1, keepdim=True)
        scores = self.scores(distances).movedim(-1, 1).chunk(len(self.layers), dim=1)
        for layer, shift in zip(self.layers, scores, strict=True):
            nodes = layer(nodes, shift)
        return nodes, nodes.mean(dim=1)
