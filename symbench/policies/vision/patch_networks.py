"""Policies that read frames as patches and do not care about their order or number.

* :class:`PatchNetwork` - frames as patches, a layer that reads them, a head
* :class:`VisionAttentionNeuronNetwork` - the one of Tang & Ha 2021; the other is in ``set_transformer``

Observations are frames (B, H, W, C), uint8, or ``{"image": frames, "mask": (B, N)}`` where some patches are hidden:
those are removed from the list, not blackened.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.policies.actions import BoxHead
from symbench.policies.memory import History
from symbench.policies.spaces import shapes_of
from symbench.policies.vision.heads import AttentionAgentHead, ConvHead, square_grid
from symbench.policies.vision.patch_layers import VisionAttentionNeuron
from symbench.policies.vision.patches import to_patches
from symbench.policies.vision.vision_network import VisionNetwork, frames_shape, unmasked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations
    from symbench.policies.vision.set_transformer import SetPooling


class PatchNetwork(VisionNetwork):
    """A layer that reads patches and a head.

    Its state is whether it saw each patch in the last step (B, N), the last k frames of every patch (B, N, k,
    p * p * C), uint8, oldest first, the previous action (B, A), and the head's state. A patch that comes into sight, at
    first or out of hiding, comes after copies of itself: coming into sight is no movement.
    """

    shown_by = "FrameHistory"
    layer: VisionAttentionNeuron | SetPooling
    head: ConvHead | AttentionAgentHead
    patch_size: int
    _frames: History

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`; shown are those of ``FrameHistory``."""
        defaults = inspect.signature(cls.__init__).parameters
        history, side = (given.get(name, defaults[name].default) for name in ("history", "patch_size"))
        if not shown:
            return {"channels": frames_shape(cls.kind, space)[2]}
        keys = (("frames", 3), ("previous_action", 1))
        (planes, height, width), _ = shapes_of(space, "FrameHistory", *keys)
        if planes % history:
            raise ValueError(f"{history} frames are expected, received {planes} channels: give FrameHistory's length")
        if height % side or width % side:
            raise ValueError(f"patches of {side}x{side} do not tile {height}x{width} frames")
        _check_mask(space, height // side * (width // side), side)
        return {"channels": planes // history}

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros for frames of shape (H, W, C)."""
        height, width, channels = shape
        count = self.num_patches(height, width)
        begun, history = self._frames.initial_state(batch, count, 1, self.patch_size**2 * channels)
        return (begun.repeat(1, count), history, self._zeros(batch, self.action.size), *self.head.initial_state(batch))

    def num_patches(self, height: int, width: int) -> int:
        """Number N of patches of a frame."""
        return (height // self.patch_size) * (width // self.patch_size)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The history of every patch, the previous action, the mask."""
        image, mask = unmasked(observations)
        seen, history, previous, *rest = state
        known = seen if mask is None else seen | ((mask == 0) & _anywhere(seen))  # of the hidden nothing is asked
        everything, history = self._frames.push(to_patches(image, self.patch_size)[:, :, None], (known, history))
        return (history, previous, mask), (everything if mask is None else mask != 0, history, previous, *rest)

    def revealed(self, state: State) -> State:
        """The state as if all patches had been seen so far, for observations whose hidden pixels are the true ones."""
        return (_anywhere(state[0]), *state[1:])

    def remembered(self, observations: Observations) -> Inputs:
        """The same of what :class:`symbench.wrappers.FrameHistory` shows."""
        assert isinstance(observations, dict)
        frames = observations["frames"].to(torch.uint8)
        batch, planes, height, width = frames.shape
        single = frames.reshape(batch * self.history, planes // self.history, height, width).permute(0, 2, 3, 1)
        patches = to_patches(single, self.patch_size)
        history = patches.reshape(batch, self.history, *patches.shape[1:]).transpose(1, 2).contiguous()
        return history, observations["previous_action"], observations.get("mask")

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the head makes of the layer's codes."""
        return self.head.features(self.layer(*inputs))

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The head's step."""
        logits, rest = self.head(features, state[3:])
        return logits, (*state[:3], *rest)

    def latent(self, features: Tensor) -> Tensor:
        """The features themselves: one layer is behind them."""
        return features

    def last(self, latent: Tensor) -> Tensor:
        """The head's last dense layer."""
        assert isinstance(self.head, ConvHead)
        return self.head.dense[-1](latent)  # type: ignore[no-any-return]

    def drop_decisions(self) -> None:
        """Take off the head's last dense layer."""
        assert isinstance(self.head, ConvHead)
        self.head.dense[-1] = nn.Identity()

    def log_std_head(self) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.log_std_head`."""
        return nn.Linear(self.features_dim, self.action.size)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state that knows what was done; a continuous action is kept in units of its range, [-1, 1]."""
        begun, history, _, *rest = state
        if isinstance(self.action, BoxHead):
            actions = self.action.scaled(actions)
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

    def _build(self, channels: int, patch_size: int, history: int, head: ConvHead | AttentionAgentHead) -> None:
        """What follows from the parts."""
        self.channels, self.patch_size, self.history = channels, patch_size, history
        self.memory = f"the last {history} frames of every patch, the last action"
        self._frames, self.head = History(history, axis=2), head
        self.recurrent = len(head.initial_state(1)) > 0
        self.differentiable = isinstance(head, ConvHead) or head.sort_temperature > 0
        self.features_dim = head.features_dim


class VisionAttentionNeuronNetwork(PatchNetwork):
    """:class:`~symbench.policies.vision.patch_layers.VisionAttentionNeuron` and a head.

    ``head="conv"`` is the published Pong agent's, ``head="attention-agent"`` the CarRacing agent's. Source: Tang & Ha
    2021 (arXiv 2109.02869), appendix A.
    """

    kind = "vision-attention-neuron"
    trained_by = "by evolution, or give it a sort_temperature"

    def __init__(
        self,
        action_space: ActionSpace,
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
        still_values: bool = True,
        learned_queries: bool = False,
        blocks: int = 0,
        heads: int = 1,
        positions: bool = False,
        head: str = "conv",
        conv: Sequence[Sequence[int]] = ((64, 4, 2), (64, 3, 1)),
        hidden: Sequence[int] = (512,),
        lstm_dim: int = 0,
        sort_temperature: float = 0.0,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            channels: Channels C of a frame.
            patch_size: Side p of a patch.
            history: Frames k it sees.
            num_codes: Rows M of the layer's output, a square number.
            code_dim: Columns d_v of the layer's output.
            projection_dim: Width in which queries and keys are compared.
            query_dim: Columns of the sinusoidal table Q.
            key_hidden: Widths of hidden layers of the keys' network; none as published.
            key_input: ``"differences"`` as published, ``"frames"``, or ``"both"``: differences and the newest frame.
            affine: Whether LayerNorms have learnable parameters.
            sharpness: Factor on the first weights of W_q; see the layer.
            still_values: Whether patches in which nothing moves have a value, as published, or 0; see the layer.
            learned_queries: Whether the queries are learned; fixed as published.
            blocks: Self-attention blocks among the patches; none as published.
            heads: Attention heads of the blocks.
            positions: Whether keys and values know where patches are: then the network is not invariant.
            head: ``"conv"`` or ``"attention-agent"``.
            conv: Channels, kernel and stride of the convolutions of ``"conv"``.
            hidden: Widths of the dense layers of ``"conv"``.
            lstm_dim: Size of the LSTM of ``"conv"``; 0 for none. ``"attention-agent"`` always has one of 16.
            sort_temperature: How soft the sort of codes is that gradients of ``"attention-agent"`` go through; 0 for
                no gradients, as published.

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
            "still_values": still_values,
            "learned_queries": learned_queries,
            "blocks": blocks,
            "heads": heads,
            "positions": positions,
        }
        shape = {"channels": channels, "patch_size": patch_size}
        tail = {
            "head": head,
            "conv": nested(conv),
            "hidden": tuple(hidden),
            "lstm_dim": lstm_dim,
            "sort_temperature": sort_temperature,
        }
        super().__init__(action_space, **shape, **layer, **tail)
        self.layer = VisionAttentionNeuron(patch_size**2 * channels, self.action.size, **layer)
        made: ConvHead | AttentionAgentHead
        if head == "conv":
            made = ConvHead(num_codes, code_dim, self.action, conv, hidden, lstm_dim)
        elif head == "attention-agent":
            made = AttentionAgentHead(square_grid(num_codes), code_dim, self.action, sort_temperature=sort_temperature)
        else:
            raise ValueError(f"head must be 'conv' or 'attention-agent', received {head!r}")
        self._build(channels, patch_size, history, made)


def _anywhere(seen: Tensor) -> Tensor:
    """Where any patch has been seen, all of them: (B, N), bool."""
    return seen.any(dim=1, keepdim=True).expand_as(seen)


def _check_mask(space: spaces.Space[Any], patches: int, side: int) -> None:
    shape = space["mask"].shape if isinstance(space, spaces.Dict) and "mask" in space.spaces else (patches,)
    if shape != (patches,):
        raise ValueError(f"patches of {side}x{side} are {patches}, the mask has shape {shape}")


def nested(conv: Sequence[Sequence[int]]) -> list[list[int]]:
    """Convolutions as JSON holds them."""
    return [list(layer) for layer in conv]
