"""Episodes to compare: what is played, and when two of them are the same."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import gymnasium as gym
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import SupportsFloat

SEED = 20210907


@dataclass(frozen=True)
class Case:
    """A wrapper class with an environment and parameters to check it on."""

    wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]]
    make_env: Callable[[], gym.Env[Any, Any]]
    parameters: dict[str, Any] = field(default_factory=dict)

    def wrap(self, env: gym.Env[Any, Any], **parameters: Any) -> gym.Env[Any, Any]:
        """Wrap ``env``, with the case's parameters unless others are given."""
        return self.wrapper_class(env, **(parameters or copy.deepcopy(self.parameters)))

    def wrapped(self) -> gym.Env[Any, Any]:
        """A fresh wrapped environment."""
        return self.wrap(self.make_env())

    def must(self, holds: bool, otherwise: str) -> None:
        """Fail unless ``holds``, with the wrapper's name and what is wrong."""
        if not holds:
            self.fail(otherwise)

    def fail(self, wrong: str) -> NoReturn:
        """Fail with the wrapper's name and what is wrong."""
        raise AssertionError(f"{self.wrapper_class.__name__}({self.parameters}): {wrong}")


@dataclass(frozen=True)
class Moment:
    """What an environment returned; a reset has reward 0."""

    observation: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False


def play(
    env: gym.Env[Any, Any],
    lengths: tuple[int, ...] = (9, 6, 7),
    seed: int | None = SEED,
    scribble: bool = False,
    actions: Iterator[Any] | None = None,
) -> list[Moment]:
    """Play episodes with fixed random actions; only the first is seeded.

    Args:
        env: The environment.
        lengths: Steps of each episode, which may end earlier by itself.
        seed: The first reset's.
        scribble: Whether to overwrite every observation received and every action given, after having kept a copy.
        actions: Actions to play instead of the random ones, as long as there are any.
    """
    space = copy.deepcopy(env.action_space)
    moments = []
    for episode, length in enumerate(lengths):
        space.seed(SEED + episode)
        observation, _ = env.reset(seed=seed if episode == 0 else None)
        moments.append(Moment(_kept(observation, scribble)))
        for _ in range(length):
            action = space.sample() if actions is None else next(actions, None)
            if action is None:
                break
            observation, reward, terminated, truncated, _ = env.step(action)
            moments.append(Moment(_kept(observation, scribble), float(reward), bool(terminated), bool(truncated)))
            if scribble and isinstance(action, np.ndarray):
                action[...] = 0
            if terminated or truncated:
                break
    return moments


def _kept(observation: Any, scribble: bool) -> Any:
    kept = copy.deepcopy(observation)
    if scribble:
        for array in arrays(observation):
            if array.flags.writeable:
                array[...] = 0
    return kept


def arrays(observation: Any) -> list[np.ndarray[Any, Any]]:
    """All arrays of a possibly nested observation."""
    if isinstance(observation, (dict, tuple)):
        entries = observation.values() if isinstance(observation, dict) else observation
        return [array for entry in entries for array in arrays(entry)]
    return [observation] if isinstance(observation, np.ndarray) else []


def same(first: Any, second: Any) -> bool:
    """Whether two observations, or sequences of moments, agree bit for bit."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, Moment) and isinstance(second, Moment):
        return same(vars(first), vars(second))
    one, two = np.asarray(first), np.asarray(second)
    nan_equal = one.dtype.kind in "fc"
    return one.dtype == two.dtype and one.shape == two.shape and np.array_equal(one, two, equal_nan=nan_equal)


class Scripted(gym.Env[Any, Any]):
    """An environment whose observations depend on the episode's number and the step only, never on a seed."""

    def __init__(self, like: gym.Env[Any, Any]) -> None:
        """Take over the spaces of ``like``."""
        self.observation_space, self.action_space = copy.deepcopy(like.observation_space), like.action_space
        self._episode, self._step = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the next episode."""
        super().reset(seed=seed)
        self._episode, self._step = self._episode + 1, 0
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The next observation of the script."""
        self._step += 1
        return self._observation(), 0.0, False, False, {}

    def _observation(self) -> Any:
        self.observation_space.seed(1000 * self._episode + self._step)
        return self.observation_space.sample()


class Recorder(gym.Wrapper[Any, Any, Any, Any]):
    """Remembers what :meth:`reset` and :meth:`step` were called with."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Listen to what reaches ``env``."""
        super().__init__(env)
        self.actions: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Remember and forward."""
        self.received = seed, copy.deepcopy(options)
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Remember and forward."""
        self.actions.append(copy.deepcopy(action))
        return self.env.step(action)
