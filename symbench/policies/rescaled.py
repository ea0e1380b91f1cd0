"""An agent whose actions have other bounds than the task's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.policies.spaces import described, rescalable
from symbench.policies.wrapped_agent import WrappedAgent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent


class RescaledAgent(WrappedAgent):
    """Maps the actions of an agent from the bounds of its own action space to those of the task's, each affinely.

    Example:
        >>> from symbench.policies import MLPNetwork, NetworkAgent
        >>> inner = NetworkAgent(MLPNetwork(3, 1), "mlp")  # acts from -1 to 1
        >>> agent = RescaledAgent(inner, spaces.Box(-2, 2, (1,)))
        >>> agent.preprocessing, agent.incompatibility(spaces.Box(-1, 1, (3,)), spaces.Box(-2, 2, (1,)))
        (('actions from -1 to 1 are mapped to -2 to 2',), None)
    """

    def __init__(self, agent: Agent, action_space: spaces.Space[Any]) -> None:
        """Make the agent; whether the bounds can be mapped is what :meth:`incompatibility` says.

        Args:
            agent: The agent that acts.
            action_space: The task's (single) action space.
        """
        super().__init__(agent)
        self.action_space = action_space
        own, task = (described(space).partition(" from ")[2] for space in (agent.action_space, action_space))
        self.preprocessing = (*agent.preprocessing, f"actions from {own} are mapped to {task}")

    def act(self, observations: Any) -> NDArray[Any]:
        """The agent's actions between the task's bounds."""
        task = self.action_space
        assert isinstance(task, spaces.Box)
        actions: NDArray[Any] = self._mapped(self.agent.act(observations))
        return actions.clip(task.low, task.high)  # what rounding left outside

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`: actions between the task's bounds."""
        shown = self.agent.decisions(observations)
        return None if shown is None else self._mapped(shown)

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`; both action spaces must be bounded Boxes of real numbers, of one shape."""
        own = self.agent.action_space
        if not rescalable(own, action_space):
            bounded = "only bounds of real numbers can be rescaled"
            return f"{self.name} acts in {described(own)}, the task has {described(action_space)}; {bounded}"
        return self.agent.incompatibility(observation_space, own)

    def _mapped(self, actions: NDArray[Any]) -> NDArray[Any]:
        own, task = self.agent.action_space, self.action_space
        assert isinstance(own, spaces.Box)
        assert isinstance(task, spaces.Box)
        low, high = task.low.astype(np.float64), task.high.astype(np.float64)
        share = (actions - own.low.astype(np.float64)) / (own.high.astype(np.float64) - own.low)
        mapped: NDArray[Any] = (low + share * (high - low)).astype(task.dtype)
        return mapped
