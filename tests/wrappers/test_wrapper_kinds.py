"""Environments of every kind that Gymnasium and SB3 allow: tuples, nested dicts, missing last observations, buffers."""

from __future__ import annotations

import copy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorWrapper
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv
from wrapper_cases import NEEDED, space_for

from symbench.envs.vec_env import VectorToVecEnv
from symbench.errors import SymbenchError
from symbench.testing.rollouts import play, same
from symbench.wrappers import (
    TRANSFORMS,
    FrameHistory,
    OccludePatches,
    PreviousAction,
    SensorHistory,
    ShuffleSensors,
    sb3,
    vector,
    vector_wrapper_of,
    wrapper_of,
)

FRAMES = ("ShufflePatches", "OccludePatches", "SwapBackground", "FrameHistory")
SENSORS = spaces.Box(-9, 9, (4,), np.float32)
PAIR = spaces.Tuple([spaces.Box(-2, 2, (2,), np.float32), spaces.Discrete(3)])


class Steps(gym.Env):
    """Samples of a space, in episodes of four steps; the samples may come in one buffer."""

    def __init__(self, space=SENSORS, actions=PAIR, reuse=False):
        self.observation_space, self.action_space, self.reuse = copy.deepcopy(space), actions, reuse
        self.buffer = None

    def _observation(self):
        seen = self.observation_space.sample()
        if not self.reuse:
            return seen
        self.buffer = refilled(self.buffer, seen)
        return self.buffer

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.left = 4
        return self._observation(), {}

    def step(self, action):
        assert action in self.action_space
        self.left -= 1
        return self._observation(), 1.0, self.left == 0, False, {}


def refilled(buffer, value):
    """The buffer itself, holding a value."""
    if isinstance(value, dict):
        return {key: refilled(buffer and buffer[key], entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return tuple(refilled(buffer and buffer[i], entry) for i, entry in enumerate(value))
    if buffer is None or not isinstance(value, np.ndarray):
        return value
    buffer[...] = value
    return buffer


# Tuple actions


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "TransformByGroup"])
def test_tuple_actions_reach_the_environment_through_every_wrapper(name):
    env = wrapper_of(name)(Steps(space_for(name)))
    moments = play(env, lengths=(4, 4))
    assert len(moments) == 10
    envs = vector_wrapper_of(name)(SyncVectorEnv([lambda: Steps(space_for(name))], autoreset_mode="SameStep"))
    envs.reset(seed=0)
    assert all(len(envs.step(envs.action_space.sample())) == 5 for _ in range(5))
    venv = getattr(sb3, name)(DummyVecEnv([lambda: Steps(space_for(name))] * 2))
    venv.reset()
    assert all(len(venv.step([PAIR.sample(), PAIR.sample()])) == 4 for _ in range(5))


def test_a_group_refuses_tuple_actions_in_a_line():
    with pytest.raises(SymbenchError, match="does not fit this environment: action: acts on Discrete"):
        wrapper_of("TransformByGroup")(Steps(), **NEEDED["TransformByGroup"])


def test_dict_actions_reach_the_environment():
    actions = spaces.Dict(push=spaces.Box(-1, 1, (2,)), gear=spaces.Discrete(3))
    assert len(play(ShuffleSensors(Steps(actions=actions)), lengths=(4,))) == 5


def test_tuple_actions_are_shown_one_part_after_the_other():
    action = (np.float32([1.5, -0.5]), 2)
    shown = {
        PreviousAction: lambda seen: seen["previous_action"],
        SensorHistory: lambda seen: seen["actions"][-1],
    }
    for wrapper, read in shown.items():
        env = wrapper(Steps())
        assert not read(env.reset(seed=0)[0]).any()
        seen, *_ = env.step(action)
        assert read(seen).tolist() == [1.5, -0.5, 0, 0, 1] and env.observation_space.contains(seen)
    env = FrameHistory(Steps(spaces.Box(0, 255, (4, 4, 1), np.uint8)))
    env.reset(seed=0)
    seen, *_ = env.step(action)  # in units of the range [-2, 2]
    assert seen["previous_action"].tolist() == [0.75, -0.25, 0, 0, 1] and env.observation_space.contains(seen)
    nested = spaces.Tuple([spaces.Tuple([spaces.Discrete(2)]), spaces.Discrete(2, start=5)])
    env = PreviousAction(Steps(actions=nested))
    env.reset(seed=0)
    assert env.step(((1,), np.int64(5)))[0]["previous_action"].tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("space", [spaces.Tuple([]), spaces.Tuple([spaces.MultiBinary(2)]), spaces.Text(3)], ids=str)
def test_actions_without_vectors_are_refused(space):
    with pytest.raises(SymbenchError, match="PreviousAction needs Box or Discrete actions, received"):
        PreviousAction(Steps(actions=space))


# Nested observations

NESTED = {
    "tuple": spaces.Tuple([spaces.Box(-1, 1, (2,)), spaces.Discrete(3)]),
    "tuple in tuple": spaces.Tuple([spaces.Tuple([spaces.Discrete(2)]), spaces.MultiBinary(3)]),
    "dict": spaces.Dict(a=spaces.Box(-1, 1, (2,)), b=spaces.Discrete(3)),
    "dict in dict": spaces.Dict(a=spaces.Dict(c=spaces.Box(-1, 1, (2,))), b=spaces.Discrete(3)),
    "discrete": spaces.Discrete(16),
    "text": spaces.Text(5),
    "sequence": spaces.Sequence(spaces.Discrete(3)),
    "one of": spaces.OneOf([spaces.Discrete(3), spaces.Box(-1, 1, (2,))]),
    "text in dict": spaces.Dict(t=spaces.Text(5), g=spaces.Graph(spaces.Box(-1, 1, (2,)), spaces.Discrete(3))),
}


@pytest.mark.parametrize("kind", NESTED)
def test_the_previous_action_comes_with_observations_of_every_kind(kind):
    space = NESTED[kind]
    plain, env = Steps(space, spaces.Discrete(2)), PreviousAction(Steps(space, spaces.Discrete(2)))
    assert env.observation_space["previous_action"].shape == (2,)
    for inner, outer in zip(play(plain, lengths=(4, 4)), play(env, lengths=(4, 4)), strict=True):
        seen = outer.observation
        assert env.observation_space.contains(seen)
        rest = {key: value for key, value in seen.items() if key != "previous_action"}
        kept = rest if isinstance(space, spaces.Dict) else rest["observation"]
        assert str(kept) == str(inner.observation) or same(kept, inner.observation)


@pytest.mark.parametrize("kind", ["tuple", "tuple in tuple", "dict", "discrete", "text"])
def test_vector_environments_show_the_same(kind):
    def make(wrapped):
        env = Steps(NESTED[kind], spaces.Discrete(2))
        return PreviousAction(env) if wrapped else env

    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
        one_by_one = SyncVectorEnv([lambda: make(True)] * 2, autoreset_mode=mode)
        at_once = vector.PreviousAction(SyncVectorEnv([lambda: make(False)] * 2, autoreset_mode=mode))
        assert same(one_by_one.reset(seed=0)[0], at_once.reset(seed=0)[0])
        for _ in range(10):
            one, *_, info = one_by_one.step(np.array([0, 1]))
            other, *_, other_info = at_once.step(np.array([0, 1]))
            assert same(one, other) and same(*(list(told.get("final_obs", [])) for told in (info, other_info)))


def test_blackjack_keeps_its_tuple():
    env = PreviousAction(gym.make("Blackjack-v1"))
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen) and isinstance(seen["observation"], tuple)
    assert len(seen["observation"]) == 3 and env.observation_space.contains(env.step(1)[0])


def test_sb3_takes_a_dict_with_the_previous_action_beside_its_keys():
    frames = spaces.Box(0, 255, (12, 12, 3), np.uint8)
    env = PreviousAction(OccludePatches(Steps(frames, spaces.Discrete(2)), ratio=0.5, patch_mask=True))
    assert list(env.observation_space.spaces) == ["image", "mask", "previous_action"]
    sensors = PreviousAction(Steps(NESTED["dict"], spaces.Discrete(2)))
    PPO("MultiInputPolicy", sensors, n_steps=16, batch_size=16, n_epochs=1, device="cpu").learn(16)


def test_two_previous_actions_are_refused_in_a_line():
    with pytest.raises(SymbenchError, match="PreviousAction needs observations that do not show it already"):
        PreviousAction(PreviousAction(gym.make("CartPole-v1")))


# Last observations and seeds that are not told


class NoFinal(VectorWrapper):
    """Resets within the step and keeps the last observation to itself, or tells only that of the first one."""

    def __init__(self, envs, known=()):
        super().__init__(envs)
        self.known = known

    def step(self, actions):
        *moment, infos = self.env.step(actions)
        if "final_obs" not in infos:
            return *moment, infos
        final = infos.pop("final_obs")
        if self.known:
            infos["final_obs"] = np.array([None] * self.num_envs, dtype=object)
            for i in self.known:
                infos["final_obs"][i] = final[i]
        return *moment, infos


def parts(name):
    env = lambda: Steps(space_for(name), spaces.Discrete(2))  # noqa: E731
    return env, NEEDED.get(name, {})


@pytest.mark.parametrize("known", [(), (0,)], ids=["none", "first"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_vector_environments_that_do_not_tell_the_last_observation(name, known):
    env, parameters = parts(name)
    full, bare = (SyncVectorEnv([env] * 2, autoreset_mode=AutoresetMode.SAME_STEP) for _ in range(2))
    full = vector_wrapper_of(name)(full, **parameters)
    envs = vector_wrapper_of(name)(NoFinal(bare, known), **parameters)
    assert same(full.reset(seed=0)[0], envs.reset(seed=0)[0])
    for step in range(9):
        one, *_, info = full.step(np.array([step % 2, 1]))
        other, *_, found = envs.step(np.array([step % 2, 1]))
        assert same(one, other) and ("final_obs" in found) == bool(known and "final_obs" in info)
        if "final_obs" in found:
            assert same(found["final_obs"][0], info["final_obs"][0]) and found["final_obs"][1] is None


def test_sb3_is_told_no_last_observation_where_there_is_none():
    env, _ = parts("ShuffleSensors")
    venv = VectorToVecEnv(NoFinal(SyncVectorEnv([env], autoreset_mode=AutoresetMode.SAME_STEP)))
    venv.reset()
    infos = [venv.step(np.array([0]))[3][0] for _ in range(4)]
    assert "terminal_observation" not in infos[-1] and infos[-1]["episode"]["l"] == 4


class Reticent(DummyVecEnv):
    """A VecEnv that keeps its seeds and last observations to itself."""

    def __init__(self, makers):
        super().__init__(makers)
        del self._seeds
        self.own = [None] * self.num_envs

    def seed(self, seed=None):
        self.own = [seed + i for i in range(self.num_envs)]

    def reset(self):
        for i, env in enumerate(self.envs):
            self._save_obs(i, env.reset(seed=self.own[i])[0])
        self.own = [None] * self.num_envs
        return self._obs_from_buf()

    def step_wait(self):
        *moment, infos = super().step_wait()
        return *moment, tuple({key: info[key] for key in info if key != "terminal_observation"} for info in infos)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_vec_envs_that_tell_neither_seeds_nor_last_observations(name):
    env, parameters = parts(name)
    usual = getattr(sb3, name)(DummyVecEnv([env] * 2), **parameters)
    reticent = getattr(sb3, name)(Reticent([env] * 2), **parameters)
    for seed in (3, None, 3):
        for venv in (usual, reticent):
            if seed is not None:
                venv.seed(seed)
        assert same(usual.reset(), reticent.reset())
        for step in range(9):
            one, *_, infos = usual.step(np.array([step % 2, 1]))
            other, *_, found = reticent.step(np.array([step % 2, 1]))
            assert same(one, other) and ("terminal_observation" in infos[0]) == (step % 4 == 3)
            assert "terminal_observation" not in found[0]


# Buffers


@pytest.mark.parametrize("severity", [None, 0])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_no_wrapper_hands_on_the_buffer_of_its_environment(name, severity):
    if severity == 0 and "severity" not in TRANSFORMS[name].signature().parameters:
        pytest.skip("no perturbation, so it has no severities")
    parameters = {**NEEDED.get(name, {}), **({} if severity is None else {"severity": severity})}
    seen, kept = [], []
    env = wrapper_of(name)(Steps(space_for(name), spaces.Discrete(2), reuse=True), **parameters)
    fresh = wrapper_of(name)(Steps(space_for(name), spaces.Discrete(2)), **parameters)
    for episode in range(3):
        seen += [env.reset(seed=episode)[0], *(env.step(1)[0] for _ in range(4))]
        kept += [fresh.reset(seed=episode)[0], *(fresh.step(1)[0] for _ in range(4))]
    assert same(seen, kept)


@pytest.mark.parametrize("kind", ["tuple", "tuple in tuple", "dict", "dict in dict"])
def test_nor_the_buffers_in_nested_observations(kind):
    env = PreviousAction(Steps(NESTED[kind], spaces.Discrete(2), reuse=True))
    fresh = PreviousAction(Steps(NESTED[kind], spaces.Discrete(2)))
    seen, kept = ([one.reset(seed=0)[0], *(one.step(1)[0] for _ in range(4))] for one in (env, fresh))
    assert same(seen, kept)


@pytest.mark.parametrize("wrapper", [vector.ShuffleSensors, vector.PreviousAction])
def test_vector_environments_without_copies(wrapper):
    def played(copy):
        parameters = {"severity": 0} if wrapper is vector.ShuffleSensors else {}
        env, _ = parts("ShuffleSensors")
        envs = wrapper(SyncVectorEnv([env] * 2, copy=copy, autoreset_mode=AutoresetMode.SAME_STEP), **parameters)
        return [envs.reset(seed=0)[0], *(envs.step(np.array([0, 1]))[0] for _ in range(9))]

    assert same(played(copy=False), played(copy=True))


def test_vec_envs_without_copies():
    class Buffer(DummyVecEnv):
        def _obs_from_buf(self):
            return self.buf_obs[None]

    def played(kind):
        env, _ = parts("ShuffleSensors")
        venv = sb3.ShuffleSensors(kind([env] * 2), severity=0)
        venv.seed(0)
        return [venv.reset(), *(venv.step(np.array([0, 1]))[0] for _ in range(9))]

    assert same(played(Buffer), played(DummyVecEnv))
