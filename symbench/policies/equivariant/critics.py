"""What trains beside an equivariant policy: invariant values, deviations of actions that move with them.

* :class:`EquivariantCritics` - makes them, of a network's features
* :class:`EquivariantValue` - values of features, or of features and actions
* :class:`TiedLogStd`, :class:`LogStd` - deviations of actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.attention_neuron import ACTIVATIONS
from symbench.policies.critics import ValueHead
from symbench.policies.equivariant.bodies import EquivariantCNN, EquivariantMLP, Vector
from symbench.policies.equivariant.linear import BasisLinear
from symbench.symmetry import Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class EquivariantCritics:
    """The part of an equivariant network that makes what trains beside it.

    Attributes:
        rep: How each channel of the features transforms.
        rep_out: How encoded actions transform.
        body: The layers in front of the last.
        layer_options: Of every layer.
    """

    rep: Representation
    rep_out: Representation
    features_dim: int
    body: Any
    layer_options: dict[str, Any]

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """Values that are the same for transformed features, and actions; see ``PolicyNetwork.value_head``."""
        activation = str(getattr(self, "_config").get("activation", "relu"))  # noqa: B009  (of the network)
        if isinstance(self.body, EquivariantCNN) and self.body.pool == "flatten":  # nothing behind it is equivariant
            width = self.features_dim + (self.rep_out.dim if of_actions else 0)
            return ValueHead((width, *hidden, outputs), activation)
        rep_action = self.rep_out if of_actions else None
        channels = self.features_dim // self.rep.dim
        return EquivariantValue(channels, self.rep, rep_action, hidden, activation, outputs, **self.layer_options)

    def log_std(self, initial: float) -> nn.Module:
        """One deviation for all numbers of an action that the group mixes."""
        return TiedLogStd(self.rep_out, initial)

    def log_std_head(self) -> nn.Module:
        """Deviations that depend on the state and change place with the actions; of the latent vector."""
        return LogStd(self.body.channels, self.body.rep, self.rep_out, **self.layer_options)


class EquivariantValue(nn.Module):
    """Values of features, and of actions beside them, that no element of the group changes."""

    def __init__(
        self,
        channels: int,
        rep: Representation,
        rep_action: Representation | None,
        hidden: Sequence[int],
        activation: str,
        outputs: int = 1,
        **layer: Any,
    ) -> None:
        """Make the layers.

        Args:
            channels: Number of copies c of ``rep`` that the features are.
            rep: Of one channel.
            rep_action: Of actions; ``None`` if they are not read.
            hidden: Channels of the hidden layers.
            activation: ``"relu"`` or ``"tanh"``.
            outputs: How many values.
            **layer: Parameters of :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: Actions are read and there is no hidden layer, in which they could meet the features.
        """
        super().__init__()
        self.channels, self.rep_dim, one = channels, rep.dim, trivial_representation(rep.group)
        self.of_actions: BasisLinear | None = None
        if rep_action is not None:
            if not hidden:
                raise SymbenchError("a critic of actions needs a hidden layer, received none")
            inside = regular(rep.group)
            self.of_features = BasisLinear(channels, hidden[0], rep, inside, **layer)
            self.of_actions = BasisLinear(1, hidden[0], rep_action, inside, bias=False, **layer)
            self.activation = ACTIVATIONS[activation]()
            channels, rep, hidden = hidden[0], inside, hidden[1:]
        self.body = EquivariantMLP(rep, hidden, activation, channels, **layer)
        self.head = Vector(self.body.channels, self.body.rep, one, outputs, **layer)

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """Features (B, c, d) or (B, c * d), and actions (B, A), to values (B, outputs)."""
        features = features.reshape(len(features), self.channels, self.rep_dim)
        if self.of_actions is not None:
            assert actions is not None
            features = self.activation(self.of_features(features) + self.of_actions(actions[:, None]))
        return self.head(self.body(features))  # type: ignore[no-any-return]


class TiedLogStd(nn.Module):
    """Logarithms of deviations that do not depend on the state: one for all places that the group mixes."""

    orbits: Tensor

    def __init__(self, rep: Representation, initial: float) -> None:
        """Begin with ``initial`` everywhere."""
        super().__init__()
        orbits = _orbits(rep)
        self.register_buffer("orbits", torch.from_numpy(orbits), persistent=False)
        self.values = nn.Parameter(torch.full((int(orbits.max()) + 1,), float(initial)))

    def forward(self) -> Tensor:
        """Shape (A,)."""
        return self.values[self.orbits]


class LogStd(Vector):
    """Logarithms of deviations that depend on the state: they change place as the sizes of actions do."""

    def __init__(self, channels: int, rep_in: Representation, rep: Representation, **layer: Any) -> None:
        """Make the layer for actions that transform by ``rep``, which must be a signed permutation."""
        super().__init__(channels, rep_in, Representation(rep.group, np.abs(rep.matrices)), **layer)


def _orbits(rep: Representation) -> NDArray[np.int64]:
    """Numbers of the parts of a vector that the group mixes, (d,)."""
    from scipy.sparse.csgraph import connected_components  # late: it takes a tenth of a second to import

    mixed = np.abs(rep.matrices).sum(axis=0) > 1e-9
    return np.asarray(connected_components(mixed, directed=False)[1], dtype=np.int64)
