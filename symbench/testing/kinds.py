"""Checks on environments of kinds that wrappers tend to forget: tuples, dicts, buffers, masks, inner episodes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import Autoreset, TimeLimit, TransformObservation

from symbench.testing.interface import severities
from symbench.testing.rollouts import SEED, Case, play, same

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import SupportsFloat

_STEPS = 24


class TupleActions(gym.ActionWrapper[Any, Any, Any]):
    """Takes a ``Tuple`` of the environment's action and two numbers that mean nothing."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Widen the action space of ``env``."""
        super().__init__(env)
        self.action_space = spaces.Tuple([env.action_space, spaces.Box(-1, 1, (2,))])

    def action(self, action: Any) -> Any:
        """The environment's part."""
        return action[0]


class Buffer(gym.ObservationWrapper[Any, Any, Any]):
    """Returns the same arrays at every step, with new content."""

    def observation(self, observation: Any) -> Any:
        """Refill the arrays."""
        if not hasattr(self, "_buffer"):
            self._buffer = copy.deepcopy(observation)
        self._buffer = _refilled(self._buffer, observation)
        return self._buffer


def _refilled(buffer: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _refilled(buffer[key], entry) for key, entry in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    buffer[...] = value
    return buffer


class OnlyFirst(gym.Wrapper[Any, Any, Any, Any]):
    """Allows the first of its discrete actions only, says so in every way, and remembers what it was told."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Watch ``env``, whose actions are ``Discrete``."""
        super().__init__(env)
        self.told: list[int] = []

    def action_masks(self) -> Any:
        """Which actions are allowed, (n,) bool."""
        return np.arange(self._discrete.n) == 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, {**info, "action_mask": self.action_masks()}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Remember the number of the action, counted from 0."""
        self.told.append(int(action) - int(self._discrete.start))
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, {**info, "action_mask": self.action_masks()}

    @property
    def _discrete(self) -> spaces.Discrete:
        assert isinstance(self.action_space, spaces.Discrete)
        return self.action_space


def in_tuple(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """The environment's observation and a number that means nothing, in a tuple."""
    space = spaces.Tuple([env.observation_space, spaces.Discrete(2)])
    return TransformObservation(env, lambda observation: (observation, 1), space)


def in_dict(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """The environment's observation and a number that means nothing, in a dict."""
    space = spaces.Dict({"first": env.observation_space, "second": spaces.Discrete(2)})
    return TransformObservation(env, lambda observation: {"first": observation, "second": 1}, space)


def check_tuple_actions(case: Case) -> None:
    """``Tuple`` actions reach the environment, or the wrapper refuses them when it is made."""
    env = _made(case, TupleActions)
    if env is None:
        return
    try:
        play(env)
    except Exception as error:
        case.fail(f"crashes where actions are a Tuple: refuse them in the constructor, or let them through: {error!r}")


def check_nested_observations(case: Case) -> None:
    """``Tuple`` and ``Dict`` observations lie in the declared space, or are refused when the wrapper is made."""
    for kind, nest in {"Tuple": in_tuple, "Dict": in_dict}.items():
        env = _made(case, nest)
        if env is None:
            continue
        try:
            moments = play(env)
        except Exception as error:
            case.fail(f"crashes where observations are a {kind}: refuse them in the constructor: {error!r}")
        outside = [moment for moment in moments if not env.observation_space.contains(moment.observation)]
        case.must(not outside, f"the declared space does not hold what it makes of {kind} observations")
        parts = env.observation_space.values() if isinstance(env.observation_space, spaces.Dict) else ()
        flat = kind == "Tuple" or _nested(case) or not any(isinstance(part, spaces.Dict) for part in parts)
        case.must(flat, "nests Dict observations, which SB3 refuses: put its own keys beside theirs")


def _nested(case: Case) -> bool:
    return isinstance(case.make_env().observation_space, (spaces.Dict, spaces.Tuple))


def _made(case: Case, change: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]) -> gym.Env[Any, Any] | None:
    """The wrapper around a changed environment; ``None`` if it refuses that."""
    changed = change(case.make_env())
    try:
        return case.wrap(changed)
    except Exception:  # how a wrapper of somebody else refuses is its own affair
        return None


def check_buffers(case: Case) -> None:
    """Observations stay as they were when an environment fills the same memory again, at severity 0, too."""
    cases: list[dict[str, Any]] = [case.parameters]
    if (found := severities(case)) is not None:
        cases.append({"severity": 0, **found[1]})
    for parameters in cases:
        env = case.wrap(Buffer(case.make_env()), **copy.deepcopy(parameters))
        env.action_space.seed(SEED)
        shown = [env.reset(seed=SEED)[0]]
        kept = copy.deepcopy(shown)
        for _ in range(3):
            shown.append(env.step(env.action_space.sample())[0])
            kept.append(copy.deepcopy(shown[-1]))
        case.must(same(shown, kept), f"hands on the memory that the environment will fill again, with {parameters}")


def check_masks(case: Case) -> None:
    """An agent that keeps to the masks of actions it is shown tells the environment allowed actions only."""
    if not isinstance(case.make_env().action_space, spaces.Discrete):
        return
    inner = OnlyFirst(case.make_env())
    env = case.wrap(inner)
    if not isinstance(env.action_space, spaces.Discrete):
        return
    for episode in range(4):
        _, info = env.reset(seed=SEED + episode)
        over = False
        while not over and len(inner.told) < _STEPS * (episode + 1):
            case.must(env.has_wrapper_attr("action_masks"), "action_masks() of the environment is not forwarded")
            mask = np.asarray(env.get_wrapper_attr("action_masks")())
            agree = bool(mask.any()) and same(mask, info.get("action_mask"))
            case.must(agree, "action_masks() and the info's mask differ")
            _, _, terminated, truncated, info = env.step(int(env.action_space.start) + int(mask.argmax()))
            over = terminated or truncated
    case.must(set(inner.told) == {0}, f"of actions masked but 0 the environment received {sorted(set(inner.told))}")


def check_inner_episodes(case: Case) -> None:
    """An episode that begins inside, as in :class:`gymnasium.wrappers.Autoreset`, is shown like any other."""
    if not hasattr(case.wrapper_class, "transform_class"):
        return  # promised of wrappers made of a Transform
    inside = case.wrap(Autoreset(TimeLimit(case.make_env(), 5)))
    outside = case.wrap(TimeLimit(case.make_env(), 5))
    inside.action_space.seed(SEED)
    actions = [inside.action_space.sample() for _ in range(_STEPS)]
    expected, found, over = [outside.reset(seed=SEED)[0]], [inside.reset(seed=SEED)[0]], False
    for action in actions:
        found.append(inside.step(action)[0])
        if over:
            expected.append(outside.reset()[0])
            over = False
            continue
        observation, _, terminated, truncated, _ = outside.step(action)
        expected.append(observation)
        over = terminated or truncated
    case.must(same(expected, found), "an episode that begins inside (Autoreset) is not shown as a new episode")


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_tuple_actions,
    check_nested_observations,
    check_buffers,
    check_masks,
    check_inner_episodes,
)
