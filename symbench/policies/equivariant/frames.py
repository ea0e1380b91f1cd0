"""An equivariant actor that reads frames: K_g pi(s) = pi(L_g s), whatever its weights.

It is also what it is compared with. ``basis="nullspace"`` and ``basis="random"`` are the same layers over other bases;
under the group ``"trivial"`` it is an ordinary CNN. Source: van der Pol et al. 2020 (arXiv 2006.16908).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.equivariant.bodies import EquivariantCNN, Vector, on_actions
from symbench.policies.equivariant.symmetries import action_of, group_named
from symbench.policies.vision.base import VisionNetwork, unmasked
from symbench.symmetry import GridRepresentation, Representation, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.networks import Observations, State
    from symbench.policies.vision.base import Inputs

_GRID_WORLD: Final = ((8, 7, 2), (16, 5, 1))


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
        basis: str = "equivariant",
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
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: The group, or how it acts, is not described; the convolutions do not fit the frame; or the
                group does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation or usual_moves(group))}
        config |= {"action": action and dict(action), "size": size, "channels": channels, "history": history}
        config |= {"conv": [list(each) for each in conv], "pool": pool, "hidden": tuple(hidden)}
        super().__init__(action_dim, output, low, high, **config, basis=basis, init=init)
        self.size, self.channels, self.history = size, channels, history
        self.memory = f"the last {history} frames" if history > 1 else ""
        self._layer: dict[str, Any] = {"basis": basis, "init": init}
        acting = group_named(group)
        if not isinstance(action_of(acting, config["observation"]), GridRepresentation):
            raise SymbenchError(f"{self.kind} reads frames: observation must hold 'moves', received {observation}")
        self.rep_out = on_actions(self, acting, action)
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

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The same state: it does not know what was done."""
        return state

    def _last(self, rep: Representation) -> nn.Module:
        if self.body.pool == "flatten":
            return nn.Sequential(nn.Flatten(), nn.Linear(self.body.channels, rep.dim))
        return Vector(self.body.channels, self.body.rep, rep, **self._layer)

    def _size_incompatibility(self, height: int, width: int) -> str | None:
        if (height, width) == (self.size, self.size):
            return None
        return f"reads {self.size}x{self.size} frames, received {height}x{width}"


def usual_moves(group: str) -> dict[str, list[str]]:
    """What a group does to pictures, if nothing else is said.

    Raises:
        SymbenchError: There is no usual choice for the group.
    """
    usual = {"trivial": [], "C2": ["flip-columns"], "C4": ["turn"], "D4": ["turn", "flip-columns"]}
    if group not in usual:
        raise SymbenchError(f"say what {group} does to a frame: observation = {{'moves': [...]}}")
    return {"moves": usual[group]}
