"""A Set Transformer over patches: an image transformer without positional encodings, and its network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.vision.attention_blocks import AttentionBlock
from symbench.policies.vision.attention_blocks import hidden as hiding
from symbench.policies.vision.heads import ConvHead
from symbench.policies.vision.patch_networks import PatchNetwork, nested
from symbench.policies.vision.patches import gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace


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
        self.blocks = nn.ModuleList(AttentionBlock(code_dim, heads) for _ in range(blocks))
        self.seeds = nn.Parameter(torch.empty(num_codes, code_dim))
        nn.init.xavier_uniform_(self.seeds)
        self.pool = AttentionBlock(code_dim, heads)

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
        bias = hiding(mask, previous_actions.dtype)
        tokens = self.embed(patches.flatten(2).to(previous_actions.dtype) / 255.0)
        for block in self.blocks:
            tokens = block(tokens, tokens, bias)
        return self.pool.weights(self.seeds.expand(len(tokens), -1, -1), tokens, bias)


class SetTransformerNetwork(PatchNetwork):
    """:class:`~symbench.policies.vision.patch_layers.SetPooling` and a convolutional head: no positions.

    It has neither frame differences nor the previous action, and learned queries in place of fixed ones: the ablation
    that tells what :class:`VisionAttentionNeuronNetwork` adds to an image transformer without positional encodings.
    """

    kind = "set-transformer"

    def __init__(
        self,
        action_space: ActionSpace,
        channels: int = 1,
        patch_size: int = 6,
        history: int = 4,
        num_codes: int = 100,
        code_dim: int = 32,
        blocks: int = 1,
        heads: int = 1,
        conv: Sequence[Sequence[int]] = ((64, 4, 2), (64, 3, 1)),
        hidden: Sequence[int] = (512,),
        lstm_dim: int = 0,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            channels: Channels C of a frame.
            patch_size: Side p of a patch.
            history: Frames k it sees.
            num_codes: Number of seed vectors M, a square number.
            code_dim: Width of the tokens.
            blocks: Self-attention blocks among the patches.
            heads: Attention heads.
            conv: Channels, kernel and stride of the head's convolutions.
            hidden: Widths of the head's dense layers.
            lstm_dim: Size of the head's LSTM; 0 for none.

        Raises:
            ValueError: The parts do not fit each other; says which.
        """
        layer = {"history": history, "num_codes": num_codes, "code_dim": code_dim, "blocks": blocks, "heads": heads}
        shape = {"channels": channels, "patch_size": patch_size}
        tail = {"conv": nested(conv), "hidden": tuple(hidden), "lstm_dim": lstm_dim}
        super().__init__(action_space, **shape, **layer, **tail)
        self.layer = SetPooling(patch_size**2 * channels, self.action.size, **layer)
        head = ConvHead(num_codes, code_dim, self.action, conv, hidden, lstm_dim)
        self._build(channels, patch_size, history, head)
