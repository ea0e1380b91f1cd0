"""The AttentionNeuron of patches: reads an unordered list of them, any number, any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense, sinusoidal_table
from symbench.policies.vision.attention_blocks import AttentionBlock, attend, attention_weights, hidden
from symbench.policies.vision.patches import gather, unmoved

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_INPUTS = ("differences", "both", "frames")
_POSITION_DIM = 32


class VisionAttentionNeuron(nn.Module):
    """One neuron per patch: ``m = LayerNorm(relu(softmax(Q W_q (K W_k)^T / sqrt(d)) V W_v))``.

    Keys come from the differences of a patch's consecutive frames and the previous action, values from its frames,
    each normalised over its pixels. With ``key_hidden=()`` the keys are linear, as published. Then the previous action
    and the key's bias add the same number to the scores of all patches, which the softmax cancels: they have no
    influence whatsoever and are not computed. With hidden layers the action matters.

    Patches in which nothing moves have the same key, so they are attended to as one, weighted by their number: the
    same result from a tenth of the patches.

    What tells the layer from a Set Transformer (Lee et al. 2019, arXiv 1810.00825) can be changed one by one:
    ``key_input``, ``learned_queries``, and ``blocks`` of self-attention among the patches' keys and values.

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
        learned_queries: bool = False,
        blocks: int = 0,
        heads: int = 1,
        positions: bool = False,
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
            key_input: ``"differences"``, ``"frames"``, or ``"both"`` for the differences and the newest frame.
            affine: Whether the two LayerNorms have learnable parameters.
            sharpness: Factor on the first weights of W_q. With 1 all patches are attended to alike at first, and it
                takes long to find the few that matter.
            still_values: Whether patches in which nothing moves have a value, as published. Without, theirs is 0: how
                many there are still matters, what they show does not.
            learned_queries: Whether Q is learned, beginning with the sinusoidal table.
            blocks: Self-attention blocks through which keys and values of patches learn of each other.
            heads: Attention heads of the blocks.
            positions: Whether keys and values know their patch's place in reading order, a projection of its
                sinusoidal encoding that begins with 0. Then the layer is not invariant.

        Raises:
            ValueError: ``key_input`` is unknown, fewer than 2 frames leave no difference, or keys and values together
                are no multiple of ``heads``.
        """
        super().__init__()
        if key_input not in KEY_INPUTS:
            raise ValueError(f"key_input must be one of {KEY_INPUTS}, received {key_input!r}")
        if history < 2:
            raise ValueError(f"history must be at least 2 for a difference of frames, received {history}")
        self.num_codes, self.code_dim, self.key_input = num_codes, code_dim, key_input
        self.still_values = still_values
        self.key_dim = (history - (key_input == "differences")) * patch_dim
        table = sinusoidal_table(num_codes, query_dim)
        if learned_queries:
            self.queries = nn.Parameter(table)
        else:
            self.register_buffer("queries", table, persistent=False)
        self.project_query = nn.Linear(query_dim, projection_dim)
        with torch.no_grad():
            self.project_query.weight.mul_(sharpness)
        self.project_key = dense((self.key_dim + action_dim, *key_hidden, projection_dim), "relu")
        self.project_value = nn.Linear(history * patch_dim, code_dim)
        self.norm_patch = nn.LayerNorm(patch_dim, elementwise_affine=affine)
        self.norm_code = nn.LayerNorm(code_dim, elementwise_affine=affine)
        width = projection_dim + code_dim
        self.blocks = nn.ModuleList(AttentionBlock(width, heads) for _ in range(blocks))
        self.project_place = nn.Linear(_POSITION_DIM, width, bias=False) if positions else None
        if self.project_place is not None:
            nn.init.zeros_(self.project_place.weight)
        # Others differ by what they show, whom they attended to or where they are.
        self.groups_still = key_input == "differences" and not blocks and not positions

    def forward(self, patches: Tensor, previous_actions: Tensor, mask: Tensor | None = None) -> Tensor:
        """Codes of a batch.

        Args:
            patches: The frames of each patch, oldest first, uint8, shape (B, N, k, p * p * C).
            previous_actions: Shape (B, A).
            mask: Shape (B, N), nonzero where a patch is visible; ``None`` if all are.

        Returns:
            Shape (B, M, d_v).
        """
        seen = torch.ones_like(patches[:, :, 0, 0], dtype=torch.bool) if mask is None else mask != 0
        tokens = self._grouped if self.groups_still else self._single
        mixed = attend(self.project_query(self.queries), *tokens(patches, previous_actions, seen))
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
        bias = hidden(mask, previous_actions.dtype)
        keys, _ = self._tokens(patches, self._places(patches, previous_actions.dtype), previous_actions, bias)
        return attention_weights(self.project_query(self.queries), keys, bias)

    def values(self, frames: Tensor) -> Tensor:
        """Values of shape (B, n, d_v) of frames in [0, 1], (B, n, k, p * p * C)."""
        return self.project_value(self.norm_patch(frames).flatten(2))  # type: ignore[no-any-return]

    def keys(self, frames: Tensor, previous_actions: Tensor) -> Tensor:
        """Keys of shape (B, n, d), up to what the softmax cancels, of frames in [0, 1], (B, n, k, p * p * C)."""
        inputs = (frames if self.key_input == "frames" else frames[:, :, 1:] - frames[:, :, :-1]).flatten(2)
        if self.key_input == "both":
            inputs = torch.cat([inputs, frames[:, :, -1]], dim=2)
        first, *rest = self.project_key
        assert isinstance(first, nn.Linear)
        # The action is the same for all patches: its share is computed once for all of them.
        keys = nn.functional.linear(inputs, first.weight[:, : self.key_dim])
        if not rest:
            return keys
        told = nn.functional.linear(previous_actions, first.weight[:, self.key_dim :], first.bias)
        return nn.Sequential(*rest)(keys + told[:, None])  # type: ignore[no-any-return]

    def _single(self, patches: Tensor, previous_actions: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keys, values and bias of the visible patches."""
        dtype, (single, bias) = previous_actions.dtype, gather(patches, seen)
        places = self._places(patches, dtype)
        if places is not None:
            places, _ = gather(places, seen)
        bias = None if bias is None else bias.to(dtype)
        return *self._tokens(single, places, previous_actions, bias), bias

    def _places(self, patches: Tensor, dtype: torch.dtype) -> Tensor | None:
        """Encoded places of patches (B, N, ...), (B, N, 32), if they matter."""
        if self.project_place is None:
            return None
        table = sinusoidal_table(patches.shape[1], _POSITION_DIM)
        return table.to(patches.device, dtype).expand(len(patches), -1, -1)

    def _tokens(
        self, patches: Tensor, places: Tensor | None, previous_actions: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Keys (B, n, d) and values (B, n, d_v) of patches (B, n, k, p * p * C)."""
        frames = patches.to(previous_actions.dtype) / 255.0
        keys, values = self.keys(frames, previous_actions), self.values(frames)
        if not self.still_values:
            values = values.masked_fill(unmoved(patches)[:, :, None], 0.0)
        if self.project_place is None and not len(self.blocks):
            return keys, values
        tokens = torch.cat([keys, values], dim=2)
        if self.project_place is not None and places is not None:
            tokens = tokens + self.project_place(places)
        for block in self.blocks:
            tokens = block(tokens, tokens, bias)
        return tokens[:, :, : keys.shape[2]], tokens[:, :, keys.shape[2] :]

    def _grouped(self, patches: Tensor, previous_actions: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keys, values and bias of the visible patches, those in which nothing moves as one."""
        dtype, still = previous_actions.dtype, seen & unmoved(patches)
        single, bias = gather(patches, seen & ~still)
        frames = single.to(dtype) / 255.0
        group_key, group_value, group_bias = self._group(patches, still, previous_actions)
        keys = torch.cat([self.keys(frames, previous_actions), group_key], dim=1)
        values = torch.cat([self.values(frames), group_value], dim=1)
        bias = group_bias.new_zeros(single.shape[:2]) if bias is None else bias.to(dtype)
        return keys, values, torch.cat([bias, group_bias], dim=1)

    def _group(self, patches: Tensor, still: Tensor, previous_actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Key, mean value and log number of the patches in which nothing moves: (B, 1, d), (B, 1, d_v), (B, 1)."""
        dtype, count = previous_actions.dtype, still.sum(dim=1, keepdim=True)
        key = self.keys(torch.zeros_like(patches[:, :1], dtype=dtype), previous_actions)
        if not self.still_values:
            return key, key.new_zeros(len(key), 1, self.code_dim), count.to(dtype).log()
        pictures = self.norm_patch(patches[:, :, -1].to(dtype) / 255.0)
        mean = torch.bmm(still[:, None].to(dtype), pictures) / count.clamp(min=1)[:, None]
        return key, self.project_value(mean.repeat(1, 1, patches.shape[2])), count.to(dtype).log()
