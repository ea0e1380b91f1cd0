"""Networks that say where charged particles will be, from where they are.

All of them map positions and velocities, (B, n, 3), and charges, (B, n), to positions (B, n, 3).

Source: Satorras et al. 2021 (arXiv 2102.09844), section 5.1, for all but the steerable networks: Brandstetter et al.
2022 (arXiv 2110.02905), table 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies import EGNN, GNN, RadialField, SE3Transformer, SteerableGNN, TensorFieldNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.policies.graph import GraphNetwork


class Linear(nn.Module):
    """x + t v with a learned time t."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Parameter(torch.tensor(0.7))

    def forward(self, positions: Tensor, velocities: Tensor, _charges: Tensor) -> Tensor:
        """x, v and charges to x'."""
        return positions + self.time * velocities


class NetworkPredictor(nn.Module):
    """A graph network on all pairs of particles; edges have the product of charges, and |x_i - x_j|^2 if it is read."""

    def __init__(self, network: GraphNetwork, reads: str = "speeds") -> None:
        """Predict with ``network``, whose nodes have |v| as their feature (``reads="speeds"``) or the charge."""
        super().__init__()
        self.network, self._reads = network, reads

    def forward(self, positions: Tensor, velocities: Tensor, charges: Tensor) -> Tensor:
        """x, v and charges to x'."""
        edges = charges[..., :, None, None] * charges[..., None, :, None]
        if self.network.num_edge_features > 1:
            offsets = positions[..., :, None, :] - positions[..., None, :, :]
            edges = torch.cat([edges, offsets.square().sum(-1, keepdim=True)], dim=-1)
        features = velocities.norm(dim=-1, keepdim=True) if self._reads == "speeds" else charges[..., None]
        read = features if self.network.num_features else None
        positions = self.network(read, positions, velocities, edge_attributes=edges).positions
        return positions


@dataclass(frozen=True)
class Predictor:
    """How a predictor is made and trained.

    Attributes:
        make: Makes the network, with torch's generator.
        learning_rate: Adam's, as published.
    """

    make: Callable[[], nn.Module]
    learning_rate: float


PREDICTORS: Final = {
    "linear": Predictor(Linear, 1e-3),
    "gnn": Predictor(lambda: NetworkPredictor(GNN(0, 1)), 1e-3),
    "radial-field": Predictor(lambda: NetworkPredictor(RadialField(0, 2)), 2e-4),
    "tfn": Predictor(lambda: NetworkPredictor(TensorFieldNetwork(1, 1, 16, degrees=2), "charges"), 1e-3),
    "se3-transformer": Predictor(lambda: NetworkPredictor(SE3Transformer(0, 1, 16, degrees=2, div=2)), 5e-3),
    "egnn": Predictor(lambda: NetworkPredictor(EGNN(1, 2, velocity="initial", coordinates="mean")), 5e-4),
    "egnn-equations": Predictor(lambda: NetworkPredictor(EGNN(1, 2)), 5e-4),
    "segnn": Predictor(lambda: NetworkPredictor(SteerableGNN(1, 1)), 5e-4),
    "steerable-linear": Predictor(lambda: NetworkPredictor(SteerableGNN(1, 1, messages="linear")), 5e-4),
}
"""``"egnn"`` is the published program, ``"egnn-equations"`` the paper's equations. The SE(3)-Transformer and the tensor
field network read charges at edges, which those of the published table do not; the transformer is smaller than there
(scalars and vectors, 16 channels)."""


def make_predictor(name: str, seed: int = 0) -> nn.Module:
    """A predictor with weights drawn from a seed; torch's own generator stays as it is.

    Raises:
        SymbenchError: There is no such predictor.
    """
    if name not in PREDICTORS:
        raise unknown("predictor", name, PREDICTORS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PREDICTORS[name].make()
