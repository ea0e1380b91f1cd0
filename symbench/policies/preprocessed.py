"""What an agent makes of an observation before its network reads it: it is flattened, or the latest are stacked."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.policies.wrapped_agent import WrappedAgent
from symbench.trees import row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent
    from symbench.policies.sb3.normalization import Normalization


class PreprocessedAgent(WrappedAgent):
    """Base of agents that give another agent something else to read than the task shows."""

    def __init__(self, agent: Agent, observation_space: spaces.Space[Any]) -> None:
        """Make the agent.

        Args:
            agent: The agent that acts.
            observation_space: The task's (single) space.
        """
        super().__init__(agent)
        self.observation_space = observation_space
        self.preprocessing = (str(self), *agent.preprocessing)

    @staticmethod
    @abstractmethod
    def seen_space(space: spaces.Space[Any], *settings: Any) -> spaces.Space[Any]:
        """The (single) space of what the inner agent reads."""

    @abstractmethod
    def _seen(self, observations: Any) -> Any:
        """What the inner agent reads of a batch."""

    @abstractmethod
    def _first(self, observations: Any) -> Any:
        """The same of first observations of an episode, which change nothing."""

    def act(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.act`; batches only."""
        return self.agent.act(self._seen(observations))

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`."""
        return self.agent.decisions(self._first(observations))

    def values(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.values`."""
        return self.agent.values(self._first(observations))


class FlattenedAgent(PreprocessedAgent):
    """Reads observations as Gymnasium's ``FlattenObservation`` shows them: all numbers in one row.

    Example:
        >>> space = spaces.Dict(a=spaces.Box(0, 1, (2, 2)), b=spaces.Discrete(3))
        >>> FlattenedAgent.seen_space(space).shape
        (7,)
    """

    def __str__(self) -> str:
        return "observations are flattened"

    @staticmethod
    def seen_space(space: spaces.Space[Any], *settings: Any) -> spaces.Space[Any]:
        """See :meth:`PreprocessedAgent.seen_space`."""
        return spaces.flatten_space(space)

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`."""
        return self.agent.incompatibility(self.seen_space(observation_space), action_space)

    def _seen(self, observations: Any) -> Any:
        space = self.observation_space
        if isinstance(space, spaces.Box):
            return observations.reshape(len(observations), -1)
        count = len(_leaves(observations)[0])
        rows: list[Any] = [spaces.flatten(space, row(space, observations, i)) for i in range(count)]
        return np.stack(rows)

    _first = _seen


class NormalizedAgent(PreprocessedAgent):
    """Reads observations as ``VecNormalize`` showed them. Models that are not stacked do this themselves."""

    def __init__(self, agent: Agent, observation_space: spaces.Space[Any], normalization: Normalization) -> None:
        """Make the agent.

        Args:
            agent: The agent that acts.
            observation_space: The task's (single) space.
            normalization: The statistics.
        """
        self.normalization = normalization
        super().__init__(agent, observation_space)

    def __str__(self) -> str:
        return str(self.normalization)

    @staticmethod
    def seen_space(space: spaces.Space[Any], *settings: Any) -> spaces.Space[Any]:
        """See :meth:`PreprocessedAgent.seen_space`; only bounds would change, of which nobody knows."""
        return space

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`."""
        return self.normalization.incompatibility(observation_space) or self.agent.incompatibility(
            observation_space, action_space
        )

    def _seen(self, observations: Any) -> Any:
        return self.normalization(observations)

    _first = _seen


class StackedAgent(PreprocessedAgent):
    """Reads the latest N observations at once, as Stable-Baselines3's ``VecFrameStack`` shows them.

    They are joined along the last axis, or along the first of frames whose channels are first, with the newest last; an
    episode begins with zeros. Every part of a Dict is stacked.

    Example:
        >>> StackedAgent.seen_space(spaces.Box(-1, 1, (5,)), 4).shape
        (20,)
    """

    def __init__(self, agent: Agent, observation_space: spaces.Space[Any], count: int) -> None:
        """Make the agent.

        Args:
            agent: The agent that acts.
            observation_space: The task's (single) space, a Box or a Dict of them.
            count: How many observations are stacked.
        """
        self.count = count
        super().__init__(agent, observation_space)
        self.reset()

    def __str__(self) -> str:
        return f"the latest {self.count} observations are stacked"

    @staticmethod
    def seen_space(space: spaces.Space[Any], *settings: Any) -> spaces.Space[Any]:
        """See :meth:`PreprocessedAgent.seen_space`; the setting is how many observations are stacked.

        A space that holds no arrays of numbers is returned as it is.
        """
        if isinstance(space, spaces.Dict):
            return spaces.Dict({key: StackedAgent.seen_space(part, *settings) for key, part in space.items()})
        if not isinstance(space, spaces.Box):
            return space
        low, high = (np.concatenate([edge] * settings[0], _axis(space)) for edge in (space.low, space.high))
        return spaces.Box(np.minimum(low, 0), np.maximum(high, 0), dtype=space.dtype.type)

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """See :meth:`Agent.reset`."""
        super().reset(num_envs, seed=seed)
        self._stack: Any = None

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.restart`."""
        super().restart(mask)
        for part in _leaves(self._stack):
            part[mask] = 0

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.keep`."""
        super().keep(mask)
        self._stack = _map(lambda part: part[mask], self._stack) if self._stack is not None else None

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`; the observations must be arrays."""
        parts = observation_space.values() if isinstance(observation_space, spaces.Dict) else [observation_space]
        if not all(isinstance(part, spaces.Box) for part in parts):
            return f"{self.name} stacks observations, which can be done with arrays of numbers, not {observation_space}"
        return self.agent.incompatibility(self.seen_space(observation_space, self.count), action_space)

    def _seen(self, observations: Any) -> Any:
        if self._stack is None:
            self._stack = self._first(observations)
        else:
            self._stack = self._pushed(self.observation_space, self._stack, observations)
        return self._stack

    def _first(self, observations: Any) -> Any:
        return self._filled(self.observation_space, observations)

    def _filled(self, space: Any, observations: Any) -> Any:
        """Zeros, and the first observation at the end."""
        if isinstance(observations, dict):
            return {key: self._filled(space[key], part) for key, part in observations.items()}
        empty = np.zeros_like(observations)
        return np.concatenate([empty] * (self.count - 1) + [observations], axis=_axis(space, batch=True))

    def _pushed(self, space: Any, stack: Any, observations: Any) -> Any:
        """The stack without its oldest observation, and with the newest."""
        if isinstance(observations, dict):
            return {key: self._pushed(space[key], stack[key], part) for key, part in observations.items()}
        axis = _axis(space, batch=True)
        kept = np.delete(stack, np.s_[: observations.shape[axis]], axis=axis)
        return np.concatenate([kept, observations], axis=axis)


def _axis(space: spaces.Box, batch: bool = False) -> int:
    """The axis along which observations are joined: the channels of frames, otherwise the last."""
    channels_first = len(space.shape) == 3 and space.shape[0] < min(space.shape[1:])
    return int(batch) if channels_first else -1


def _map(function: Any, tree: Any) -> Any:
    return {key: _map(function, part) for key, part in tree.items()} if isinstance(tree, dict) else function(tree)


def _leaves(tree: Any) -> list[Any]:
    """The arrays of a batch of observations; none of ``None``."""
    if tree is None:
        return []
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, tuple) else None
    return [tree] if parts is None else [leaf for part in parts for leaf in _leaves(part)]
