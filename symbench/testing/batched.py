"""Checks that the batched versions of a wrapper show exactly what the wrapper of one environment shows."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

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
        for step, (expected, found) in enumerate(zip(_played(one_by_one), _played(at_once), strict=True)):
            if not same(expected, found):
                case.fail(f"{name}, call {step}: expected {expected}, found {found}")


def check_vec_env(case: Case, vec_env_class: Callable[..., Any]) -> None:
    """The SB3 version shows what a ``VecEnv`` of wrapped environments shows."""
    from stable_baselines3.common.vec_env import DummyVecEnv

    bare, wrapped = _makers(case)
    expected = _played_sb3(DummyVecEnv(wrapped))
    found = _played_sb3(vec_env_class(DummyVecEnv(bare), **copy.deepcopy(case.parameters)))
    for step, (one, other) in enumerate(zip(expected, found, strict=True)):
        if not same(one, other):
            case.fail(f"{vec_env_class.__name__}, call {step}: expected {one}, found {other}")


def _makers(case: Case) -> tuple[Makers, Makers]:
    def short(index: int) -> gym.Env[Any, Any]:
        return gym.wrappers.TimeLimit(case.make_env(), max_episode_steps=4 + 3 * index)

    def wrapped(index: int) -> gym.Env[Any, Any]:
        return case.wrap(short(index))

    return [partial(short, i) for i in range(_NUM_ENVS)], [partial(wrapped, i) for i in range(_NUM_ENVS)]


def _played(envs: Any) -> Iterator[Any]:
    """Observations and final observations, with seeded, unseeded and partial resets."""
    envs.action_space.seed(SEED)
    manual = envs.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    yield envs.reset(seed=SEED)[0]
    for _ in range(_STEPS):
        observations, _, terminated, truncated, infos = envs.step(envs.action_space.sample())
        ended = terminated | truncated
        yield observations, [infos["final_obs"][i] for i in np.flatnonzero(ended) if "final_obs" in infos]
        if manual and ended.any():
            yield envs.reset(options={"reset_mask": ended})[0]
    yield envs.reset(seed=[3, None, 5])[0]
    yield envs.reset()[0]


def _played_sb3(venv: Any) -> Iterator[Any]:
    actions = copy.deepcopy(venv.action_space)
    actions.seed(SEED)
    venv.seed(SEED)
    yield venv.reset()
    for _ in range(_STEPS):
        observations, _, dones, infos = venv.step(np.stack([actions.sample() for _ in range(_NUM_ENVS)]))
        yield observations, [infos[i]["terminal_observation"] for i in np.flatnonzero(dones)]
    yield venv.reset()
