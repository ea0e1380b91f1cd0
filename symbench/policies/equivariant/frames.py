"""An equivariant policy that reads frames: K_g pi(s) = pi(L_g s), whatever its weights.

It is also what it is compared with. ``basis="nullspace"`` and ``basis="random"`` are the same layers over other bases;
under the group ``"trivial"`` it is an ordinary CNN. Source: van der Pol et al. 2020 (arXiv 2006.16908).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torch import nn

from symbench.errors import SymbenchError
from symbench.policies.equivariant.bodies import EquivariantCNN, last_layer, on_actions
from symbench.policies.equivariant.convolutions import fitting_convolutions
from symbench.policies.equivariant.critics import EquivariantCritics
from symbench.policies.equivariant.symmetries import action_of, group_named
from symbench.policies.vision.vision_network import StackNetwork
from symbench.symmetry import GridRepresentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gymnasium import spaces
    from torch import Tensor

    from symbench.policies.actions import ActionSpace

_GRID_WORLD: Final = ((8, 7, 2), (16, 5, 1))


class EquivariantCNNNetwork(EquivariantCritics, StackNetwork):
    """Group convolutions over the last k frames: actions move with what is seen. Hidden patches are black to it.

    The defaults are van der Pol et al.'s agent for the GridWorld. Their agent for Pong is equivariant
    up to its dense layers, which are ordinary ones: ``pool="flatten"``. One for Pong that is equivariant as a whole
    ends with a convolution as large as what it reads: ``conv=[[11, 8, 4], [22, 5, 2], [181, 8, 1]]``.
    """

    kind = "equivariant-cnn"

    def __init__(
        self,
        action_space: ActionSpace,
        group: str = "C4",
        observation: Mapping[str, Any] | None = None,
        action: Mapping[str, Any] | None = None,
        size: int = 21,
        channels: int = 1,
        history: int = 1,
        conv: Sequence[Sequence[int]] = _GRID_WORLD,
        pool: str = "max",
        hidden: Sequence[int] = (256,),
        basis: str = "equivariant",
        init: str = "torch",
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
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
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: The group, or how it acts, is not described; the convolutions do not fit the frame; or the
                group does not keep the actions' bounds.
        """
        config: dict[str, Any] = {"group": group, "observation": dict(observation or usual_moves(group))}
        config |= {"action": action and dict(action), "size": size, "channels": channels, "history": history}
        config |= {"conv": [list(each) for each in conv], "pool": pool, "hidden": tuple(hidden)}
        super().__init__(action_space, **config, basis=basis, init=init)
        self._build(size, channels, history)
        self.layer_options: dict[str, Any] = {"basis": basis, "init": init}
        acting = group_named(group)
        if not isinstance(action_of(acting, config["observation"]), GridRepresentation):
            raise SymbenchError(f"{self.kind} reads frames: observation must hold 'moves', received {observation}")
        self.rep_out = on_actions(self.action, acting, action)
        moves = config["observation"]["moves"]
        self.body = EquivariantCNN(acting, moves, history * channels, size, conv, pool, hidden, **self.layer_options)
        self.rep, self.features_dim = self.body.rep, self.body.pooled_channels * self.body.rep.dim
        self.head = last_layer(self.body, self.rep_out, self.action.copies, **self.layer_options)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`; convolutions that fit the frames."""
        found = super().sizes(space, given, shown)
        return {**found, "conv": fitting_convolutions(found["size"]), "hidden": [64]}

    def drop_decisions(self) -> None:
        """Take off what is behind the convolutions."""
        self.body.dense, self.head = nn.Sequential(), nn.Identity()

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What the convolutions make of the frames, pooled over places, (B, c, |G|)."""
        (frames,) = inputs
        assert frames is not None
        return self.body.pooled(frames.to(self.dtype) / 255.0)  # type: ignore[no-any-return]

    def latent(self, features: Tensor) -> Tensor:
        """The hidden layers, (B, c, |G|)."""
        return self.body.latent(features)  # type: ignore[no-any-return]

    def last(self, latent: Tensor) -> Tensor:
        """The last layer, to logits (B, L)."""
        return self.head(latent)  # type: ignore[no-any-return]


def usual_moves(group: str) -> dict[str, list[str]]:
    """What a group does to pictures, if nothing else is said.

    Raises:
        SymbenchError: There is no usual choice for the group.
    """
    usual = {"trivial": [], "C2": ["flip-columns"], "C4": ["turn"], "D4": ["turn", "flip-columns"]}
    if group not in usual:
        raise SymbenchError(f"say what {group} does to a frame: observation = {{'moves': [...]}}")
    return {"moves": usual[group]}
