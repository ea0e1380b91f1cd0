"""Random play: uniform actions, from which scores are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.agent import Agent
from symbench.policies.spaces import described, same_actions

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = 64  # time steps that are drawn ahead


class RandomAgent(Agent):
    """Draws actions uniformly from a bounded action space.

    Every environment has a stream of its own: its actions depend on the seed and its place in the batch only, not on
    the size of the batch.

    Example:
        >>> from gymnasium.spaces import Discrete
        >>> agent = RandomAgent(Discrete(3))
        >>> agent.reset(4, seed=0)
        >>> agent.act(np.zeros((4, 5))).shape
        (4,)
    """

    def __init__(self, action_space: spaces.Space[Any], name: str = "random") -> None:
        """Make the agent.

        Args:
            action_space: The task's (single) action space.
            name: How tables call it.

        Raises:
            SymbenchError: The space is neither Discrete, MultiDiscrete, MultiBinary nor a bounded Box.
        """
        bounded = isinstance(action_space, spaces.Box) and action_space.is_bounded()
        if not bounded and not isinstance(action_space, (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)):
            raise SymbenchError(
                "random actions need a Discrete, MultiDiscrete, MultiBinary or bounded Box, received "
                f"{described(action_space)}"
            )
        self.name = name
        self.action_space = action_space
        self._masks: NDArray[np.bool_] | None = None
        self._generators: list[np.random.Generator] = []

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Restart the streams of actions."""
        self._generators = [
            np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(i,)))) for i in range(num_envs)
        ]
        self._draws = np.empty((_BLOCK, num_envs, *(self.action_space.shape or ())))
        self._next = _BLOCK

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Nothing to forget: the streams go on."""

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with the streams of these environments."""
        self._generators = [generator for generator, kept in zip(self._generators, mask, strict=True) if kept]
        self._draws = self._draws[:, mask]

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """Draw among these actions only."""
        self._masks = masks

    def act(self, observations: Any) -> NDArray[Any]:
        """Random actions; the observations are not looked at."""
        if self._next == _BLOCK:
            for i, generator in enumerate(self._generators):
                self._draws[:, i] = generator.random((_BLOCK, *self._draws.shape[2:]))
            self._next = 0
        actions = self._scaled(self._draws[self._next])
        self._next += 1
        return actions if self._is_batch(observations) else actions[0]

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """It can act wherever the action space is the one it was made for."""
        if same_actions(self.action_space, action_space):
            return None
        return f"random actions were made for {described(self.action_space)}, the task has {described(action_space)}"

    def _scaled(self, uniform: NDArray[np.float64]) -> NDArray[Any]:
        space = self.action_space
        if isinstance(space, spaces.Box):
            return _between(space, uniform)
        if isinstance(space, spaces.MultiBinary):
            return (uniform >= 0.5).astype(space.dtype)
        assert isinstance(space, (spaces.Discrete, spaces.MultiDiscrete))
        counts = space.n if isinstance(space, spaces.Discrete) else space.nvec
        if self._masks is None:
            actions: NDArray[np.int64] = (uniform * counts).astype(np.int64) + space.start
            return actions
        parts = np.split(self._masks, np.cumsum(np.atleast_1d(counts))[:-1], axis=1)
        columns = uniform.reshape(len(uniform), -1).T
        drawn = np.stack([_among(mask, column) for mask, column in zip(parts, columns, strict=True)], axis=1)
        return drawn.reshape(uniform.shape) + space.start

    def _is_batch(self, observations: Any) -> bool:
        if isinstance(observations, dict):
            return all(map(self._is_batch, observations.values()))
        return len(self._generators) > 1 or np.shape(observations)[:1] == (1,)


def _between(space: spaces.Box, uniform: NDArray[np.float64]) -> NDArray[Any]:
    """Elements of a bounded Box; of one of whole numbers both ends are as likely as any other."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    if space.dtype.kind == "f":
        return (space.low + uniform * (high - space.low)).astype(space.dtype)
    return np.minimum(low + np.floor(uniform * (high - low + 1)), high).astype(space.dtype)


def _among(masks: NDArray[np.bool_], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """One of the allowed actions of each row, (B, n) and (B,) -> (B,); where none is allowed, of all."""
    masks = np.where(masks.any(axis=1, keepdims=True), masks, True)
    places = (uniform * masks.sum(axis=1)).astype(np.int64)
    chosen: NDArray[np.int64] = (masks.cumsum(axis=1) > places[:, None]).argmax(axis=1)
    return chosen
