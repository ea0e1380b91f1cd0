"""Equivariant actors: K_g pi(s) = pi(L_g s) for every element g of a group, whatever the weights.

* :class:`EquivariantMLPNetwork` - reads a vector of sensors
* :class:`EquivariantCNNNetwork` - reads frames
* :class:`ActorCritic` - either of them and an invariant critic on the same features

All are also what they are compared with: the arms ``"nullspace"`` and ``"random"`` have the same layers over other
bases, and under the group ``"trivial"`` they are an ordinary MLP and CNN. Source: van der Pol et al. 2020 (arXiv
2006.16908).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.equivariant.convolutions import POOLS, GroupConv2d, pool_places
from symbench.policies.equivariant.linear import BasisLinear
from symbench.policies.equivariant.symmetries import action_of, group_named, vectors_of
from symbench.policies.layers import ACTIVATIONS, dense
from symbench.policies.networks import SensorNetwork
from symbench.policies.vision.base import VisionNetwork, unmasked
from symbench.symmetry import FiniteGroup, GridRepresentation, Representation, regular, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.networks import Observations, PolicyNetwork, State
    from symbench.policies.vision.base import Inputs

_POOLS: Final = (*POOLS, "flatten")
_GRID_WORLD: Final = ((8, 7, 2), (16, 5, 1))


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
        for layer in self:
            features = layer(features)
        return features


class Vector(nn.Module):
    """The last layer: features (B, c, d_in) to one vector (B, d_out)."""

    def __init__(self, channels: int, rep_in: Representation, rep_out: Representation, **layer: Any) -> None:
        """Make the layer; the parameters are those of :class:`~symbench.policies.equivariant.linear.BasisLinear`."""
        super().__init__()
        self.linear = BasisLinear(channels, 1, rep_in, rep_out, **layer)

    def forward(self, features: Tensor) -> Tensor:
        """(B, c, d_in) -> (B, d_out)."""
        return self.linear(features)[:, 0]  # type: ignore[no-any-return]


class EquivariantMLPNetwork(SensorNetwork):
    """An MLP over sensors whose actions move with them: the MDP homomorphic network of van der Pol et al. 2020.

    Example:
        >>> mirror = {"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}
        >>> network = EquivariantMLPNetwork(2, **mirror, output="discrete")
        >>> sensors = torch.randn(5, 4)
        >>> torch.allclose(network(sensors, ())[0], network(-sensors, ())[0].flip(1), atol=1e-6)
        True
    """

    kind = "equivariant-mlp"

    def __init__(
        self,
        action_dim: int,
        group: str,
        observation: Mapping[str, Any],
        action: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (64, 64),
        activation: str = "relu",
        output: str = "clip",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        arm: str = "equivariant",
        init: str = "torch",
        bias_init: bool = True,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            group: Name of the group.
            observation: How it acts on the sensors; the forms are those of
                :mod:`~symbench.policies.equivariant.symmetries`.
            action: How it acts on actions; by default it does not, and the actor is invariant.
            hidden: Channels of the hidden layers; a channel is |G| numbers.
            activation: ``"relu"`` or ``"tanh"``.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
            arm: One of :data:`~symbench.policies.equivariant.bases.ARMS`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.
            bias_init: The same.

        Raises:
            SymbenchError: The group, or how it acts, is not described; or it does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation), "action": action and dict(action)}
        config |= {"hidden": tuple(hidden), "activation": activation, "arm": arm, "init": init, "bias_init": bias_init}
        super().__init__(action_dim, output, low, high, **config)
        rep_in = vectors_of(action_of(group_named(group), observation))
        self.num_sensors, self.rep_out = rep_in.dim, _on_actions(self, rep_in.group, action)
        self._layer: dict[str, Any] = {"arm": arm, "init": init, "bias_init": bias_init}
        self.body = EquivariantMLP(rep_in, hidden, activation, **self._layer)
        self.head = Vector(self.body.channels, self.body.rep, self.rep_out, **self._layer)  # type: ignore[assignment]

    def value_head(self) -> nn.Module:
        """A critic's last layer with fresh weights, (B, c, |G|) -> (B, 1): it reads the features of ``body``."""
        one = trivial_representation(self.rep_out.group)
        return Vector(self.body.channels, self.body.rep, one, **self._layer)

    def initial_state(self, batch: int, *shape: int) -> State:
        """The empty tuple."""
        return ()

    def raw(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N); the state stays empty."""
        return self.head(self.body(observations)), state

    def remember(self, state: State, actions: Tensor) -> State:
        """The empty tuple."""
        return state


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
        """Make the layers; the parameters are those of :class:`EquivariantCNNNetwork`.

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


class EquivariantCNNNetwork(VisionNetwork):
    """Group convolutions over the last k frames: actions move with what is seen. Hidden patches are black to it.

    Its state is whether it has seen anything yet (B, 1) and the last k frames (B, k * C, H, W), uint8, oldest first;
    empty if k is 1. The defaults are van der Pol et al.'s agent for the GridWorld. Their agent for Pong is equivariant
    up to its dense layers, which are ordinary ones: ``pool="flatten"``. One for Pong that is equivariant as a whole
    ends with a convolution as large as what it reads: ``conv=[[11, 8, 4], [22, 5, 2], [181, 8, 1]]``.
    """

    kind = "equivariant-cnn"

    def __init__(
        self,
        action_dim: int,
        group: str = "C4",
        observation: Mapping[str, Any] | None = None,
        action: Mapping[str, Any] | None = None,
        size: int = 21,
        channels: int = 1,
        history: int = 1,
        conv: Sequence[Sequence[int]] = _GRID_WORLD,
        pool: str = "max",
        hidden: Sequence[int] = (256,),
        output: str = "discrete",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        arm: str = "equivariant",
        init: str = "torch",
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            group: Name of the group.
            observation: What its generators do to a frame, ``{"moves": [...]}``; by default a turn for ``"C4"``, a turn
                and a flip of columns for ``"D4"``, a flip of columns for ``"C2"``.
            action: How it acts on actions; by default it does not, and the actor is invariant.
            size: Height and width of a frame in pixels.
            channels: Channels C of a frame.
            history: Frames k it sees.
            conv: Channels, kernel size and stride of each convolution; a channel is |G| pictures.
            pool: ``"max"`` or ``"mean"`` over places, or ``"flatten"``: ordinary layers behind the convolutions.
            hidden: Channels of the dense layers behind them.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`~symbench.policies.networks.PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
            arm: One of :data:`~symbench.policies.equivariant.bases.ARMS`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: The group, or how it acts, is not described; the convolutions do not fit the frame; or the
                group does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation or usual_moves(group))}
        config |= {"action": action and dict(action), "size": size, "channels": channels, "history": history}
        config |= {"conv": [list(each) for each in conv], "pool": pool, "hidden": tuple(hidden)}
        super().__init__(action_dim, output, low, high, **config, arm=arm, init=init)
        self.size, self.channels, self.history = size, channels, history
        self.memory = f"the last {history} frames" if history > 1 else ""
        self._layer: dict[str, Any] = {"arm": arm, "init": init}
        acting = group_named(group)
        if not isinstance(action_of(acting, config["observation"]), GridRepresentation):
            raise SymbenchError(f"{self.kind} reads frames: observation must hold 'moves', received {observation}")
        self.rep_out = _on_actions(self, acting, action)
        moves = config["observation"]["moves"]
        self.body = EquivariantCNN(acting, moves, history * channels, size, conv, pool, hidden, **self._layer)
        self.head = self._last(self.rep_out)

    def value_head(self) -> nn.Module:
        """A critic's last layer with fresh weights, (B, c, |G|) -> (B, 1): it reads the features of ``body``."""
        return self._last(trivial_representation(self.rep_out.group))

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros for frames of shape (H, W, C); empty for a network that sees one frame."""
        height, width, channels = shape
        frames = torch.zeros(batch, self.history * channels, height, width, dtype=torch.uint8)
        return (torch.zeros(batch, 1, dtype=torch.bool), frames) if self.history > 1 else ()

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The last k frames; see :meth:`~symbench.policies.vision.base.VisionNetwork.perceive`."""
        image, _ = unmasked(observations)
        newest = image.permute(0, 3, 1, 2)
        if self.history == 1:
            return (newest,), ()
        begun, frames = state
        frames = torch.cat([frames[:, self.channels :], newest], dim=1)
        frames = torch.where(begun[:, :, None, None], frames, newest.repeat(1, self.history, 1, 1))
        return (frames,), (torch.ones_like(begun), frames)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the layers make of the frames, (B, c, |G|)."""
        (frames,) = inputs
        assert frames is not None
        return self.body(frames.to(self.low.dtype) / 255.0)  # type: ignore[no-any-return]

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """The last layer; the state stays as it is."""
        return self.head(features), state

    def remember(self, state: State, actions: Tensor) -> State:
        """The same state: it does not know what was done."""
        return state

    def _last(self, rep: Representation) -> nn.Module:
        if self.body.pool == "flatten":
            return nn.Sequential(nn.Flatten(), nn.Linear(self.body.channels, rep.dim))
        return Vector(self.body.channels, self.body.rep, rep, **self._layer)

    def _misreads_size(self, height: int, width: int) -> str | None:
        if (height, width) == (self.size, self.size):
            return None
        return f"reads {self.size}x{self.size} frames, received {height}x{width}"


class ActorCritic(nn.Module):
    """An actor and a critic on the same features; the policy is equivariant, the value invariant.

    After training, ``network`` is the actor that can be saved and played.

    Attributes:
        network: The actor.
    """

    def __init__(self, network: EquivariantMLPNetwork | EquivariantCNNNetwork) -> None:
        """Add a critic with fresh weights to an actor."""
        super().__init__()
        self.network, self.value_head = network, network.value_head()

    def features(self, observations: Tensor) -> Tensor:
        """What both read, (B, c, |G|).

        Args:
            observations: Sensors (B, N), or k frames on top of each other, (B, k * C, H, W), uint8.
        """
        if isinstance(self.network, EquivariantCNNNetwork):
            return self.network.features(observations)
        return self.network.body(observations)  # type: ignore[no-any-return]

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Policy (B, A) - scores, or the mean before squashing or clipping - and value (B,), with shared features."""
        features = self.features(observations)
        return self.network.head(features), self.value_head(features)[:, 0]

    def policy(self, observations: Tensor) -> Tensor:
        """The last layer's output, (B, A)."""
        return self.network.head(self.features(observations))  # type: ignore[no-any-return]

    def value(self, observations: Tensor) -> Tensor:
        """The value, (B,)."""
        return self.value_head(self.features(observations))[:, 0]  # type: ignore[no-any-return]


def usual_moves(group: str) -> dict[str, list[str]]:
    """What a group does to pictures, if nothing else is said.

    Raises:
        SymbenchError: There is no usual choice for the group.
    """
    usual = {"trivial": [], "C2": ["flip-columns"], "C4": ["turn"], "D4": ["turn", "flip-columns"]}
    if group not in usual:
        raise SymbenchError(f"say what {group} does to a frame: observation = {{'moves': [...]}}")
    return {"moves": usual[group]}


def _on_actions(network: PolicyNetwork, group: FiniteGroup, action: Mapping[str, Any] | None) -> Representation:
    """How the group acts on the network's output; refused if what follows the output would break it."""
    if action is None:
        return trivial_representation(group, network.action_dim)
    acting = action_of(group, action)
    if network.output == "discrete":
        misfit = acting.misfit(spaces.Discrete(network.action_dim))
    else:
        ones = np.ones(network.action_dim, dtype=np.float32)
        box = spaces.Box(ones * network.low.numpy(), ones * network.high.numpy())
        misfit = acting.escape(box)
    if misfit:
        raise SymbenchError(f"the symmetry does not fit the actions: {misfit}")
    return vectors_of(acting)
