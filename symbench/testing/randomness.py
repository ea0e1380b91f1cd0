"""Checks that a wrapper owns its randomness and leaves everybody else's alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.testing.rollouts import Case, Moment, Recorder, Scripted, play, same

if TYPE_CHECKING:
    from collections.abc import Callable

    import gymnasium as gym


def check_reproducible(case: Case) -> None:
    """The same seed gives the same episodes, in a fresh environment and in a used one."""
    env = case.wrapped()
    first = play(env)
    case.must(same(first, play(case.wrapped())), "the same seed gives other observations in a fresh environment")
    case.must(same(first, play(env)), "the same seed gives other observations when the environment was used before")


def check_environment_untouched(case: Case) -> None:
    """Same rewards, ends and random stream as without the wrapper, for the actions that reach the environment."""
    told = Recorder(case.make_env())
    bare, env = case.make_env(), case.wrap(told)
    wrapped = play(env)
    clean = play(bare, actions=iter(told.actions))
    case.must(_stream(bare) == _stream(env), "draws from the environment's own random stream: give the wrapper its own")
    case.must(
        same([_outcome(moment) for moment in clean], [_outcome(moment) for moment in wrapped]),
        "rewards or ends of episodes differ from those without the wrapper under the same seed and actions",
    )


def _outcome(moment: Moment) -> tuple[float, bool, bool]:
    return moment.reward, moment.terminated, moment.truncated


def _stream(env: gym.Env[Any, Any]) -> str:
    return repr(env.unwrapped.np_random.bit_generator.state)


def check_global_state(case: Case) -> None:
    """Neither Python's nor numpy's global random state is used."""
    bare, wrapped = _global_use(case.make_env), _global_use(case.wrapped)
    case.must(bare or not wrapped, "uses or seeds the global random state of Python or numpy")


def _global_use(make: Callable[[], gym.Env[Any, Any]]) -> bool:
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  (watched, and put back below)
    try:
        random.seed("a state that no wrapper leaves behind")
        np.random.seed(987654321)  # noqa: NPY002
        before = _global_state()
        play(make())
        return before != _global_state()
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


def _global_state() -> str:
    _, numbers, *rest = np.random.get_state()  # noqa: NPY002
    return repr((random.getstate(), np.asarray(numbers).tobytes(), rest))


def check_episodes(case: Case) -> None:
    """What is drawn for an episode depends on the seed and its number, not on how long earlier episodes were."""
    short = play(case.wrap(Scripted(case.make_env())), lengths=(3, 8))[4:]
    long = play(case.wrap(Scripted(case.make_env())), lengths=(41, 8))[42:]
    case.must(same(short, long), "the second episode depends on the length of the first")


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_reproducible,
    check_environment_untouched,
    check_global_state,
    check_episodes,
)
