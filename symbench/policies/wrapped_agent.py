"""An agent around an agent: the base of what gives it something else to read, or takes its actions elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.policies.agent import Agent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class WrappedAgent(Agent):
    """Passes everything on to another agent.

    Attributes:
        agent: The agent that acts.
    """

    def __init__(self, agent: Agent) -> None:
        """Make the agent, with the other one's name and actions."""
        self.agent = agent
        self.name, self.action_space, self.preprocessing = agent.name, agent.action_space, agent.preprocessing

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """See :meth:`Agent.reset`."""
        self.agent.reset(num_envs, seed=seed)

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.restart`."""
        self.agent.restart(mask)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.keep`."""
        self.agent.keep(mask)

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """See :meth:`Agent.allow`."""
        self.agent.allow(masks)

    def act(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.act`."""
        return self.agent.act(observations)

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`."""
        return self.agent.decisions(observations)

    def values(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.values`."""
        return self.agent.values(observations)
