"""Checks that the batched versions of a wrapper show exactly what the wrapper of one environment shows."""

from __future__ import annotations

import copy
import multiprocessing
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorWrapper

from symbench.testing.rollouts import SEED, Case, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Makers = list[Callable[[], gym.Env[Any, Any]]]

_NUM_ENVS = 3
_STEPS = 24


def check_vector(case: Case, vector_class: Callable[..., Any]) -> None:
    """The vector version shows what a vector environment of wrapped environments shows, in every autoreset mode."""
    bare, wrapped = _makers(case)
    for mode in AutoresetMode:
        one_by_one = SyncVectorEnv(wrapped, autoreset_mode=mode)
        at_once = vector_class(SyncVectorEnv(bare, autoreset_mode=mode), **copy.deepcopy(case.parameters))
        name = f"{vector_class.__name__} in mode {mode.name}"
        case.must(at_once.single_observation_space == one_by_one.single_observation_space, f"{name}: other space")
        _compare(case, name, _played(one_by_one), _played(at_once))


def check_vector_borders(case: Case, vector_class: Callable[..., Any]) -> None:
    """It does so around environments that do not tell their last observation, or that are in other processes."""
    bare, wrapped = _makers(case)

    def around(envs: Any) -> Any:
        return vector_class(envs, **copy.deepcopy(case.parameters))

    name = vector_class.__name__
    mode = AutoresetMode.SAME_STEP
    expected = _played(SyncVectorEnv(wrapped, autoreset_mode=mode), final=False)
    found = _played(around(WithoutFinal(SyncVectorEnv(bare, autoreset_mode=mode))), final=False)
    _compare(case, f"{name} of environments without final_obs", expected, found)
    if (here := _made(around, SyncVectorEnv(wrapped[:1]))) is not None:
        there = around(AsyncVectorEnv(wrapped[:1]))
        _compare(case, f"{name} of wrapped environments in other processes", _played(here), _played(there))
        there.close()


def check_vec_env(case: Case, vec_env_class: Callable[..., Any]) -> None:
    """The SB3 version shows what a ``VecEnv`` of wrapped environments shows."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    bare, wrapped = _makers(case)
    found = vec_env_class(DummyVecEnv(bare), **copy.deepcopy(case.parameters))
    _compare(case, vec_env_class.__name__, _played_sb3(DummyVecEnv(wrapped)), _played_sb3(found))


def check_vec_env_borders(case: Case, vec_env_class: Callable[..., Any]) -> None:
    """It does so around a ``VecEnv`` that tells neither seeds nor last observations, or that uses other processes."""
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

    from symbench.testing.reticent import ReticentVecEnv

    bare, wrapped = _makers(case)

    def around(venv: Any) -> Any:
        return vec_env_class(venv, **copy.deepcopy(case.parameters))

    name = vec_env_class.__name__
    expected, found = DummyVecEnv(wrapped), around(ReticentVecEnv(bare))
    said = f"{name} of a VecEnv without _seeds and terminal_observation"
    _compare(case, said, _played_sb3(expected, final=False), _played_sb3(found, final=False))
    # A forked process need not import everything again.
    start = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    if (here := _made(around, DummyVecEnv(wrapped[:1]))) is not None:
        there = around(SubprocVecEnv(wrapped[:1], start_method=start))
        _compare(case, f"{name} of wrapped environments in other processes", _played_sb3(here), _played_sb3(there))
        there.close()


class WithoutFinal(VectorWrapper[Any, Any, Any, Any, Any]):
    """Keeps the last observations of episodes to itself."""

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one step."""
        observations, rewards, terminations, truncations, infos = self.env.step(actions)
        told = {key: value for key, value in infos.items() if key not in ("final_obs", "_final_obs")}
        return observations, rewards, terminations, truncations, told


def _made(wrap: Callable[[Any], Any], envs: Any) -> Any:
    """The wrapper around ``envs``; ``None`` if it refuses to be there twice."""
    try:
        return wrap(envs)
    except ValueError:
        return None


def _compare(case: Case, name: str, expected: Iterator[Any], found: Iterator[Any]) -> None:
    try:
        for step, (one, other) in enumerate(zip(expected, found, strict=True)):
            if not same(one, other):
                case.fail(f"{name}, call {step}: expected {one}, found {other}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        case.fail(f"{name} crashes: {error!r}")


def _makers(case: Case) -> tuple[Makers, Makers]:
    def short(index: int) -> gym.Env[Any, Any]:
        return gym.wrappers.TimeLimit(case.make_env(), max_episode_steps=4 + 3 * index)

    def wrapped(index: int) -> gym.Env[Any, Any]:
        return case.wrap(short(index))

    return [partial(short, i) for i in range(_NUM_ENVS)], [partial(wrapped, i) for i in range(_NUM_ENVS)]


def _played(envs: Any, final: bool = True) -> Iterator[Any]:
    """Observations and final observations (if these are asked for), with seeded, unseeded and partial resets."""
    envs.action_space.seed(SEED)
    manual = envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    yield envs.reset(seed=SEED)[0]
    for _ in range(_STEPS):
        observations, _, terminated, truncated, infos = envs.step(envs.action_space.sample())
        ended = terminated | truncated
        yield observations, [infos["final_obs"][i] for i in np.flatnonzero(ended) if final and "final_obs" in infos]
        if manual and ended.any():
            yield envs.reset(options={"reset_mask": ended})[0]
    yield envs.reset(seed=[3, None, 5][: envs.num_envs])[0]
    yield envs.reset()[0]


def _played_sb3(venv: Any, final: bool = True) -> Iterator[Any]:
    actions = copy.deepcopy(venv.action_space)
    actions.seed(SEED)
    venv.seed(SEED)
    yield venv.reset()
    for _ in range(_STEPS):
        observations, _, dones, infos = venv.step(np.stack([actions.sample() for _ in range(venv.num_envs)]))
        yield observations, [infos[i]["terminal_observation"] for i in np.flatnonzero(dones) if final]
    yield venv.reset()
