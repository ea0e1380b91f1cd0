"""Plays single episodes of a task under perturbations and keeps what the perturbations hide.

* :class:`Replay` - the environment, with the observation as it was before the perturbations
* :class:`Origins` - where everything that is seen comes from
* :func:`play` - an episode, moment by moment
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.rollout import Callback, moments
from symbench.runner.checks import Checks
from symbench.tasks import get_task
from symbench.wrappers.adapters import adapter_of
from symbench.wrappers.single import GymAdapter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from typing_extensions import Self

    from symbench.policies.agent import Agent
    from symbench.suites import Apply

_FRAME_MOVES: Final = ("ShufflePatches",)
_SENSOR_MOVES: Final = ("ShuffleSensors", "AddNoiseChannels", "DuplicateSensors")


class _Tap(gym.Wrapper[Any, Any, Any, Any]):
    """Remembers the latest observation."""

    latest: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.latest, info = self.env.reset(seed=seed, options=options)
        return self.latest, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.latest, *rest = self.env.step(action)
        return (self.latest, *rest)


class Replay:
    """One environment of a task under perturbations.

    It plays the episodes of :func:`symbench.runner.pipeline.make_envs` with the same seeds.

    Attributes:
        task: Name of the task.
        env: The environment that the agent acts in.
        origins: Where what is seen comes from; ``None`` if observations are neither frames nor a vector of sensors.
    """

    def __init__(self, task: str, apply: Sequence[Apply] = (), render: bool = False) -> None:
        """Make it.

        Args:
            task: Name of a task.
            apply: Perturbations, from the environment outwards.
            render: Whether :meth:`picture` will be asked for.

        Raises:
            SymbenchError: The task or a wrapper is unknown, or a wrapper cannot be used in this task.
        """
        self.task = task
        wrappers = [adapter_of(GymAdapter, step.perturbation()) for step in apply]
        self._extra = get_task(task).extra or "'symbench[render]'"
        drawn = {"render_mode": "rgb_array"} if render else {}  # some environments do not know the argument
        base = get_task(task).make(**drawn, disable_env_checker=True)
        self._tap = _Tap(base)
        self.origins = Origins.of(base.observation_space, apply)
        self.env: gym.Env[Any, Any] = self._tap
        for wrapper, step in zip(wrappers, apply, strict=True):
            try:
                self.env = wrapper(self.env, **step.parameters)
            except (TypeError, ValueError) as error:
                self.close()
                raise SymbenchError(f"{step} cannot be applied to {task}: {error}") from error

    @property
    def original(self) -> Any:
        """The latest observation as it was before the perturbations."""
        return self._tap.latest

    @property
    def is_frames(self) -> bool:
        """Whether unperturbed observations are frames (H, W, C), uint8."""
        return is_frames(self._tap.observation_space)

    @property
    def fps(self) -> int:
        """Frames per second at which the task looks natural."""
        return int(self._tap.metadata.get("render_fps") or 30)

    def picture(self) -> NDArray[np.uint8]:
        """The scene as the simulator draws it, (H, W, 3), uint8."""
        try:
            return np.asarray(self._tap.render(), dtype=np.uint8)
        except gym.error.DependencyNotInstalled as error:
            raise SymbenchError(f"pictures of this task need more: pip install {self._extra}") from error

    def reset(self, seed: int) -> Any:
        """Begin an episode; what the agent sees first."""
        if self.origins is not None:
            self.origins.reset(seed)
        return self.env.reset(seed=seed)[0]

    def step(self, action: Any) -> tuple[Any, float, bool]:
        """One step: what the agent sees, the reward, and whether the episode is over."""
        if self.origins is not None:
            self.origins.step()
        seen, reward, terminated, truncated, _ = self.env.step(action)
        return seen, float(reward), terminated or truncated

    def close(self) -> None:
        """Close the environment."""
        self.env.close()


class Origins:
    """Where everything that is seen comes from: the same perturbations, with the same draws, of numbered pixels.

    Perturbations that change values but move nothing are left out.
    """

    def __init__(self, count: Numbered, apply: Sequence[Apply], moves: Sequence[str]) -> None:
        """Wrap numbered observations; see :meth:`of`."""
        self._env: gym.Env[Any, Any] = count
        self._moves = moves
        for step in self._moving(apply):
            self._env = adapter_of(GymAdapter, step.perturbation())(self._env, **step.parameters)
        self._latest: Any = None

    @classmethod
    def of(cls, space: spaces.Space[Any], apply: Sequence[Apply]) -> Self | None:
        """For observations of this (unperturbed) space; ``None`` if they are neither frames nor sensors."""
        if is_frames(space):
            return cls(Numbered.pixels(*(space.shape or ())[:2]), apply, _FRAME_MOVES)
        if isinstance(space, spaces.Box) and len(space.shape) == 1:
            return cls(Numbered.sensors(space.shape[0]), apply, _SENSOR_MOVES)
        return None

    def _moving(self, apply: Sequence[Apply]) -> list[Apply]:
        """Those of some perturbations that move anything, as numbers take them."""
        # Noise of size 0 is told from sensors, which count from 1.
        silent = {"AddNoiseChannels": {"sigma": 0.0}}
        return [step.model_copy(update=silent.get(step.wrapper)) for step in apply if step.wrapper in self._moves]

    def reset(self, seed: int) -> None:
        """Begin the episode of this seed."""
        self._latest, _ = self._env.reset(seed=seed)

    def step(self) -> None:
        """Go on by one step."""
        self._latest, *_ = self._env.step(0)

    @property
    def index(self) -> NDArray[np.int64]:
        """For each seen pixel (H, W) the number of the original one in reading order, or for each seen sensor (N,).

        -1 where there was nothing: a noise channel.
        """
        if self._latest.ndim == 1:
            counted: NDArray[np.int64] = self._latest.astype(np.int64)
            return counted - 1
        low, middle, high = np.moveaxis(self._latest.astype(np.int64), -1, 0)
        return low + 256 * middle + 256**2 * high  # type: ignore[no-any-return]


class Numbered(gym.Env[Any, Any]):
    """Shows the numbers of pixels or sensors, always the same."""

    def __init__(self, space: spaces.Box, shown: NDArray[Any]) -> None:
        """Show ``shown``, which lies in ``space``."""
        self.observation_space, self.action_space, self._shown = space, spaces.Discrete(1), shown

    @classmethod
    def pixels(cls, height: int, width: int) -> Numbered:
        """Numbers from 0 in reading order, in three bytes, lowest first: (H, W, 3) uint8."""
        number = np.arange(height * width).reshape(height, width)
        shown = np.stack([number >> shift & 255 for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
        return cls(spaces.Box(0, 255, shown.shape, np.uint8), shown)

    @classmethod
    def sensors(cls, count: int) -> Numbered:
        """Numbers from 1, (N,) float64."""
        return cls(spaces.Box(-np.inf, np.inf, (count,), np.float64), np.arange(1.0, count + 1.0))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The numbers."""
        super().reset(seed=seed)
        return self._shown.copy(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """The numbers."""
        return self._shown.copy(), 0.0, False, False, {}


class _Alone(Callback):
    """A replay as a batch of one environment, and the return of its episode so far."""

    def __init__(self, replay: Replay, begin: Callable[[int], Any]) -> None:
        self._replay, self._begin, self.single_action_space = replay, begin, replay.env.action_space
        self.metadata: dict[str, Any] = {"idle": True}  # when the episode is over, nobody steps
        self.total = 0.0

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.latest = self._begin(seed[0])
        return batch_of_one(self.latest), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self.latest, reward, over = self._replay.step(actions[0])
        return batch_of_one(self.latest), np.array([reward]), np.array([over]), np.array([False]), {}

    def rewards(self, rewards: NDArray[Any], playing: NDArray[np.int64]) -> None:
        self.total += float(rewards[0])


@dataclass(frozen=True)
class Moment:
    """One time step of an episode, after the agent has chosen what to do.

    Attributes:
        step: From 0.
        seen: What the agent sees.
        total: The return so far.
        action: What it is about to do; ``None`` when the episode is over.
    """

    step: int
    seen: Any
    total: float
    action: Any


def play(
    replay: Replay, agent: Agent, seed: int, steps: int | None = None, begin: Callable[[int], Any] | None = None
) -> Iterator[Moment]:
    """Play one episode; between two moments, ``replay`` and agent are at that of the first.

    Args:
        replay: The environment.
        agent: Who plays; reset by the caller, for one environment.
        seed: The episode's.
        steps: Stop after so many steps; ``None`` plays to the end, whose moment comes last, without an action.
        begin: From the seed to what the agent sees first; ``None`` begins the episode of the seed.

    Raises:
        SymbenchError: What the agent answers or is shown is not of its space, or a reward is not finite.
    """
    alone, played = _Alone(replay, begin or replay.reset), 0
    with Checks(agent.name, replay.env.observation_space, replay.env.action_space, [seed]) as checks:
        for moment in moments(alone, agent, [seed], [checks, alone], reset=False):
            played += 1
            yield Moment(moment.step, alone.latest, alone.total, moment.actions[0])
            if played == steps:
                return
    yield Moment(played, alone.latest, alone.total, None)


def batch_of_one(observation: Any) -> Any:
    """An observation, or a dict of them, with a batch axis of 1."""
    if isinstance(observation, dict):
        return {key: np.asarray(value)[None] for key, value in observation.items()}
    return np.asarray(observation)[None]


def is_frames(space: spaces.Space[Any]) -> bool:
    """Whether a space is of frames (H, W) or (H, W, C), uint8."""
    return isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) in (2, 3)


def image_of(observation: Any) -> NDArray[np.uint8]:
    """The frame of an observation: itself, or its part ``"image"`` where a mask stands beside it."""
    frame: NDArray[np.uint8] = observation["image"] if isinstance(observation, dict) else observation
    return frame
