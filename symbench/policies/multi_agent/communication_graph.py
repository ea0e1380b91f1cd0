"""Who hears whom, and how much what he hears counts.

x_j - x_i is the edge on which agent i hears agent j. Everything here is computed number by number, so that an agent
that knows only its own edges finds the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED_REACH: Final = 2**0.5 * 2 / 21
"""In the published Traffic, .1347: its junctions are 1 apart, and nobody hears anybody."""


@dataclass(frozen=True)
class CommunicationGraph:
    """Weights of messages between n agents.

    The message of agent j to agent i has the weight A_ij = [|x_j - x_i| < reach] / d_j, where d_j counts who hears j, j
    included; nobody tells himself. Source: van der Pol et al. 2022 (arXiv 2110.04495).

    Attributes:
        reach: How far agents hear each other.
        norm_weighted: Whether A_ij is the distance |x_j - x_i| and everybody hears everybody, as the equivariant
            networks of the authors' program have it.
    """

    reach: float
    norm_weighted: bool = False

    def links(self, edges: Tensor) -> Tensor:
        """Whom agents hear, themselves included: edges (B, k, n, 2) -> bool (B, k, n)."""
        if self.norm_weighted:
            return torch.ones(edges.shape[:-1], dtype=torch.bool, device=edges.device)
        return _lengths(edges) < self.reach

    def weights(self, edges: Tensor, degrees: Tensor, others: Tensor) -> Tensor:
        """Weights of messages.

        Args:
            edges: Of k agents, the hearers, (B, k, n, 2).
            degrees: Numbers d_j of all agents, (B, n).
            others: False where hearer and speaker are the same, (k, n).

        Returns:
            Shape (B, k, n).
        """
        if self.norm_weighted:
            return _lengths(edges) * others
        return (self.links(edges) & others).to(edges.dtype) / degrees[:, None]


def edges_between(hearers: Tensor, speakers: Tensor, scale: float) -> Tensor:
    """x_j - x_i for places of hearers (B, k, 2) and speakers (B, n, 2), (B, k, n, 2); exact, then scaled, if cells."""
    return (speakers[:, None] - hearers[:, :, None]) * scale


def gathered(weights: Tensor, values: Tensor) -> Tensor:
    """Weighted sums over speakers in their order, (B, k, n) and (B, k or 1, n, ...) -> (B, k, ...)."""
    weights = weights.reshape(*weights.shape, *[1] * (values.ndim - 3))
    terms = [weights[:, :, j] * values[:, :, j] for j in range(values.shape[2])]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _lengths(edges: Tensor) -> Tensor:
    row, column = edges.unbind(-1)
    return (row * row + column * column).sqrt()
