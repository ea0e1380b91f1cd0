"""Losses whose gradients make short tours likelier.

Sources: REINFORCE (Williams 1992); POMO's shared baseline (Kwon et al. 2020, arXiv 2010.16011, eq. 3); Sym-NCO (Kim et
al. 2022, arXiv 2205.13209, eq. 4-7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from torch import Tensor


def reinforce_loss(lengths: Tensor, baseline: Tensor, log_likelihood: Tensor) -> Tensor:
    """The mean of (length - baseline) times log-likelihood; no gradient flows through lengths and baseline.

    Args:
        lengths: Of sampled tours, any shape.
        baseline: What lengths are compared with; of a shape that fits.
        log_likelihood: Of the tours, of the shape of lengths.
    """
    advantage = (lengths - baseline).detach().to(log_likelihood)
    return (advantage * log_likelihood).mean()


def shared_baseline(lengths: Tensor, dim: int = -1) -> Tensor:
    """POMO's: the mean over an instance's tours, which lie along ``dim``; that axis is kept."""
    return lengths.mean(dim=dim, keepdim=True)


def symmetric_losses(
    lengths: Tensor, log_likelihood: Tensor, projected: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Sym-NCO's three losses of turned copies of instances.

    Args:
        lengths: Of A copies of B instances, k tours of each, (A, B, k).
        log_likelihood: Of these tours, (A, B, k).
        projected: Projected embeddings of nodes, (A, B, n, d), if there are any.

    Returns:
        Problem symmetricity: the baseline is the mean over copies. Solution symmetricity: the mean over tours of a
        copy. Invariance: minus the mean cosine similarity between the first copy's embeddings and the others', so that
        less is more alike.
    """
    problem = reinforce_loss(lengths, shared_baseline(lengths, 0), log_likelihood)
    solution = reinforce_loss(lengths, shared_baseline(lengths), log_likelihood)
    return problem, solution, torch.zeros(()) if projected is None else invariance_loss(projected)


def invariance_loss(projected: Tensor) -> Tensor:
    """Minus the mean cosine similarity of nodes' embeddings (A, B, n, d) in the first copy with those in the others."""
    return -F.cosine_similarity(projected[:1], projected[1:], dim=-1).mean()
