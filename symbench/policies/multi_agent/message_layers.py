"""Message layers: what agents are, and what they hear, to what they are next.

All take what k agents are, their edges and weights, and what all n agents sent; see
:class:`~symbench.policies.multi_agent.message_passing.MessagePassingNetwork`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from symbench.policies.equivariant import BasisLinear
from symbench.policies.multi_agent.communication_graph import gathered
from symbench.policies.multi_agent.message_passing import row_by_row

if TYPE_CHECKING:
    from symbench.symmetry import Representation


class EquivariantMessageLayer(nn.Module):
    """z_i' = relu(W [z_i ; m_i]) with m_i = sum_j A_ij [x_j - x_i ; z_j] and a W that commutes with the group.

    Features are in regular representations, (B, k, c, |G|); edges turn with the plane, and are repeated over channels.
    Source: van der Pol et al. 2022 (arXiv 2110.04495).
    """

    def __init__(
        self, in_channels: int, out_channels: int, rep: Representation, rep_edge: Representation, **layer: Any
    ) -> None:
        """Make the layer.

        Args:
            in_channels: Channels that are read.
            out_channels: Channels that are made.
            rep: The regular representation.
            rep_edge: How edges transform.
            **layer: Parameters of :class:`~symbench.policies.equivariant.BasisLinear`.
        """
        super().__init__()
        self.linear = BasisLinear(in_channels, out_channels, rep + rep_edge + rep, rep, **layer)

    def forward(self, own: Tensor, edges: Tensor, weights: Tensor, sent: Tensor) -> Tensor:
        """(B, k, c, d), (B, k, n, 2), (B, k, n), (B, n, c, d) -> (B, k, c', d)."""
        edge = gathered(weights, edges)[:, :, None].expand(-1, -1, own.shape[2], -1)
        known = torch.cat([own, edge, gathered(weights, sent[:, None])], dim=3)
        return torch.relu(row_by_row(self.linear, known))


class StandardMessageLayer(nn.Module):
    """The same with any W; features are (B, k, c)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Make the layer."""
        super().__init__()
        self.linear = nn.Linear(2 * in_channels + 2, out_channels)

    def forward(self, own: Tensor, edges: Tensor, weights: Tensor, sent: Tensor) -> Tensor:
        """(B, k, c), (B, k, n, 2), (B, k, n), (B, n, c) -> (B, k, c')."""
        known = torch.cat([own, gathered(weights, edges), gathered(weights, sent[:, None])], dim=2)
        return torch.relu(row_by_row(self.linear, known))


class GraphMessageLayer(nn.Module):
    """A layer of a plain graph network: h_i' = phi_v([h_i, sum_j A_ij phi_e(h_i, h_j, x_j - x_i)]).

    phi_e and phi_v are two layers each. Source: Gilmer et al. 2017 (arXiv 1704.01212).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Make the layer."""
        super().__init__()
        self.message = _two_layers(2 * in_channels + 2, out_channels)
        self.update = _two_layers(in_channels + out_channels, out_channels)

    def forward(self, own: Tensor, edges: Tensor, weights: Tensor, sent: Tensor) -> Tensor:
        """(B, k, c), (B, k, n, 2), (B, k, n), (B, n, c) -> (B, k, c')."""
        (batch, hearers, speakers), channels = weights.shape, own.shape[2]
        one, other = own[:, :, None], sent[:, None]
        pairs = [each.expand(batch, hearers, speakers, channels) for each in (one, other)]
        messages = row_by_row(self.message, torch.cat([*pairs, edges], dim=3).flatten(1, 2))
        heard = gathered(weights, messages.reshape(batch, hearers, speakers, -1))
        return row_by_row(self.update, torch.cat([own, heard], dim=2))


def _two_layers(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Linear(outputs, outputs), nn.ReLU())
