"""For each kind of environment that wrappers tend to forget, the check kit finds a wrapper that forgets it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs

from symbench import wrappers
from symbench.testing import check_wrapper
from symbench.wrappers import sb3, single, vector
from symbench.wrappers.masks import ACTION_MASKS


def cartpole():
    return gym.make("CartPole-v1")


class Doubled(gym.ObservationWrapper, RecordConstructorArgs):
    """Correct, for sensors only: twice of everything."""

    def __init__(self, env):
        if not isinstance(env.observation_space, spaces.Box):
            raise ValueError(f"Doubled needs a Box, received {env.observation_space}")
        RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        self.observation_space = spaces.Box(-np.inf, np.inf, env.observation_space.shape, np.float32)

    def observation(self, observation):
        return 2 * observation


class WithTime(gym.Wrapper, RecordConstructorArgs):
    """Correct, for all observations: the number of the step comes with them, beside the keys of a dict."""

    def __init__(self, env):
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self.keyed = isinstance(env.observation_space, spaces.Dict)
        self.observation_space = spaces.Dict(self.with_time(env.observation_space, spaces.Box(0, 9e9, (1,))))

    def with_time(self, observation, time):
        return {**(observation if self.keyed else {"seen": observation}), "time": time}

    def see(self, observation):
        observation = observation.copy() if isinstance(observation, np.ndarray) else observation
        return self.with_time(observation, np.array([self.steps], np.float32))

    def reset(self, *, seed=None, options=None):
        observation, info = self.env.reset(seed=seed, options=options)
        self.steps = 0
        return self.see(observation), info

    def step(self, action):
        observation, *rest = self.env.step(action)
        self.steps += 1
        return (self.see(observation), *rest)


class TakesActionsForArrays(WithTime):
    def step(self, action):
        return super().step(np.asarray(action)[None][0])


class RemembersActionsAsNumbers(WithTime):
    def step(self, action):
        self.latest = np.asarray(action, dtype=np.float32)
        return super().step(action)


class MakesArraysOfTuples(WithTime):
    def see(self, observation):
        if isinstance(observation, tuple):
            observation = np.concatenate([np.ravel(part) for part in observation])
        return super().see(observation)


class NestsDicts(WithTime):
    def with_time(self, observation, time):
        return {"seen": observation, "time": time}


class DoublesAnything(Doubled):
    def __init__(self, env):
        RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        if isinstance(env.observation_space, spaces.Box):
            self.observation_space = spaces.Box(-np.inf, np.inf, env.observation_space.shape, np.float32)


class HandsOnTheBuffer(WithTime):
    def see(self, observation):
        return self.with_time(observation, np.array([self.steps], np.float32))


class ForgetsMasks(wrappers.TransformByGroup):
    def get_wrapper_attr(self, name):
        return super(single.GymAdapter, self).get_wrapper_attr(name)

    def _shown(self, info):
        return info


class ForgetsTheInfo(wrappers.TransformByGroup):
    def _shown(self, info):
        return info


class HidesMasks(WithTime):
    def has_wrapper_attr(self, name):
        return name != ACTION_MASKS and super().has_wrapper_attr(name)


class SwapsActions(WithTime):
    def step(self, action):
        return super().step(action if isinstance(action, tuple) else 1 - action)


class OneDrawForAllEpisodes(wrappers.ShuffleSensors):
    def step(self, action):
        self._ended = False
        return super().step(action)


CORRECT = [Doubled, WithTime]
BROKEN = {
    TakesActionsForArrays: "crashes where actions are a Tuple",
    RemembersActionsAsNumbers: "crashes where actions are a Tuple",
    MakesArraysOfTuples: "does not hold what it makes of Tuple observations",
    DoublesAnything: "does not hold what it makes of Tuple observations",
    NestsDicts: "nests Dict observations",
    HandsOnTheBuffer: "hands on the memory that the environment will fill again",
    HidesMasks: r"action_masks\(\) of the environment is not forwarded",
    SwapsActions: r"of actions masked but 0 the environment received \[1\]",
    ForgetsMasks: r"of actions masked but 0 the environment received \[.*1",
    ForgetsTheInfo: r"action_masks\(\) and the info's mask differ",
    OneDrawForAllEpisodes: r"begins inside \(Autoreset\) is not shown as a new episode",
}


@pytest.mark.parametrize("correct", CORRECT)
def test_correct_wrappers_of_users_pass(correct):
    check_wrapper(correct, cartpole)
    check_wrapper(correct, lambda: gym.make("Pendulum-v1"))


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_wrapper_that_forgets_a_kind_of_environment_is_found(broken):
    parameters = {"symmetry": "CartPole-v1"} if issubclass(broken, wrappers.TransformByGroup) else {}
    with pytest.raises(AssertionError, match=BROKEN[broken]) as failure:
        check_wrapper(broken, cartpole, **parameters)
    assert broken.__name__ in str(failure.value)


class NeedsFinalObservations(vector.ShuffleSensors):
    def _end_within_step(self, observations, actions, infos):
        return super()._end_within_step(observations, actions, {"final_obs": infos["final_obs"], **infos})


class DrawsAsInside(vector.SensorNoise):
    """Sees layers in its own process only."""

    def take_place(self, env):
        inside = getattr(env, "envs", None)
        return super().take_place(env) if inside is not None else 0


class NeedsLastObservations(sb3.ShuffleSensors):
    def step_wait(self):
        *moment, dones, infos = super().step_wait()
        self.latest = [infos[i]["terminal_observation"] for i in np.flatnonzero(dones)]
        return *moment, dones, infos


class NeedsSeeds(sb3.ShuffleSensors):
    def reset(self):
        self._given = list(self.venv.unwrapped._seeds)
        return super().reset()


class ForgetsSeeds(sb3.ShuffleSensors):
    def seed(self, seed=None):
        return self.venv.seed(seed)


class DrawsAsInsideInSB3(sb3.SensorNoise):
    def take_place(self, env):
        inside = getattr(env, "envs", None)
        return super().take_place(env) if inside is not None else 0


SILENT = "of a VecEnv without _seeds and terminal_observation"
BATCHED = [
    (wrappers.ShuffleSensors, "vector_class", NeedsFinalObservations, "of environments without final_obs crashes"),
    (wrappers.SensorNoise, "vector_class", DrawsAsInside, "of wrapped environments in other processes, call 0"),
    (wrappers.ShuffleSensors, "vec_env_class", NeedsLastObservations, f"{SILENT} crashes"),
    (wrappers.ShuffleSensors, "vec_env_class", NeedsSeeds, f"{SILENT} crashes"),
    (wrappers.ShuffleSensors, "vec_env_class", ForgetsSeeds, f"{SILENT}, call 0"),
    (wrappers.SensorNoise, "vec_env_class", DrawsAsInsideInSB3, "of wrapped environments in other processes, call 0"),
]


@pytest.mark.parametrize(
    ("wrapper", "kind", "broken", "message"), BATCHED, ids=lambda given: getattr(given, "__name__", "")
)
def test_a_batched_version_that_forgets_a_kind_of_environment_is_found(wrapper, kind, broken, message):
    with pytest.raises(AssertionError, match=f"{broken.__name__} {message}"):
        check_wrapper(wrapper, cartpole, **{kind: broken})
