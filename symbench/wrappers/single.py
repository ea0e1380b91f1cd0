"""The transforms as wrappers of one Gymnasium environment.

Each takes its parameters by keyword as plain JSON values, is recorded in ``env.spec`` and can be rebuilt from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from symbench.trees import batch_of_one, copied, declared_one, row
from symbench.wrappers.adapters import Adapter, adapter_named, adapter_of
from symbench.wrappers.masks import ACTION_MASKS, shown_info, shown_mask
from symbench.wrappers.registry import TRANSFORMS, transform_of

if TYPE_CHECKING:
    from typing import SupportsFloat

    from symbench.wrappers.generated.single import *  # noqa: F403  (what __getattr__ answers, with its parameters)

_ALL = np.ones(1, dtype=bool)


class GymAdapter(Adapter, gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """A transform around one environment."""

    def __init__(self, env: gym.Env[Any, Any], **parameters: Any) -> None:
        """Wrap ``env``.

        Args:
            env: The environment.
            **parameters: The transform's; a perturbation also takes ``severity``.

        Raises:
            TypeError: A parameter is unknown or of a wrong type.
            SymbenchError: A value is out of range, or the environment's spaces do not fit.
        """
        self.transform = self.transform_class.make(**parameters)
        # Explicit parameters, not the severity: a spec written today must mean the same under a later severity table.
        RecordConstructorArgs.__init__(self, **self.transform.parameters())
        super().__init__(env)
        self._inner, self._actions = env.observation_space, env.action_space
        self._seen = self.transform.bind(self._inner, self._actions, 1, self.take_place(env))
        self._ended = False  # whether the episode is over, so that one which begins inside is noticed
        self._identity = self.transform.identity  # asked at every step
        self._moves_actions = self.transform.changes_actions and not self._identity
        self._reads = self.transform.reads
        if not self._identity:
            self.observation_space = self._seen

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see :meth:`gymnasium.Env.reset`."""
        observation, info = self.env.reset(seed=seed, options=options)
        if self._identity:
            return copied(observation), info
        self._ended = False
        self._tell(info)
        seen = self.transform.reset(declared_one(self._inner, observation), _ALL, [seed])
        return row(self._seen, seen, 0), self._shown(info) if self._moves_actions else info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Take one step; see :meth:`gymnasium.Env.step`.

        The step after the end of an episode begins the next one, as in :class:`gymnasium.wrappers.Autoreset`.
        """
        if self._identity:
            observation, reward, terminated, truncated, info = self.env.step(action)
            return copied(observation), reward, terminated, truncated, info
        actions = batch_of_one(self._actions, action)
        told = row(self._actions, self.transform.act(actions), 0) if self._moves_actions else action
        observation, reward, terminated, truncated, info = self.env.step(told)
        begins, self._ended = self._ended, terminated or truncated
        observations = declared_one(self._inner, observation)
        self._tell(info)
        seen = self.transform.reset(observations, _ALL, None) if begins else self.transform.step(observations, actions)
        info = self._shown(info) if self._moves_actions else info
        return row(self._seen, seen, 0), reward, terminated, truncated, info

    def get_wrapper_attr(self, name: str) -> Any:
        """An attribute of this wrapper or of what it wraps; ``action_masks`` names actions as the agent does."""
        found = super().get_wrapper_attr(name)
        if name != ACTION_MASKS or not self._moves_actions:
            return found
        return lambda: shown_mask(self.transform, 0, found())

    def _tell(self, info: dict[str, Any]) -> None:
        if self._reads is not None:
            self.transform.tell(0, info.get(self._reads))

    def _shown(self, info: dict[str, Any]) -> dict[str, Any]:
        return shown_info(self.transform, 0, info)


def wrapper_of(name: str) -> type[GymAdapter]:
    """The wrapper of one environment with this name, or with that of a transform of one's own: ``"module:Name"``.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    return adapter_of(GymAdapter, transform_of(name))


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[GymAdapter]:
        return adapter_named(GymAdapter, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *TRANSFORMS})
