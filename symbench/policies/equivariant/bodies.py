"""What equivariant actors and critics are made of.

* :class:`EquivariantMLP`, :class:`EquivariantCNN` - the hidden layers, to features (B, c, |G|)
* :class:`Vector` - the last layer; :func:`on_actions` - how the group acts on an actor's
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.equivariant.convolutions import POOLS, GroupConv2d, pool_places
from symbench.policies.equivariant.linear import BasisLinear, from_columns, to_columns
from symbench.policies.equivariant.symmetries import action_of, vectors_of
from symbench.policies.layers import ACTIVATIONS, dense
from symbench.symmetry import FiniteGroup, Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.networks import PolicyNetwork

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
            self.channels, self.rep = (hidden or (flat,))[-1], trivial_representation(group)
        else:
            self.dense = EquivariantMLP(self.rep, hidden, "relu", channels, **layer)
            self.channels = self.dense.channels

    def forward(self, frames: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, c, |G|); behind ``pool="flatten"`` (B, c, 1)."""
        features = self.conv(frames[:, :, None])
        if self.pool == "flatten":
            return self.dense(features.flatten(1))[..., None]  # type: ignore[no-any-return]
        return self.dense(pool_places(features, self.pool))  # type: ignore[no-any-return]


class Vector(nn.Module):
    """The last layer: features (B, c, d_in) to one vector (B, d_out)."""

    def __init__(self, channels: int, rep_in: Representation, rep_out: Representation, **layer: Any) -> None:
        """Make the layer; the parameters are those of :class:`~symbench.policies.equivariant.linear.BasisLinear`."""
        super().__init__()
        self.linear = BasisLinear(channels, 1, rep_in, rep_out, **layer)

    def forward(self, features: Tensor) -> Tensor:
        """(B, c, d_in) -> (B, d_out)."""
        return self.linear(features)[:, 0]  # type: ignore[no-any-return]


def on_actions(network: PolicyNetwork, group: FiniteGroup, action: Mapping[str, Any] | None) -> Representation:
    """How the group acts on the network's output; refused if what follows the output would break it.

    Raises:
        SymbenchError: It does not fit the actions.
    """
    if action is None:
        return trivial_representation(group, network.action_dim)
    acting = action_of(group, action)
    if network.output == "discrete":
        reason = acting.incompatibility(spaces.Discrete(network.action_dim))
    else:
        ones = np.ones(network.action_dim, dtype=np.float32)
        box = spaces.Box(ones * network.low.numpy(), ones * network.high.numpy())
        reason = acting.escape(box)
    if reason:
        raise SymbenchError(f"the symmetry does not fit the actions: {reason}")
    return vectors_of(acting)
