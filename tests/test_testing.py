"""The check kit accepts a correct wrapper written by a user and finds each of many ways to write a wrong one."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils import RecordConstructorArgs

from symbench import wrappers
from symbench.testing import check_wrapper
from symbench.wrappers import sb3, single, vector


class Offset(gym.Wrapper, RecordConstructorArgs):
    """Correct: adds one random offset per episode to all sensors."""

    def __init__(self, env, size=1.0):
        if not isinstance(size, (int, float)):
            raise TypeError(f"size must be a number, received {size!r}")
        RecordConstructorArgs.__init__(self, size=size)
        gym.Wrapper.__init__(self, env)
        self.size, self.seed, self.episode, self.offset = size, 0, 0, 0.0
        shape, dtype = env.observation_space.shape, env.observation_space.dtype
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, shape, dtype)

    def reset(self, *, seed=None, options=None):
        observation, info = self.env.reset(seed=seed, options=options)
        self.seed, self.episode = (self.seed, self.episode + 1) if seed is None else (seed, 0)
        self.offset = self.draw()
        return self.see(observation), info

    def step(self, action):
        observation, *rest = self.env.step(action)
        return (self.see(observation), *rest)

    def draw(self):
        return self.size * np.random.default_rng([self.seed, self.episode, 12345]).normal()

    def see(self, observation):
        return (observation + self.offset).astype(np.float32)


class GlobalRandomState(Offset):
    def draw(self):
        return self.size * np.random.normal()  # noqa: NPY002


class SeedsTheGlobalRandomState(Offset):
    def draw(self):
        np.random.seed(self.seed + self.episode)  # noqa: NPY002
        return self.size * np.random.normal()  # noqa: NPY002


class FreshEntropy(Offset):
    def draw(self):
        return self.size * np.random.default_rng().normal()


class EnvironmentStream(Offset):
    def draw(self):
        return self.size * self.np_random.normal()


class RandomnessContinues(Offset):
    def reset(self, *, seed=None, options=None):
        if seed is not None:
            self.generator = np.random.default_rng([seed, 12345])
        return super().reset(seed=seed, options=options)

    def draw(self):
        return self.size * self.generator.normal()

    def see(self, observation):
        return super().see(observation + self.generator.normal())


class OneBuffer(Offset):
    def see(self, observation):
        if not hasattr(self, "buffer"):
            self.buffer = np.zeros(observation.shape, np.float32)
        self.buffer[:] = super().see(observation)
        return self.buffer


class RemembersWhatItGave(Offset):
    before = np.float32(0)

    def reset(self, *, seed=None, options=None):
        self.before = np.float32(0)
        return super().reset(seed=seed, options=options)

    def see(self, observation):
        self.before = super().see(observation + self.before)
        return self.before


class RemembersTheActionItself(Offset):
    def step(self, action):
        self.actions = [*getattr(self, "actions", [])[-1:], action]
        observation, *rest = super().step(action)
        return (observation + np.sum(self.actions, dtype=np.float32), *rest)

    def reset(self, *, seed=None, options=None):
        self.actions = []
        return super().reset(seed=seed, options=options)


class ForgetsOptions(Offset):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)


class ForgetsTheSeed(Offset):
    def reset(self, *, seed=None, options=None):
        self.seed, self.episode = (self.seed, self.episode + 1) if seed is None else (seed, 0)
        observation, info = self.env.reset(options=options)
        return self.see(observation), info


class NotRecorded(Offset):
    def __init__(self, env, size=1.0):
        super().__init__(env, size)
        self._saved_kwargs = {"size": np.float64(size), "offset": 3}


class RecordsSomethingElse(Offset):
    def __init__(self, env, size=1.0):
        super().__init__(env, size)
        self._saved_kwargs = {"size": 2 * size}


class CannotBePickled(Offset):
    def __init__(self, env, size=1.0):
        super().__init__(env, size)
        self.function = lambda x: x


class OutsideItsSpace(Offset):
    def __init__(self, env, size=1.0):
        super().__init__(env, size)
        self.observation_space = gym.spaces.Box(-0.01, 0.01, self.observation_space.shape, np.float32)


class WrongDtype(Offset):
    def see(self, observation):
        return observation.astype(np.float64) + self.offset


class NeverReachesTheAgent(Offset):
    def see(self, observation):
        super().see(observation)
        return observation


class ChangesRewards(Offset):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        return (observation, reward + 0.1, *rest)


class EndsEpisodes(Offset):
    def step(self, action):
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, True, info


class TakesAnyValue(Offset):
    def __init__(self, env, size=1.0):
        super().__init__(env, size if isinstance(size, (int, float)) else 1.0)


class TakesAnything(Offset):
    def __init__(self, env, size=1.0, **ignored):
        super().__init__(env, size)


BROKEN = {
    GlobalRandomState: "the same seed gives other observations",
    SeedsTheGlobalRandomState: "global random state",
    FreshEntropy: "the same seed gives other observations",
    EnvironmentStream: "environment's own random stream",
    RandomnessContinues: "depends on the length of the first",
    OneBuffer: "share memory",
    RemembersWhatItGave: "overwriting an observation",
    RemembersTheActionItself: "overwriting an observation or an action",
    ForgetsOptions: r"reached the environment as \(7, None\)",
    ForgetsTheSeed: "the same seed gives other observations",
    NotRecorded: "spec cannot be rebuilt",
    RecordsSomethingElse: r"gym.make\(env.spec\) gives other observations",
    CannotBePickled: "cannot be pickled",
    OutsideItsSpace: "does not hold the observation",
    WrongDtype: "does not hold the observation",
    NeverReachesTheAgent: "exactly what it would see without",
    ChangesRewards: "rewards or ends of episodes differ",
    EndsEpisodes: "rewards or ends of episodes differ",
    TakesAnything: "unknown argument does not raise TypeError",
    TakesAnyValue: "size=object.* raises neither TypeError nor ValueError",
}


def pendulum():
    return gym.make("Pendulum-v1")


def test_a_correct_wrapper_of_a_user_passes():
    check_wrapper(Offset, pendulum)
    check_wrapper(Offset, pendulum, size=2.0)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_a_broken_wrapper_is_found(broken):
    with pytest.raises(AssertionError, match=BROKEN[broken]) as failure:
        check_wrapper(broken, pendulum)
    assert broken.__name__ in str(failure.value)


class Negate(wrappers.Perturbation):
    """A user's perturbation: all signs are flipped in an episode with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def magnitude(self):
        return self.probability

    def perturbed_space(self, space):
        return gym.spaces.Box(-np.inf, np.inf, space.shape, space.dtype)

    def draw(self, rng, size):
        return np.where(rng.random((size, 1)) < self.probability, np.float32(-1), np.float32(1))

    def apply(self, observations, drawn):
        return observations * drawn


class NegateWrapper(single.GymAdapter, transform=Negate):
    """Flip all signs."""


class NegateVectorWrapper(vector.VectorAdapter, transform=Negate):
    """Flip all signs, in a batch."""


class NegateVecEnvWrapper(sb3.VecEnvAdapter, transform=Negate):
    """Flip all signs, in SB3."""


def test_wrappers_made_of_a_users_perturbation_pass():
    batched = {"vector_class": NegateVectorWrapper, "vec_env_class": NegateVecEnvWrapper}
    check_wrapper(NegateWrapper, pendulum, **batched, probability=0.8)
    check_wrapper(NegateWrapper, pendulum, **batched)


class Levels(Offset):
    """Correct severities on top of the offset."""

    def __init__(self, env, size=1.0, severity=None):
        super().__init__(env, size if severity is None else severity / 5)
        self._saved_kwargs["severity"] = severity
        self.distance = self.size
        if severity == 0:
            self.observation_space = env.observation_space

    def see(self, observation):
        return super().see(observation) if self.size else observation.copy()


class ZeroIsNotTheIdentity(Levels):
    def see(self, observation):
        return (super().see(observation) + 0.001).astype(np.float32)


class ZeroWidensTheSpace(Levels):
    def __init__(self, env, size=1.0, severity=None):
        super().__init__(env, size, severity)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (3,), np.float32)


class LowLevelsDoNothing(Levels):
    def see(self, observation):
        return super().see(observation) if self.size > 0.5 else observation.copy()


class AllLevelsAlike(Levels):
    def __init__(self, env, size=1.0, severity=None):
        super().__init__(env, size, severity)
        self.distance = float(self.size > 0)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (ZeroIsNotTheIdentity, "severity 0 is not the identity"),
        (ZeroWidensTheSpace, "severity 0 changes the observation space"),
        (LowLevelsDoNothing, "severity 1 does not change"),
        (AllLevelsAlike, "grow with the severity"),
    ],
)
def test_broken_severities_are_found(broken, message):
    check_wrapper(Levels, pendulum)
    with pytest.raises(AssertionError, match=message):
        check_wrapper(broken, pendulum)


class RawFinalObservations(vector.ShuffleSensors):
    def _end_within_step(self, observations, actions, infos):
        return super()._end_within_step(observations, actions, infos)[0], infos


class OneSeedForAll(vector.ShuffleSensors):
    def reset(self, *, seed=None, options=None):
        observations, _ = self.env.reset(seed=seed, options=options)
        everywhere = np.ones(self.num_envs, dtype=bool)
        return self.transform.reset(observations, everywhere, [seed] * self.num_envs), {}


class IgnoresAutomaticResets(vector.ShuffleSensors):
    def step(self, actions):
        observations, *rest = self.env.step(actions)
        return (self.transform.step(observations, actions), *rest)


class ResetsAllRows(vector.ShuffleSensors):
    def reset(self, *, seed=None, options=None):
        observations, infos = self.env.reset(seed=seed, options=options)
        everywhere = np.ones(self.num_envs, dtype=bool)
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
        return self.transform.reset(observations, everywhere, seeds), infos


class RawTerminalObservation(sb3.ShuffleSensors):
    def step_wait(self):
        observations, rewards, dones, infos = super().step_wait()
        for info in infos:
            if "terminal_observation" in info:
                info["terminal_observation"] = info["terminal_observation"] * 1.5
        return observations, rewards, dones, infos


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ({"vector_class": RawFinalObservations}, "RawFinalObservations in mode SAME_STEP"),
        ({"vector_class": OneSeedForAll}, "OneSeedForAll in mode NEXT_STEP, call 0"),
        ({"vector_class": IgnoresAutomaticResets}, "IgnoresAutomaticResets in mode NEXT_STEP"),
        ({"vector_class": ResetsAllRows}, "ResetsAllRows in mode DISABLED"),
        ({"vec_env_class": RawTerminalObservation}, "RawTerminalObservation, call"),
    ],
)
def test_broken_batched_versions_are_found(versions, message):
    with pytest.raises(AssertionError, match=message):
        check_wrapper(wrappers.ShuffleSensors, lambda: gym.make("CartPole-v1"), **versions)
