"""Checks that a wrapper keeps to the interface: spaces, memory, arguments, specs, other libraries' checks."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
import pickle
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from symbench.testing.rollouts import SEED, Case, Recorder, arrays, play, same
from symbench.wrappers.core import Perturbation
from symbench.wrappers.severity import HIGHEST

if TYPE_CHECKING:
    from collections.abc import Callable


def check_spaces(case: Case) -> None:
    """Observations lie in the declared space."""
    env = case.wrapped()
    for moment in play(env):
        if not env.observation_space.contains(moment.observation):
            case.fail(f"the space {env.observation_space} does not hold the observation {moment.observation!r}")


def check_memory(case: Case) -> None:
    """Observations and actions can be overwritten by the agent without effect."""
    env = case.wrapped()
    first, _ = env.reset(seed=SEED)
    second, *_ = env.step(env.action_space.sample())
    shared = any(np.shares_memory(a, b) for a in arrays(first) for b in arrays(second))
    case.must(not shared, "two observations share memory")
    clean, scribbled = play(case.wrapped()), play(case.wrapped(), scribble=True)
    case.must(
        same(clean, scribbled),
        "overwriting an observation or an action after use changes later observations (keep copies)",
    )


def check_forwarding(case: Case) -> None:
    """``seed`` and ``options`` reach the environment."""
    recorder = Recorder(case.make_env())
    case.wrap(recorder).reset(seed=7, options={"symbench": 1})
    case.must(
        recorder.received == (7, {"symbench": 1}),
        f"reset(seed=7, options={{'symbench': 1}}) reached the environment as {recorder.received}",
    )


def check_arguments(case: Case) -> None:
    """Unknown arguments and values of a wrong type are refused; good ones are plain JSON."""
    with contextlib.suppress(TypeError):
        case.wrap(case.make_env(), **case.parameters, no_such_parameter=1)
        case.fail("an unknown argument does not raise TypeError")
    own = list(inspect.signature(case.wrapper_class).parameters.values())[1:]  # after the environment
    for name in [parameter.name for parameter in own if parameter.kind != parameter.VAR_KEYWORD]:
        with contextlib.suppress(TypeError, ValueError):
            case.wrap(case.make_env(), **{**case.parameters, name: object()})
            case.fail(f"{name}=object() raises neither TypeError nor ValueError")
    plain = json.loads(json.dumps(case.parameters))
    rebuilt = play(case.wrap(case.make_env(), **plain))
    case.must(same(play(case.wrapped()), rebuilt), "parameters that went through JSON give other observations")


def check_spec(case: Case) -> None:
    """``gym.make(env.spec)``, the spec written as JSON in between, rebuilds the same wrapper."""
    env = case.wrapped()
    if case.make_env().spec is None:
        return
    case.must(env.spec is not None, "env.spec is lost")
    assert env.spec is not None
    try:
        rebuilt = gym.make(EnvSpec.from_json(env.spec.to_json()))
    except Exception as error:
        case.fail(f"env.spec cannot be rebuilt, record plain arguments with RecordConstructorArgs: {error!r}")
    case.must(same(play(env), play(rebuilt)), "gym.make(env.spec) gives other observations")


def check_pickle(case: Case) -> None:
    """A pickled copy goes on like the original, from the middle of an episode."""
    try:
        pickle.dumps(case.make_env())
    except Exception:
        return  # the environment itself cannot be pickled
    env = case.wrapped()
    play(env)
    try:
        copy = pickle.loads(pickle.dumps(env))
    except Exception as error:
        case.fail(f"cannot be pickled: {error!r}")
    case.must(same(play(env, seed=None), play(copy, seed=None)), "a pickled copy goes on with other observations")


def check_other_libraries(case: Case) -> None:
    """Gymnasium's ``check_env`` passes, and SB3's where SB3 is installed and can take the environment at all."""
    try:
        check_env(case.wrapped(), skip_render_check=True)
    except Exception as error:
        case.fail(f"gymnasium's check_env fails: {error!r}")
    try:
        from stable_baselines3.common.env_checker import check_env as check_env_sb3
    except ImportError:
        return
    try:
        check_env_sb3(case.wrapped(), skip_render_check=True)
    except Exception as error:
        case.fail(f"SB3's check_env fails: {error!r}")


def check_severities(case: Case) -> None:
    """Severity 0 is the identity; 1 to 5 change what the agent sees, by a growing declared distance."""
    found = severities(case)
    if found is None:
        return
    bare = case.make_env()
    clean, distances = play(bare), []
    highest, others = found
    for severity in range(highest + 1):
        env: Any = case.wrap(case.make_env(), severity=severity, **others)
        moments = play(env)
        if severity == 0:
            case.must(same(clean, moments), "severity 0 is not the identity bit for bit")
            case.must(env.observation_space == bare.observation_space, "severity 0 changes the observation space")
        else:
            case.must(not same(clean, moments), f"severity {severity} does not change what the agent sees")
        distances.append(env.transform.distance if hasattr(env, "transform") else env.distance)
    growing = distances[0] == 0 and all(a < b for a, b in itertools.pairwise(distances))
    case.must(growing, f"declared distances must be 0 and then grow with the severity, found {distances}")


def severities(case: Case) -> tuple[int, dict[str, Any]] | None:
    """The highest severity, and the case's parameters that are no part of one; ``None`` if there are no severities."""
    if "severity" not in inspect.signature(case.wrapper_class).parameters:
        return None
    transform = getattr(case.wrapper_class, "transform_class", None)
    if transform is None or not issubclass(transform, Perturbation):
        return HIGHEST, {}
    levels = transform.severities()
    ruled = {"severity"}.union(*levels)
    return len(levels), {name: value for name, value in case.parameters.items() if name not in ruled}


def check_effect(case: Case) -> None:
    """The wrapper changes what the agent sees, unless it declares a distance of 0 from the identity."""
    env: Any = case.wrapped()
    if getattr(getattr(env, "transform", env), "distance", None) == 0:
        return
    case.must(
        not same(play(case.make_env()), play(env)), "the agent sees exactly what it would see without the wrapper"
    )


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_arguments,
    check_spaces,
    check_memory,
    check_forwarding,
    check_effect,
    check_severities,
    check_spec,
    check_pickle,
    check_other_libraries,
)
