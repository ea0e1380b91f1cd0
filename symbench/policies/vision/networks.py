"""Actors that read frames as patches and do not care about their order or number.

* :class:`PatchNetwork` - frames as patches, a layer that reads them, a head
* :class:`VisionAttentionNeuronNetwork`, :class:`SetTransformerNetwork` - the two layers

Observations are frames (B, H, W, C), uint8, or ``{"image": frames, "mask": (B, N)}`` where some patches are hidden:
those are removed from the list, not blackened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from symbench.policies.vision.base import VisionNetwork, unmasked
from symbench.policies.vision.heads import AttentionAgentHead, ConvHead, square_grid
from symbench.policies.vision.layers import SetPooling, VisionAttentionNeuron
from symbench.policies.vision.patches import to_patches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.networks import Observations, State
    from symbench.policies.vision.base import Inputs


class PatchNetwork(VisionNetwork):
    """A layer that reads patches and a head.

    Its state is whether it has seen anything yet (B, 1), the last k frames of every patch (B, N, k, p * p * C), uint8,
    oldest first (before the first observation: copies of that), the previous action (B, A), and the head's state.
    """

    layer: VisionAttentionNeuron | SetPooling
    head: ConvHead | AttentionAgentHead
    patch_size: int

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros for frames of shape (H, W, C)."""
        height, width, channels = shape
        count = (height // self.patch_size) * (width // self.patch_size)
        history = torch.zeros(batch, count, self.history, self.patch_size**2 * channels, dtype=torch.uint8)
        return (
            torch.zeros(batch, 1, dtype=torch.bool),
            history,
            self._zeros(batch, self.action_dim),
            *self.head.initial_state(batch),
        )

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The history of every patch, the previous action, the mask; see :meth:`VisionNetwork.perceive`."""
        image, mask = unmasked(observations)
        begun, history, previous, *rest = state
        newest = to_patches(image, self.patch_size)[:, :, None]
        history = torch.cat([history[:, :, 1:], newest], dim=2)
        if not bool(begun.all()):
            history = torch.where(begun[:, :, None, None], history, newest)
        return (history, previous, mask), (torch.ones_like(begun), history, previous, *rest)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the head makes of the layer's codes; see :meth:`VisionNetwork.features`."""
        return self.head.features(self.layer(*inputs))

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The head's step; see :meth:`VisionNetwork.decide`."""
        logits, rest = self.head(features, state[3:])
        return logits, (*state[:3], *rest)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state that knows what was done; a continuous action is kept in units of its range, [-1, 1]."""
        begun, history, _, *rest = state
        if self.output != "discrete":
            actions = (2.0 * actions - self.high - self.low) / (self.high - self.low)
        return (begun, history, actions, *self.head.update_memory(tuple(rest), actions))

    def attention(self, observations: Observations, state: State) -> Tensor:
        """How much every code attends to every patch.

        Args:
            observations: As in :meth:`logits`.
            state: As in :meth:`logits`: the one before these observations.

        Returns:
            Shape (B, M, N), every row with sum 1, the patches in reading order; 0 at hidden patches.
        """
        _, (_, history, previous, *_) = self.perceive(observations, state)
        return self.layer.weights(history, previous, unmasked(observations)[1])

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        if height % self.patch_size or width % self.patch_size:
            return f"reads patches of {self.patch_size}x{self.patch_size}, which do not tile {height}x{width} frames"
        return None

    def _describe(self) -> None:
        self.memory = f"the last {self.history} frames of every patch, the last action"


class VisionAttentionNeuronNetwork(PatchNetwork):
    """:class:`~symbench.policies.vision.layers.VisionAttentionNeuron` and a head.

    ``head="conv"`` is the published Pong agent's, ``head="attention-agent"`` the CarRacing agent's. Source: Tang & Ha
    2021 (arXiv 2109.02869), appendix A.
    """

    kind = "vision-attention-neuron"

    def __init__(
        self,
        action_dim: int,
        channels: int = 1,
        patch_size: int = 6,
        history: int = 4,
        num_codes: int = 400,
        code_dim: int = 32,
        projection_dim: int = 32,
        query_dim: int = 8,
        key_hidden: Sequence[int] = (),
        key_input: str = "differences",
        affine: bool = True,
        sharpness: float = 1.0,
        head: str = "conv",
        conv: Sequence[Sequence[int]] = ((64, 4, 2), (64, 3, 1)),
        hidden: Sequence[int] = (512,),
        lstm_dim: int = 0,
        output: str = "discrete",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            channels: Channels C of a frame.
            patch_size: Side p of a patch.
            history: Frames k it sees.
            num_codes: Rows M of the layer's output, a square number.
            code_dim: Columns d_v of the layer's output.
            projection_dim: Width in which queries and keys are compared.
            query_dim: Columns of the sinusoidal table Q.
            key_hidden: Widths of hidden layers of the keys' network; none as published.
            key_input: ``"differences"`` as published, or ``"both"``: the newest frame too.
            affine: Whether LayerNorms have learnable parameters.
            sharpness: Factor on the first weights of W_q; see the layer.
            head: ``"conv"`` or ``"attention-agent"``.
            conv: Channels, kernel and stride of the convolutions of ``"conv"``.
            hidden: Widths of the dense layers of ``"conv"``.
            lstm_dim: Size of the LSTM of ``"conv"``; 0 for none. ``"attention-agent"`` always has one of 16.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.

        Raises:
            ValueError: The parts do not fit each other; says which.
        """
        layer: dict[str, Any] = {
            "history": history,
            "num_codes": num_codes,
            "code_dim": code_dim,
            "projection_dim": projection_dim,
            "query_dim": query_dim,
            "key_hidden": tuple(key_hidden),
            "key_input": key_input,
            "affine": affine,
            "sharpness": sharpness,
        }
        shape = {"channels": channels, "patch_size": patch_size}
        tail = {"head": head, "conv": _nested(conv), "hidden": tuple(hidden), "lstm_dim": lstm_dim}
        super().__init__(action_dim, output, low, high, **shape, **layer, **tail)
        self.channels, self.patch_size, self.history = channels, patch_size, history
        self.layer = VisionAttentionNeuron(patch_size**2 * channels, action_dim, **layer)
        if head == "conv":
            self.head = ConvHead(num_codes, code_dim, action_dim, conv, hidden, lstm_dim)
        elif head == "attention-agent":
            self.head = AttentionAgentHead(square_grid(num_codes), code_dim, action_dim)
        else:
            raise ValueError(f"head must be 'conv' or 'attention-agent', received {head!r}")
        self._describe()


class SetTransformerNetwork(PatchNetwork):
    """:class:`~symbench.policies.vision.layers.SetPooling` and a convolutional head: patches without positions.

    It has neither frame differences nor the previous action, and learned queries in place of fixed ones: the ablation
    that tells what :class:`VisionAttentionNeuronNetwork` adds to an image transformer without positional encodings.
    """

    kind = "set-transformer"

    def __init__(
        self,
        action_dim: int,
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
        output: str = "discrete",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
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
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``.
            low: Least action (a number, or one per dimension).
            high: Greatest action.

        Raises:
            ValueError: The parts do not fit each other; says which.
        """
        layer = {"history": history, "num_codes": num_codes, "code_dim": code_dim, "blocks": blocks, "heads": heads}
        shape = {"channels": channels, "patch_size": patch_size}
        tail = {"conv": _nested(conv), "hidden": tuple(hidden), "lstm_dim": lstm_dim}
        super().__init__(action_dim, output, low, high, **shape, **layer, **tail)
        self.channels, self.patch_size, self.history = channels, patch_size, history
        self.layer = SetPooling(patch_size**2 * channels, action_dim, **layer)
        self.head = ConvHead(num_codes, code_dim, action_dim, conv, hidden, lstm_dim)
        self._describe()


def _nested(conv: Sequence[Sequence[int]]) -> list[list[int]]:
    return [list(layer) for layer in conv]
