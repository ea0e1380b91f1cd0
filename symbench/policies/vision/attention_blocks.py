"""Attention among patches: the softmax itself, and a multihead block around it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None = None) -> Tensor:
    """``softmax(queries keys^T / sqrt(d) + bias) values`` over the n patches.

    Args:
        queries: Shape (M, d) or (B, M, d).
        keys: Shape (B, n, d).
        values: Shape (B, n, d_v).
        bias: Added to the scores, shape (B, n): 0, or ``-inf`` for patches that are not there.

    Returns:
        Shape (B, M, d_v).
    """
    return attention_weights(queries, keys, bias) @ values


def attention_weights(queries: Tensor, keys: Tensor, bias: Tensor | None = None) -> Tensor:
    """``softmax(queries keys^T / sqrt(d) + bias)``, (B, M, n); see :func:`attend`."""
    scores = (queries / math.sqrt(keys.shape[-1])) @ keys.transpose(1, 2)
    return torch.softmax(scores if bias is None else scores + bias[:, None], dim=-1)


def hidden(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """What keeps attention off the patches that a mask (B, N) hides: 0 or ``-inf``, (B, N); ``None`` for no mask."""
    return None if mask is None else torch.zeros_like(mask, dtype=dtype).masked_fill(mask == 0, -math.inf)


class AttentionBlock(nn.Module):
    """Multihead attention block (MAB): attention with a residual, LayerNorm, a row-wise layer with a residual.

    Source: Lee et al. 2019 (Set Transformer, arXiv 1810.00825), equations 6 and 7.
    """

    def __init__(self, width: int, heads: int) -> None:
        """Make the block.

        Args:
            width: Columns d of queries and tokens.
            heads: Attention heads.

        Raises:
            ValueError: The width is no multiple of the heads.
        """
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"code_dim must be a multiple of heads, received {width} and {heads}")
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.row = nn.Linear(width, width)
        self.norm_attention, self.norm_row = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, queries: Tensor, tokens: Tensor, bias: Tensor | None) -> Tensor:
        """(B, M, d) attending to (B, n, d) gives (B, M, d)."""
        projected = self.query(queries)
        parts = zip(
            projected.chunk(self.heads, -1),
            self.key(tokens).chunk(self.heads, -1),
            self.value(tokens).chunk(self.heads, -1),
            strict=True,
        )
        mixed = self.norm_attention(projected + torch.cat([attend(*part, bias) for part in parts], dim=-1))
        return self.norm_row(mixed + torch.relu(self.row(mixed)))  # type: ignore[no-any-return]

    def weights(self, queries: Tensor, tokens: Tensor, bias: Tensor | None) -> Tensor:
        """The softmax, (B, M, n), mean of the heads."""
        parts = zip(self.query(queries).chunk(self.heads, -1), self.key(tokens).chunk(self.heads, -1), strict=True)
        return torch.stack([attention_weights(*part, bias) for part in parts]).mean(dim=0)
