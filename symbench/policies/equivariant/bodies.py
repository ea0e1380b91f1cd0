"""What equivariant policies and critics are made of.

* :class:`EquivariantMLP`, :class:`EquivariantCNN` - the hidden layers, to features (B, c, |G|)
* :class:`Vector`, :func:`last_layer` - the last layer; :func:`on_actions` - how the group acts on its output
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.attention_neuron import ACTIVATIONS, dense
from symbench.policies.equivariant.convolutions import POOLS, GroupConv2d, pool_places
from symbench.policies.equivariant.linear import BasisLinear, from_columns, to_columns
from symbench.policies.equivariant.symmetries import action_of, vectors_of
from symbench.symmetry import FiniteGroup, Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.actions import ActionHead

_POOLS: Final = (*POOLS, "flatten")


class EquivariantMLP(nn.Sequential):
    """Hidden layers in regular representations, (B, d) -> (B, c, |G|): their activations may be any function."""

    def __init__(
        self,
        rep_in: Representation,
        hidden: Sequence[int],
        activation: str = "relu",
        in_channels: int = 1,
        **layer: Any,
    ) -> None:
        """Make the layers.

        Args:
            rep_in: L, on what is read.
            hidden: Channels of each hidden layer; a channel is |G| numbers.
            activation: ``"relu"`` or ``"tanh"``.
            in_channels: Copies of ``rep_in`` that are read; if they are more than 1, they are (B, c, d).
            **layer: Parameters of :class:`~symbench.policies.equivariant.linear.BasisLinear`.
        """
        layers: list[nn.Module] = []
        reps, channels = [rep_in, *[regular(rep_in.group)] * len(hidden)], [in_channels, *hidden]
        for i, width in enumerate(hidden):
            layers += [BasisLinear(channels[i], width, reps[i], reps[i + 1], **layer), ACTIVATIONS[activation]()]
        super().__init__(*layers)
        self.channels, self.rep = channels[-1], reps[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, d) or (B, c, d) -> (B, c', |G|)."""
        features = inputs if inputs.ndim == 3 else inputs[:, None]
        if torch.is_grad_enabled():
            return self._learn(features)
        for layer in self:
            features = layer(features)
        return features

    def _learn(self, features: Tensor) -> Tensor:
        """Columns all the way: every view is one more step of the gradient's computation."""
        columns = to_columns(features)
        for layer in self:
            columns = layer.learn(columns) if isinstance(layer, BasisLinear) else layer(columns)
        return from_columns(columns, self.channels)


class EquivariantCNN(nn.Module):
    """Group convolutions, pooling over places, hidden layers: frames (B, C, H, W) to features (B, c, |G|)."""

    def __init__(
        self,
        group: FiniteGroup,
        moves: Sequence[str],
        channels: int,
        size: int,
        conv: Sequence[Sequence[int]],
        pool: str,
        hidden: Sequence[int],
        **layer: Any,
    ) -> None:
        """Make the layers; the parameters are those of :class:`~symbench.policies.equivariant.EquivariantCNNNetwork`.

        Raises:
            SymbenchError: The convolutions do not fit the frame, or the pooling is unknown.
        """
        super().__init__()
        if pool not in _POOLS:
            raise unknown("pooling", pool, _POOLS)
        if not conv:
            raise SymbenchError("an equivariant CNN needs at least one convolution, received conv = []")
        self.pool, convolutions = pool, list[nn.Module]()
        for i, (width, kernel, stride) in enumerate(conv):
            convolution = GroupConv2d(group, moves, channels, width, kernel, stride, size=size, lifting=not i, **layer)
            convolutions += [convolution, nn.ReLU()]
            assert convolution.out_size is not None
            channels, size = width, convolution.out_size
        self.conv = nn.Sequential(*convolutions)
        self.rep: Representation = regular(group)
        self.dense: nn.Sequential
        if pool == "flatten":  # what is behind it knows nothing of the group
            flat = channels * group.order * size * size
            self.dense = nn.Sequential(*dense((flat, *hidden), "relu"), *[nn.ReLU()] * bool(hidden))
            self.pooled_channels, self.channels, self.rep = flat, (hidden or (flat,))[-1], trivial_representation(group)
        else:
            self.pooled_channels = channels
            self.dense = EquivariantMLP(self.rep, hidden, "relu", channels, **layer)
            self.channels = self.dense.channels

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, c, |G|); behind ``pool="flatten"`` (B, c, 1)."""
        return self.latent(self.pooled(frames))

    def pooled(self, frames: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, c, |G|), in front of the hidden layers; (B, D) for ``pool="flatten"``."""
        features = self.conv(frames[:, :, None])
        return features.flatten(1) if self.pool == "flatten" else pool_places(features, self.pool)

    def latent(self, pooled: Tensor) -> Tensor:
        """The hidden layers, (B, c, |G|) -> (B, c', |G|); (B, D) -> (B, c, 1) for ``pool="flatten"``."""
        return self.dense(pooled)[..., None] if self.pool == "flatten" else self.dense(pooled)  # type: ignore[no-any-return]


class Vector(nn.Module):
    """The last layer: features (B, c, d_in) to vectors (B, copies * d_out), one after the other."""

    def __init__(
        self, channels: int, rep_in: Representation, rep_out: Representation, copies: int = 1, **layer: Any
    ) -> None:
        """Make the layer; the parameters are those of :class:`~symbench.policies.equivariant.linear.BasisLinear`."""
        super().__init__()
        self.linear = BasisLinear(channels, copies, rep_in, rep_out, **layer)

    def forward(self, features: Tensor) -> Tensor:
        """(B, c, d_in) -> (B, copies * d_out)."""
        return self.linear(features).flatten(1)  # type: ignore[no-any-return]


def last_layer(body: EquivariantMLP | EquivariantCNN, rep: Representation, copies: int = 1, **layer: Any) -> nn.Module:
    """The layer behind a body: to so many vectors, one after the other."""
    if isinstance(body, EquivariantCNN) and body.pool == "flatten":
        return nn.Sequential(nn.Flatten(), nn.Linear(body.channels, copies * rep.dim))
    return Vector(body.channels, body.rep, rep, copies, **layer)


def on_actions(action: ActionHead, group: FiniteGroup, data: Mapping[str, Any] | None) -> Representation:
    """How the group acts on encoded actions; refused if the action head would break it.

    Raises:
        SymbenchError: It does not fit the actions.
    """
    if data is None:  # actions stay: the policy is invariant
        return trivial_representation(group, action.size)
    acting, space = action_of(group, data), action.space
    reason = acting.escape(space) if isinstance(space, spaces.Box) else acting.incompatibility(space)
    if reason:
        raise SymbenchError(f"the symmetry does not fit the actions: {reason}")
    return vectors_of(acting)
