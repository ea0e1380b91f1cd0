"""A team whose joint policy is equivariant: turned observations, turned joint action, whatever the weights.

Global equivariance through local equivariant computation and equivariant messages. Source: van der Pol et al. 2022
(arXiv 2110.04495).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from torch import Tensor, nn

from symbench.policies.equivariant import group_named
from symbench.policies.equivariant.bodies import EquivariantCNN, Vector, on_actions
from symbench.policies.equivariant.critics import EquivariantValue, LogStd, TiedLogStd
from symbench.policies.equivariant.frames import usual_moves
from symbench.policies.multi_agent.message_layers import EquivariantMessageLayer
from symbench.policies.multi_agent.message_passing import MessagePassingNetwork, row_by_row
from symbench.symmetry import from_generators

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.symmetry import FiniteGroup, Representation

_ON_EDGES: Final = {
    "turn": [[0, -1], [1, 0]],
    "half-turn": [[-1, 0], [0, -1]],
    "flip-columns": [[1, 0], [0, -1]],
    "flip-rows": [[-1, 0], [0, 1]],
}
"""What a move of a picture does to a (row, column)."""


class MultiAgentHomomorphicNetwork(MessagePassingNetwork):
    """Group convolutions, messages along edges that turn, and heads whose actions turn; one network for all agents.

    A transformed joint observation (every picture turned, places turned about the centre, agents in any order) gives
    the transformed joint action. The defaults are the published network for Wildlife, 28,835 parameters with its value
    (``value_head([])``) under ``action={"maps": [[0, 2, 3, 4, 1]]}``; its messages are weighted by distances, here
    ``norm_weighted=True``.

    In the published Traffic pictures have another order than actions: ``action_order=[0, 2, 1, 3]`` there.
    Under a quarter turn pictures then change place as [2, 0, 3, 1] and actions as [1, 3, 0, 2], which keeps rewards.
    Without it actions change place as pictures do: as published, and no symmetry of that environment.
    """

    kind = "multi-agent-homomorphic"
    conv = ((8, 7, 2), (16, 5, 1))

    def __init__(
        self,
        action_space: ActionSpace,
        agents: int,
        group: str = "C4",
        observation: Mapping[str, Any] | None = None,
        action: Mapping[str, Any] | None = None,
        size: int = 21,
        channels: int = 1,
        conv: Sequence[Sequence[int]] = conv,
        messages: Sequence[int] = (32, 32),
        reach: float = 0.4,
        norm_weighted: bool = False,
        published_graph: bool = False,
        action_order: Sequence[int] | None = None,
        position_scale: float = 1.0,
        pixel_max: float = 1.0,
        basis: str = "equivariant",
        init: str = "torch",
    ) -> None:
        """Make the network.

        Args:
            action_space: That of the joint action, such as MultiDiscrete([k] * n).
            agents: Number n of agents.
            group: Name of the group: ``"C4"``, ``"D4"``.
            observation: What its generators do to a picture, ``{"moves": [...]}``; by default usual turns and flips.
            action: How it acts on one agent's action; by default it does not.
            size: Height and width of a picture in pixels.
            channels: Channels C of a picture.
            conv: Channels, kernel size and stride of each convolution; a channel is |G| pictures.
            messages: Channels of the message layers; a channel is |G| numbers.
            reach: How far agents hear each other, in scaled places.
            norm_weighted: Whether messages are weighted by the distance and everybody hears everybody, as published.
            published_graph: Whether ``reach`` is that of the published Traffic, where nobody hears anybody.
            action_order: Part p of the joint action is that of agent ``action_order[p]``; by default of agent p.
            position_scale: Places are multiplied by this.
            pixel_max: Pictures are divided by this.
            basis: One of :data:`~symbench.policies.equivariant.bases.BASES`, or ``"soft"``.
            init: See :class:`~symbench.policies.equivariant.linear.BasisLinear`.

        Raises:
            SymbenchError: The group, or how it acts, is not described; the convolutions do not fit the picture; or the
                joint action is not that of so many like agents.
        """
        moves = dict(observation or usual_moves(group))
        config: dict[str, Any] = {"group": group, "observation": moves, "action": action and dict(action)}
        config |= {"size": size, "channels": channels, "conv": [list(each) for each in conv]}
        config |= {"messages": tuple(messages), "reach": reach, "norm_weighted": norm_weighted}
        config |= {"published_graph": published_graph, "action_order": action_order, "basis": basis, "init": init}
        super().__init__(action_space, agents, **config, position_scale=position_scale, pixel_max=pixel_max)
        acting = group_named(group)
        self.layer_options: dict[str, Any] = {"basis": basis, "init": init}
        self.encoder = EquivariantCNN(acting, moves["moves"], channels, size, conv, "max", (), **self.layer_options)
        self.rep, self.rep_out = self.encoder.rep, on_actions(self.one, acting, action)
        widths, edge = [self.encoder.channels, *messages], on_edges(acting, moves["moves"])
        self.layers = nn.ModuleList(
            [
                EquivariantMessageLayer(before, after, self.rep, edge, **self.layer_options)
                for before, after in pairwise(widths)
            ]
        )
        self.width = widths[-1]
        self.features_dim = agents * self.width * self.rep.dim
        self.head = Vector(self.width, self.rep, self.rep_out, self.one.copies, **self.layer_options)

    def encode(self, images: Tensor) -> Tensor:
        """(B, k, C, H, W) -> (B, k, c, |G|)."""
        return row_by_row(self._encode, images)

    def _encode(self, images: Tensor) -> Tensor:
        return self.encoder.pooled(self._pixels(images))

    def act(self, features: Tensor) -> Tensor:
        """(B, k, c, |G|) -> (B, k, L / n)."""
        return row_by_row(self.head, features)

    def value_of_one(self, hidden: Sequence[int], of_actions: bool, outputs: int) -> nn.Module:
        """A value that no element of the group changes."""
        rep_action = self.rep_out if of_actions else None
        return EquivariantValue(self.width, self.rep, rep_action, hidden, "relu", outputs, **self.layer_options)

    def log_std_of_one(self, initial: float) -> nn.Module:
        """One deviation for all numbers of an action that the group mixes."""
        return TiedLogStd(self.rep_out, initial)

    def log_std_head_of_one(self) -> nn.Module:
        """Deviations that change place with the action's numbers."""
        return LogStd(self.width, self.rep, self.rep_out, **self.layer_options)


def on_edges(group: FiniteGroup, moves: Sequence[str]) -> Representation:
    """How the group acts on a vector (row, column), if its generators move pictures so."""
    return from_generators(group, [_ON_EDGES[move] for move in moves])
