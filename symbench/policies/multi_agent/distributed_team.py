"""The same policy as separate agents: each has its own copy of the network, and they share only what they send.

A step has these rounds. Every agent sends where it is. Who is in reach of whom is known then, and every agent tells
those who how many hear it. For each message layer, every agent sends them what it is. Then every agent acts.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies.agent import Agent
from symbench.policies.batches import first, split
from symbench.policies.multi_agent.message_passing import MessagePassingNetwork
from symbench.policies.spaces import action_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gymnasium import spaces
    from numpy.typing import NDArray

    from symbench.policies.policy_network import PolicyNetwork

    Communicate = Callable[[Sequence["Outgoing"]], list[Tensor]]


class Outgoing(NamedTuple):
    """What one agent sends in one round, in B environments.

    Attributes:
        content: Numbers, (B, D).
        to: To whom, (B, n), bool.
    """

    content: Tensor
    to: Tensor


def deliver(outgoing: Sequence[Outgoing]) -> list[Tensor]:
    """What each agent receives of what all send: n times (B, n, D), 0 from those who do not send to it."""
    contents = torch.stack([each.content for each in outgoing], dim=1)
    sent = torch.stack([each.to for each in outgoing], dim=1)
    return [torch.where(sent[:, :, i, None], contents, 0.0) for i in range(len(outgoing))]


class DistributedTeam(Agent):
    """Plays a :class:`~symbench.policies.multi_agent.MessagePassingNetwork` as n agents that communicate.

    Its actions, and all numbers behind them, are to the last bit those of
    :class:`~symbench.policies.NetworkAgent` with the same network and precision.

    Attributes:
        bytes_per_step: What the whole team sends in a step, the mean over steps and environments since ``reset``.
    """

    def __init__(
        self,
        network: PolicyNetwork,
        name: str = "distributed team",
        communicate: Communicate = deliver,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Make the agents.

        Args:
            network: The policy; every agent gets a copy.
            name: How tables call it.
            communicate: Takes what every agent sends in a round and gives what every agent receives, as
                :func:`deliver` does: nothing else passes between them.
            dtype: Precision of its computations.

        Raises:
            SymbenchError: The network is not made of agents.
        """
        if not isinstance(network, MessagePassingNetwork):
            raise SymbenchError(f"a {network.kind!r} network sees all at once; only teams that send messages can part")
        self.name, self.action_space, self._communicate = name, network.action.space, communicate
        self.preprocessing = (f"{network.agents} agents that share only what they send",)
        self._members = [Member(copy.deepcopy(network).to(dtype).eval(), i) for i in range(network.agents)]
        self._network = self._members[0].network  # of what all know: sizes, the action space
        self._masks: NDArray[Any] | None = None
        self.reset()

    @property
    def bytes_per_step(self) -> float:
        """See the class; NaN before the first step."""
        return self._bytes / self._steps if self._steps else float("nan")

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Nothing to forget but how much was sent."""
        self._bytes, self._steps = 0, 0

    def restart(self, mask: NDArray[Any]) -> None:
        """Nothing to forget."""

    def keep(self, mask: NDArray[Any]) -> None:
        """Nothing to forget."""

    def allow(self, masks: NDArray[Any] | None) -> None:
        """Choose among these actions only."""
        self._masks = masks

    @torch.inference_mode()
    def act(self, observations: Any) -> NDArray[Any]:
        """Choose joint actions for a batch of B observations, or for a single one."""
        batch = self._network.read(observations)
        logits = torch.cat([self.logits(part) for part in self._parts(batch)])
        masks = None if self._masks is None else torch.as_tensor(self._masks)
        actions = self._network.action.decode(logits, masks)
        result: NDArray[Any] = (actions.float() if actions.is_floating_point() else actions).numpy()
        return result if first(observations).ndim == first(batch).ndim else result[0]

    @torch.inference_mode()
    def decisions(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.decisions`."""
        shown: NDArray[Any] = self._network.action.decisions(self.logits(self._network.read(observations))).numpy()
        return shown

    def logits(self, batch: Any) -> Tensor:
        """What all agents say, in the order of the joint action, (B, L); each is given its own picture and place."""
        for i, member in enumerate(self._members):
            member.see(batch["images"][:, i], batch["positions"][:, i])
        rounds = (Member.hear_places, Member.hear_degrees, *[Member.hear_features] * len(self._network.layers))
        for hear in rounds:
            outgoing = [member.outgoing for member in self._members]
            self._bytes += sum(int(each.to.sum()) * each.content[0].nbytes for each in outgoing)
            for member, received in zip(self._members, self._communicate(outgoing), strict=True):
                hear(member, received)
        self._steps += len(batch["images"])
        return self._network.joint([member.act() for member in self._members])

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Compare the spaces with what the network reads and with its actions."""
        difference = action_difference(self.action_space, action_space)
        reason = self._network.incompatibility(observation_space) or difference
        return f"{self.name} {reason}" if reason else None

    def _parts(self, batch: Any) -> list[Any]:
        return split(batch, self._network.micro_batch_size(first(batch).shape[1:]))


class Member:
    """One agent of a team, in B environments at once. It knows what it sees and what it has heard.

    Attributes:
        network: Its copy of the policy.
        outgoing: What it sends in the next round.
    """

    outgoing: Outgoing

    def __init__(self, network: MessagePassingNetwork, index: int) -> None:
        """Take a copy of the policy and the agent's number."""
        self.network, self._others = network, torch.arange(network.agents)[None] != index

    def see(self, image: Tensor, position: Tensor) -> None:
        """Begin a step with its picture (B, C, H, W) and its place (B, 2)."""
        self._position = position.to(self.network.dtype)[:, None]
        self._features = self.network.encode(image[:, None].clone())
        self.outgoing = Outgoing(self._position[:, 0], self._others.expand(len(position), -1))

    def hear_places(self, received: Tensor) -> None:
        """Learn who is in reach from where all are, (B, n, 2), and tell how many these are."""
        self._edges = self.network.edges(self._position, self._with_own(received, self._position))
        links = self.network.graph.links(self._edges)
        self._degree = links.sum(2, keepdim=True).to(self.network.dtype)
        self.outgoing = Outgoing(self._degree[:, 0], (links & self._others)[:, 0])

    def hear_degrees(self, received: Tensor) -> None:
        """Learn how much messages count from how many hear each, (B, n, 1), and send what it is."""
        degrees = self._with_own(received, self._degree)[:, :, 0].clamp(min=1)  # of those out of reach it heard nothing
        self._weights = self.network.graph.weights(self._edges, degrees, self._others)
        self._layers = iter(self.network.layers)
        self._send_features()

    def hear_features(self, received: Tensor) -> None:
        """Become something new from what others are, (B, n, D)."""
        sent = received.reshape(*received.shape[:2], *self._features.shape[2:])
        self._features = next(self._layers)(self._features, self._edges, self._weights, sent)
        self._send_features()

    def act(self) -> Tensor:
        """The logits of its own action, (B, L / n)."""
        return self.network.act(self._features)[:, 0]

    def _send_features(self) -> None:
        self.outgoing = Outgoing(self._features[:, 0].flatten(1), self.outgoing.to)

    def _with_own(self, received: Tensor, own: Tensor) -> Tensor:
        """(B, n, D) with what it has itself, (B, 1, D), in its place."""
        return torch.where(self._others[..., None], received, own)
