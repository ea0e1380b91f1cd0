"""Teams whose agents run the same network and send each other messages.

Where gradients are computed, all agents are one batch. Elsewhere they are computed one after the other: a product of
matrices may have other last bits for other numbers of rows, and an agent on its own
(:class:`~symbench.policies.multi_agent.DistributedTeam`) must find the same.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.multi_agent.communication_graph import PUBLISHED_REACH, CommunicationGraph, edges_between
from symbench.policies.multi_agent.team_network import TeamNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gymnasium import spaces

    from symbench.policies.actions import ActionSpace

CELLS: Final = 4.2  # how far agents hear each other, in cells; published is 3 * sqrt(2), which rounding decides
NEIGHBOURS: Final = 1.25  # the same of the corners of a unit square: those at one side of it, not across


class MessagePassingNetwork(TeamNetwork):
    """Agents with the same encoder, message layers and head; weights do not depend on how many agents there are.

    The policy commutes with permutations of agents. ``features`` are those of all agents after the last message layer,
    (B, n, c) or (B, n, c, d).

    Attributes:
        graph: Who hears whom.
        layers: The message layers; each maps what k agents are, (B, k, ...), their edges (B, k, n, 2) and weights
            (B, k, n), and what was sent by all, (B, n, ...), to what these agents are next, (B, k, ...).
        action_order: Part p of the joint action is that of agent ``action_order[p]``.
    """

    layers: nn.ModuleList

    def __init__(
        self,
        action_space: ActionSpace,
        agents: int,
        reach: float,
        norm_weighted: bool,
        published_graph: bool,
        action_order: Sequence[int] | None,
        position_scale: float,
        **architecture: Any,
    ) -> None:
        """Make the graph; see :class:`~symbench.policies.multi_agent.MultiAgentHomomorphicNetwork`.

        Raises:
            SymbenchError: The order of actions is no permutation, or the space is not that of so many like agents.
        """
        order = None if action_order is None else [int(agent) for agent in action_order]
        config: dict[str, Any] = {"reach": reach, "norm_weighted": norm_weighted, "published_graph": published_graph}
        config |= {"action_order": order, "position_scale": position_scale, **architecture}
        super().__init__(action_space, agents, **config)
        if order is not None and sorted(order) != list(range(agents)):
            raise SymbenchError(f"action_order must hold the agents 0 to {agents - 1} once each, received {order}")
        self.action_order = order or list(range(agents))
        self.graph = CommunicationGraph(PUBLISHED_REACH if published_graph else float(reach), bool(norm_weighted))

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        found = super().sizes(space, given, shown)
        scale = given.get("position_scale", found["position_scale"])
        return {**found, "reach": NEIGHBOURS if found["position_scale"] == 1 else CELLS * scale}

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """What agents see, (B, k, C, H, W), to what they are, (B, k, ...)."""

    @abstractmethod
    def act(self, features: Tensor) -> Tensor:
        """What agents are, (B, k, ...), to logits of their actions, (B, k, L / n)."""

    def edges(self, hearers: Tensor, speakers: Tensor) -> Tensor:
        """Edges between places (B, k, 2) and (B, n, 2), scaled, (B, k, n, 2)."""
        return edges_between(hearers.to(self.dtype), speakers.to(self.dtype), self.position_scale)

    def rounds(self, images: Tensor, positions: Tensor) -> list[Tensor]:
        """What all agents are, (B, n, ...), behind the encoder and behind each message layer."""
        edges = self.edges(positions, positions)
        others = ~torch.eye(self.agents, dtype=torch.bool, device=edges.device)
        weights = self.graph.weights(edges, self.graph.links(edges).sum(2), others)
        found = [self._each(self.encode, images)]
        for layer in self.layers:
            found.append(self._each(layer, found[-1], edges, weights, sent=(found[-1],)))
        return found

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What all agents are after the last message layer, (B, n, ...)."""
        images, positions = inputs
        assert images is not None
        assert positions is not None
        return self.rounds(images, positions)[-1]

    def latent(self, features: Tensor) -> Tensor:
        """The features themselves: one layer is behind them."""
        return features

    def last(self, latent: Tensor) -> Tensor:
        """The heads, to logits of the joint action (B, L)."""
        return self.joint(list(self._each(self.act, latent).unbind(1)))

    def joint(self, parts: Sequence[Tensor]) -> Tensor:
        """What each agent says, n times (B, L / n), in the order of the joint action, (B, L)."""
        return torch.cat([parts[agent] for agent in self.action_order], dim=1)

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """The mean over agents of a value of each; see :meth:`.PolicyNetwork.value_head`."""
        return TeamValue(self.value_of_one(hidden, of_actions, outputs), self.action_order)

    @abstractmethod
    def value_of_one(self, hidden: Sequence[int], of_actions: bool, outputs: int) -> nn.Module:
        """The layers of that value: features (B, ...), and actions (B, L / n), to (B, outputs)."""

    def log_std(self, initial: float) -> nn.Module:
        """Those of one agent's action, for all of them."""
        return TeamLogStd(self.log_std_of_one(initial), self.agents)

    @abstractmethod
    def log_std_of_one(self, initial: float) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.log_std`."""

    def log_std_head(self) -> nn.Module:
        """The same for each agent."""
        return TeamHead(self.log_std_head_of_one(), self.joint)

    @abstractmethod
    def log_std_head_of_one(self) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.log_std_head`."""

    def _each(self, function: Callable[..., Tensor], *own: Tensor, sent: Sequence[Tensor] = ()) -> Tensor:
        """A function of what agents know, (B, n, ...) each, and of what all were sent; see the module."""
        if torch.is_grad_enabled():
            return function(*own, *sent)
        agents = range(self.agents)
        return torch.cat([function(*(part[:, i : i + 1].clone() for part in own), *sent) for i in agents], dim=1)


class TeamHead(nn.Module):
    """A layer of one agent's features, for all agents of a joint action."""

    def __init__(self, layer: nn.Module, joint: Callable[[Sequence[Tensor]], Tensor]) -> None:
        """Take the layer, (B, ...) -> (B, k), and what joins what agents say."""
        super().__init__()
        self.layer, self.joint = layer, joint

    def forward(self, features: Tensor) -> Tensor:
        """(B, n, ...) -> (B, n * k)."""
        return self.joint(list(row_by_row(self.layer, features).unbind(1)))


class TeamValue(nn.Module):
    """The mean of the agents' values: it does not depend on their order."""

    def __init__(self, of_one: nn.Module, action_order: Sequence[int]) -> None:
        """Take the layers of one agent's value, and whose action each part of the joint action is."""
        super().__init__()
        self.of_one, self._parts = of_one, [list(action_order).index(agent) for agent in range(len(action_order))]

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """Features (B, n, ...), and joint actions (B, A), to (B, outputs)."""
        return self.of_agents(features, actions).mean(1)

    def of_agents(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """The value of each agent, (B, n, outputs)."""
        if actions is None:
            return row_by_row(self.of_one, features)
        acted = actions.reshape(len(actions), len(self._parts), -1)
        return row_by_row(self.of_one, features, torch.stack([acted[:, part] for part in self._parts], dim=1))


class TeamLogStd(nn.Module):
    """Deviations of one agent's action, for all agents."""

    def __init__(self, of_one: nn.Module, agents: int) -> None:
        """Take those of one."""
        super().__init__()
        self.of_one, self.agents = of_one, agents

    def forward(self) -> Tensor:
        """Shape (A,)."""
        return self.of_one().repeat(self.agents)  # type: ignore[no-any-return]


def row_by_row(function: Callable[..., Tensor], *parts: Tensor) -> Tensor:
    """A function of rows, (N, ...) -> (N, ...), of the rows of k agents, (B, k, ...) -> (B, k, ...)."""
    rows = function(*(part.flatten(0, 1) for part in parts))
    return rows.reshape(*parts[0].shape[:2], *rows.shape[1:])
