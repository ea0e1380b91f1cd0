"""The parts of which equivariant SB3 policies are built.

* :class:`SensorsReader`, :class:`FramesReader` - features extractors that know how their features transform
* :class:`Heads` - hidden layers of an actor and a critic
* :class:`Together` - a critic of observations and actions
* :class:`TiedLogStd`, :class:`LogStd` - deviations of actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces
from scipy.sparse.csgraph import connected_components
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.equivariant.bodies import EquivariantCNN, EquivariantMLP, Vector
from symbench.policies.equivariant.convolutions import fitting_convolutions
from symbench.policies.equivariant.frames import EquivariantCNNNetwork
from symbench.policies.equivariant.linear import BasisLinear
from symbench.policies.equivariant.sensors import EquivariantMLPNetwork
from symbench.policies.equivariant.symmetries import action_of, group_named, vectors_of
from symbench.policies.spaces import form
from symbench.symmetry import GridRepresentation, Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.policies.networks import PolicyNetwork


class Reader(BaseFeaturesExtractor):
    """A features extractor that knows how its features, (B, c, d), transform.

    Attributes:
        rep: Of each channel.
        channels: Number c of copies of it.
    """

    rep: Representation
    channels: int


class SensorsReader(Reader):
    """A vector as one channel of its representation, (B, d) -> (B, 1, d)."""

    def __init__(self, observation_space: spaces.Space[Any], symmetry: dict[str, Any]) -> None:
        """Make the reader.

        Args:
            observation_space: A Box of d numbers.
            symmetry: Plain data.

        Raises:
            SymbenchError: The symmetry does not fit the space.
        """
        self.rep, self.channels = vectors_of(_observation(symmetry)), 1
        if reason := self.rep.incompatibility(observation_space):
            raise SymbenchError(f"the symmetry does not fit the observations: {reason}")
        super().__init__(observation_space, self.rep.dim)

    def forward(self, observations: Tensor) -> Tensor:
        """(B, d) -> (B, 1, d)."""
        return observations.flatten(1)[:, None]


class FramesReader(Reader):
    """Group convolutions over pictures, pooled over places, (B, C, H, W) -> (B, c, |G|): regular representations."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        symmetry: dict[str, Any],
        conv: Sequence[Sequence[int]] | None = None,
        pool: str = "max",
        basis: str = "equivariant",
        init: str = "torch",
    ) -> None:
        """Make the reader.

        Args:
            observation_space: A Box (C, H, W) of square pictures.
            symmetry: Plain data.
            conv: Channels, kernel size and stride of each convolution; a channel is |G| pictures. By default those of
                :func:`~symbench.policies.equivariant.fitting_convolutions`.
            pool: ``"max"`` or ``"mean"`` over places.
            basis: See :class:`~symbench.policies.equivariant.GroupConv2d`.
            init: The same.

        Raises:
            SymbenchError: The pictures are not square, or the convolutions do not fit them.
        """
        shape = observation_space.shape or ()
        if len(shape) != 3 or shape[1] != shape[2]:
            raise SymbenchError(f"the symmetry acts on square pictures (C, H, W), received {form(observation_space)}")
        if pool == "flatten":
            raise SymbenchError("pool must be 'max' or 'mean': behind 'flatten' nothing is equivariant")
        group = group_named(symmetry["group"])
        conv = fitting_convolutions(shape[1]) if conv is None else conv
        self.config: dict[str, Any] = {"conv": [list(layer) for layer in conv], "pool": pool}
        moves = symmetry["observation"]["moves"]
        body = EquivariantCNN(group, moves, shape[0], shape[1], conv, pool, (), basis=basis, init=init)
        self.rep, self.channels = body.rep, body.channels
        super().__init__(observation_space, body.channels * group.order)
        self.body = body

    def forward(self, observations: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, c, |G|)."""
        return self.body(observations)  # type: ignore[no-any-return]


class Heads(nn.Module):
    """Hidden layers of an actor and a critic, with the interface of SB3's ``MlpExtractor``.

    Attributes:
        latent_dim_pi: Channels of the actor's last layer.
        latent_dim_vf: Channels of the critic's last layer.
        invariant: The trivial representation.
    """

    def __init__(self, reader: Reader, net_arch: Any, activation: str, layer_kwargs: dict[str, Any]) -> None:
        """Make the layers; ``net_arch`` is a list for both or a dict with ``pi`` and ``vf``."""
        super().__init__()
        both = net_arch if isinstance(net_arch, dict) else {"pi": net_arch, "vf": net_arch}
        self.arch: dict[str, list[int]] = {"pi": [], "vf": [], **both}
        self.policy_net, self.value_net = (
            EquivariantMLP(reader.rep, self.arch[name], activation, reader.channels, **layer_kwargs)
            for name in ("pi", "vf")
        )
        self.latent_dim_pi, self.latent_dim_vf = self.policy_net.channels, self.value_net.channels
        self.invariant = trivial_representation(reader.rep.group)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Latent vectors of the actor and of the critic."""
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: Tensor) -> Tensor:
        """(B, c, d) -> (B, c', |G|)."""
        return self.policy_net(features)  # type: ignore[no-any-return]

    def forward_critic(self, features: Tensor) -> Tensor:
        """(B, c, d) -> (B, c', |G|)."""
        return self.value_net(features)  # type: ignore[no-any-return]


class Together(nn.Module):
    """A value of observations and actions that is the same for transformed observations and actions."""

    def __init__(
        self,
        reader: Reader,
        rep_action: Representation,
        hidden: Sequence[int],
        activation: str,
        layer_kwargs: dict[str, Any],
    ) -> None:
        """Make the layers; the first of them reads both.

        Raises:
            SymbenchError: There is no hidden layer.
        """
        super().__init__()
        if not hidden:
            raise SymbenchError("a critic of observations and actions needs a hidden layer, received net_arch without")
        group = reader.rep.group
        inside, one = regular(group), trivial_representation(group)
        self.of_features = BasisLinear(reader.channels, hidden[0], reader.rep, inside, **layer_kwargs)
        self.of_actions = BasisLinear(1, hidden[0], rep_action, inside, bias=False, **layer_kwargs)
        self.activation = nn.ReLU() if activation == "relu" else nn.Tanh()
        self.body = EquivariantMLP(inside, hidden[1:], activation, hidden[0], **layer_kwargs)
        self.head = Vector(self.body.channels, inside, one, **layer_kwargs)

    def forward(self, features: Tensor, actions: Tensor) -> Tensor:
        """Features (B, c, d) and actions (B, A) to values (B, 1)."""
        both = self.of_features(features) + self.of_actions(actions[:, None])
        return self.head(self.body(self.activation(both)))  # type: ignore[no-any-return]


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


def acting_on(symmetry: dict[str, Any], space: spaces.Space[Any]) -> Representation:
    """How the group acts on policies over an action space.

    Raises:
        SymbenchError: It cannot, or does not map the space to itself.
    """
    group = group_named(symmetry["group"])
    if symmetry["action"] is None:  # actions stay: the policy is invariant
        size = space.n if isinstance(space, spaces.Discrete) else (space.shape or ())[0]
        return trivial_representation(group, int(size))
    action = action_of(group, symmetry["action"])
    reason = action.escape(space) if isinstance(space, spaces.Box) else action.incompatibility(space)
    if reason:
        raise SymbenchError(f"the symmetry does not fit the actions: {reason}")
    return vectors_of(action)


def extractor_for(symmetry: dict[str, Any]) -> type[Reader]:
    """The class that reads what the group acts on."""
    return FramesReader if isinstance(_observation(symmetry), GridRepresentation) else SensorsReader


def reader_of(model: Any) -> Reader:
    """The features extractor of a part of a policy."""
    reader = model.features_extractor
    assert isinstance(reader, Reader)
    return reader


def actor_of(
    policy: Any, reader: Reader, hidden: Sequence[int], activation: str, output: str, layer_kwargs: dict[str, Any]
) -> EquivariantMLPNetwork | EquivariantCNNNetwork:
    """An actor without SB3 of the same architecture, with fresh weights.

    Raises:
        SymbenchError: The layers behind convolutions have another activation than ReLU.
    """
    space: Any = policy.action_space
    config: dict[str, Any] = {**policy.symmetry, "hidden": list(hidden), "output": output, **layer_kwargs}
    if isinstance(space, spaces.Discrete):
        config |= {"action_dim": int(space.n), "output": "discrete"}
    else:
        config |= {"action_dim": space.shape[0], "low": space.low.tolist(), "high": space.high.tolist()}
    if not isinstance(reader, FramesReader):
        return EquivariantMLPNetwork(**config, activation=activation)
    if activation != "relu":
        raise SymbenchError("behind convolutions only ReLU can be exported: train with activation_fn=torch.nn.ReLU")
    planes, size, _ = reader._observation_space.shape or ()
    # As everywhere: 3, 6, 9, ... planes are RGB frames on top of each other, any other number grey ones.
    channels = 1 if planes % 3 else 3
    config |= {"size": size, "channels": channels, "history": planes // channels, **reader.config}
    return EquivariantCNNNetwork(**config)


def copy_actor(
    network: EquivariantMLPNetwork | EquivariantCNNNetwork, reader: Reader, body: nn.Module, head: nn.Module
) -> PolicyNetwork:
    """``network`` with the weights of an SB3 policy's parts."""
    if isinstance(reader, FramesReader) and isinstance(network, EquivariantCNNNetwork):
        network.body.conv.load_state_dict(reader.body.conv.state_dict())
        network.body.dense.load_state_dict(body.state_dict())
    else:
        network.body.load_state_dict(body.state_dict())
    network.head.load_state_dict(head.state_dict())
    return network


def _observation(symmetry: dict[str, Any]) -> Any:
    return action_of(group_named(symmetry["group"]), symmetry["observation"])


def _orbits(rep: Representation) -> NDArray[np.int64]:
    """Numbers of the parts of a vector that the group mixes, (d,)."""
    mixed = np.abs(rep.matrices).sum(axis=0) > 1e-9
    return np.asarray(connected_components(mixed, directed=False)[1], dtype=np.int64)
