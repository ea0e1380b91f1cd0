"""Layers that read an unordered list of patches: any number, any order.

* :class:`VisionAttentionNeuron` - keys from what changes in a patch, values from what it shows (Tang & Ha 2021)
* :class:`SetPooling` - learned queries, keys and values from what a patch shows (Set Transformer, Lee et al. 2019)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense, sinusoidal_table
from symbench.policies.vision.patches import gather, unmoved

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_INPUTS = ("differences", "both")


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


class VisionAttentionNeuron(nn.Module):
    """One neuron per patch: ``m = LayerNorm(relu(softmax(Q W_q (K W_k)^T / sqrt(d)) V W_v))``.

    Keys come from the differences of a patch's consecutive frames and the previous action, values from its frames,
    each normalised over its pixels. With ``key_hidden=()`` the keys are linear, as published. Then the previous action
    and the key's bias add the same number to the scores of all patches, which the softmax cancels: they have no
    influence whatsoever and are not computed. With hidden layers the action matters.

    Patches in which nothing moves have the same key, so they are attended to as one, weighted by their number: the
    same result from a tenth of the patches.

    Source: Tang & Ha 2021 (arXiv 2109.02869), section 3 and appendix A.
    """

    queries: Tensor

    def __init__(
        self,
        patch_dim: int,
        action_dim: int,
        history: int = 4,
        num_codes: int = 400,
        code_dim: int = 32,
        projection_dim: int = 32,
        query_dim: int = 8,
        key_hidden: Sequence[int] = (),
        key_input: str = "differences",
        affine: bool = True,
        sharpness: float = 1.0,
        still_values: bool = True,
    ) -> None:
        """Make the layer.

        Args:
            patch_dim: Numbers in one frame of a patch, p * p * C.
            action_dim: Length A of the previous action.
            history: Frames k of a patch.
            num_codes: Rows M of the output.
            code_dim: Columns d_v of the output.
            projection_dim: Width d in which queries and keys are compared.
            query_dim: Columns of the sinusoidal table Q.
            key_hidden: Widths of hidden layers of the keys' network.
            key_input: ``"differences"``, or ``"both"`` for the differences and the newest frame.
            affine: Whether the two LayerNorms have learnable parameters.
            sharpness: Factor on the first weights of W_q. With 1 all patches are attended to alike at first, and it
                takes long to find the few that matter.
            still_values: Whether patches in which nothing moves have a value, as published. Without, theirs is 0: how
                many there are still matters, what they show does not.

        Raises:
            ValueError: ``key_input`` is unknown, or fewer than 2 frames leave no difference.
        """
        super().__init__()
        if key_input not in KEY_INPUTS:
            raise ValueError(f"key_input must be one of {KEY_INPUTS}, received {key_input!r}")
        if history < 2:
            raise ValueError(f"history must be at least 2 for a difference of frames, received {history}")
        self.num_codes, self.code_dim, self.newest = num_codes, code_dim, key_input == "both"
        self.still_values = still_values
        self.key_dim = (history - 1 + self.newest) * patch_dim
        self.register_buffer("queries", sinusoidal_table(num_codes, query_dim), persistent=False)
        self.project_query = nn.Linear(query_dim, projection_dim)
        with torch.no_grad():
            self.project_query.weight.mul_(sharpness)
        self.project_key = dense((self.key_dim + action_dim, *key_hidden, projection_dim), "relu")
        self.project_value = nn.Linear(history * patch_dim, code_dim)
        self.norm_patch = nn.LayerNorm(patch_dim, elementwise_affine=affine)
        self.norm_code = nn.LayerNorm(code_dim, elementwise_affine=affine)

    def forward(self, patches: Tensor, previous_actions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Codes of a batch.

        Args:
            patches: The frames of each patch, oldest first, uint8, shape (B, N, k, p * p * C).
            previous_actions: Shape (B, A).
            mask: Shape (B, N), nonzero where a patch is visible; ``None`` if all are.

        Returns:
            Shape (B, M, d_v).
        """
        dtype = previous_actions.dtype
        seen = torch.ones_like(patches[:, :, 0, 0], dtype=torch.bool) if mask is None else mask != 0
        still = seen if self.newest else seen & unmoved(patches)
        single, bias = gather(patches, seen if self.newest else seen & ~still)
        frames = single.to(dtype) / 255.0
        keys, values = self.keys(frames, previous_actions), self.values(frames)
        if self.newest and not self.still_values:
            values = values.masked_fill(unmoved(single)[:, :, None], 0.0)
        if not self.newest:
            group_key, group_value, group_bias = self._group(patches, still, previous_actions)
            keys, values = torch.cat([keys, group_key], dim=1), torch.cat([values, group_value], dim=1)
            bias = torch.cat(
                [group_bias.new_zeros(single.shape[:2]) if bias is None else bias.to(dtype), group_bias], 1
            )
        mixed = attend(self.project_query(self.queries), keys, values, bias)
        return self.norm_code(torch.relu(mixed))  # type: ignore[no-any-return]

    def weights(self, patches: Tensor, previous_actions: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much every code attends to every patch; :meth:`forward` takes a shorter way to the same codes.

        Args:
            patches: As in :meth:`forward`.
            previous_actions: As in :meth:`forward`.
            mask: As in :meth:`forward`.

        Returns:
            The softmax, shape (B, M, N), every row with sum 1; 0 at hidden patches.
        """
        dtype = previous_actions.dtype
        keys = self.keys(patches.to(dtype) / 255.0, previous_actions)
        return attention_weights(self.project_query(self.queries), keys, hidden(mask, dtype))

    def values(self, frames: Tensor) -> Tensor:
        """Values of shape (B, n, d_v) of frames in [0, 1], (B, n, k, p * p * C)."""
        return self.project_value(self.norm_patch(frames).flatten(2))  # type: ignore[no-any-return]

    def keys(self, frames: Tensor, previous_actions: Tensor) -> Tensor:
        """Keys of shape (B, n, d), up to what the softmax cancels, of frames in [0, 1], (B, n, k, p * p * C)."""
        inputs = (frames[:, :, 1:] - frames[:, :, :-1]).flatten(2)
        if self.newest:
            inputs = torch.cat([inputs, frames[:, :, -1]], dim=2)
        first, *rest = self.project_key
        assert isinstance(first, nn.Linear)
        # The action is the same for all patches: its share is computed once for all of them.
        keys = nn.functional.linear(inputs, first.weight[:, : self.key_dim])
        if not rest:
            return keys
        told = nn.functional.linear(previous_actions, first.weight[:, self.key_dim :], first.bias)
        return nn.Sequential(*rest)(keys + told[:, None])  # type: ignore[no-any-return]

    def _group(self, patches: Tensor, still: Tensor, previous_actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Key, mean value and log number of the patches in which nothing moves: (B, 1, d), (B, 1, d_v), (B, 1)."""
        dtype, count = previous_actions.dtype, still.sum(dim=1, keepdim=True)
        key = self.keys(torch.zeros_like(patches[:, :1], dtype=dtype), previous_actions)
        if not self.still_values:
            return key, key.new_zeros(len(key), 1, self.code_dim), count.to(dtype).log()
        pictures = self.norm_patch(patches[:, :, -1].to(dtype) / 255.0)
        mean = torch.bmm(still[:, None].to(dtype), pictures) / count.clamp(min=1)[:, None]
        return key, self.project_value(mean.repeat(1, 1, patches.shape[2])), count.to(dtype).log()


class SetPooling(nn.Module):
    """Patches embedded, related to each other, and pooled by learned seed vectors; no frame differences, no action.

    An image transformer without positional encodings: what :class:`VisionAttentionNeuron` must be compared with.
    Source: Lee et al. 2019 (Set Transformer, arXiv 1810.00825): blocks of self-attention (SAB, equation 8), then
    pooling by multihead attention with M seeds (PMA, equation 11).
    """

    def __init__(
        self,
        patch_dim: int,
        action_dim: int,
        history: int = 4,
        num_codes: int = 100,
        code_dim: int = 32,
        blocks: int = 1,
        heads: int = 1,
    ) -> None:
        """Make the layer.

        Args:
            patch_dim: Numbers in one frame of a patch, p * p * C.
            action_dim: Not used: the layer sees no action.
            history: Frames k of a patch.
            num_codes: Rows M of the output: the number of seed vectors.
            code_dim: Columns d_v of the output; a multiple of ``heads``.
            blocks: Self-attention blocks among the patches before they are pooled.
            heads: Attention heads.
        """
        super().__init__()
        self.num_codes, self.code_dim = num_codes, code_dim
        self.embed = nn.Linear(history * patch_dim, code_dim)
        self.blocks = nn.ModuleList(_AttentionBlock(code_dim, heads) for _ in range(blocks))
        self.seeds = nn.Parameter(torch.empty(num_codes, code_dim))
        nn.init.xavier_uniform_(self.seeds)
        self.pool = _AttentionBlock(code_dim, heads)

    def forward(self, patches: Tensor, previous_actions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Codes (B, M, d_v) of patches (B, N, k, p * p * C), uint8; see :class:`VisionAttentionNeuron.forward`."""
        dtype = previous_actions.dtype
        single, bias = (patches, None) if mask is None else gather(patches, mask != 0)
        bias = None if bias is None else bias.to(dtype)
        tokens = self.embed(single.flatten(2).to(dtype) / 255.0)
        for block in self.blocks:
            tokens = block(tokens, tokens, bias)
        return self.pool(self.seeds.expand(len(tokens), -1, -1), tokens, bias)  # type: ignore[no-any-return]

    def weights(self, patches: Tensor, previous_actions: Tensor, mask: Tensor | None = None) -> Tensor:
        """How much every seed attends to every patch when they are pooled, averaged over the heads: (B, M, N)."""
        bias = hidden(mask, previous_actions.dtype)
        tokens = self.embed(patches.flatten(2).to(previous_actions.dtype) / 255.0)
        for block in self.blocks:
            tokens = block(tokens, tokens, bias)
        return self.pool.weights(self.seeds.expand(len(tokens), -1, -1), tokens, bias)


class _AttentionBlock(nn.Module):
    """Multihead attention block (MAB): attention with a residual, LayerNorm, a row-wise layer with a residual."""

    def __init__(self, width: int, heads: int) -> None:
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
