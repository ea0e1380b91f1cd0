"""What an agent sees beside the observation."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from symbench.errors import SymbenchError
from symbench.wrappers import (
    AddNoiseChannels,
    FrameHistory,
    OccludePatches,
    PreviousAction,
    SensorHistory,
    ShuffleSensors,
    vector,
)
from symbench.wrappers.action_vectors import action_vectors

BOXES = spaces.Box(-2, 2, (3,), np.float32)


class Echo(gym.Env):
    """Shows the number of the step in two sensors."""

    observation_space = spaces.Box(0, 1000, (2,), np.float64)

    def __init__(self, action_space):
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 100
        return np.array([self.t, -self.t / 1000]), {}

    def step(self, action):
        self.t += 1
        return np.array([self.t, -self.t / 1000]), 0.0, False, False, {}


@pytest.mark.parametrize(
    ("space", "action", "vector_of_it"),
    [
        (spaces.Discrete(3), 2, [0, 0, 1]),
        (spaces.Discrete(3, start=5), np.int64(5), [1, 0, 0]),
        (BOXES, np.float32([1, -1, 0.5]), [1, -1, 0.5]),
        (spaces.Box(-1, 1, (2, 2)), np.float32([[1, 2], [3, 4]]) / 4, [0.25, 0.5, 0.75, 1]),
    ],
    ids=str,
)
def test_actions_become_vectors_and_start_as_zeros(space, action, vector_of_it):
    env = PreviousAction(Echo(space))
    first, _ = env.reset(seed=0)
    then, *_ = env.step(action)
    again, _ = env.reset()
    assert first["previous_action"].tolist() == again["previous_action"].tolist() == [0] * len(vector_of_it)
    assert then["previous_action"].tolist() == vector_of_it and then["previous_action"].dtype == np.float32
    assert then["observation"].tolist() == [101, -0.101]


def test_zeros_are_inside_the_space_of_the_previous_action():
    env = PreviousAction(Echo(spaces.Box(np.float32([1, -3]), np.float32([2, -2]))))
    previous = env.observation_space["previous_action"]
    assert previous.low.tolist() == [0, -3] and previous.high.tolist() == [2, 0]


@given(length=st.integers(1, 9), steps=st.integers(0, 20))
def test_the_history_holds_the_latest_values_newest_last_after_zeros(length, steps):
    env = SensorHistory(Echo(BOXES), length=length)
    seen, _ = env.reset(seed=0)
    for step in range(steps):
        seen, *_ = env.step(np.full(3, step + 1, np.float32))
    values = [0] * length + [100 + t for t in range(steps + 1)]
    actions = [0] * length + [t + 1 for t in range(steps)]
    assert seen["sensors"].shape == (2, length) and seen["actions"].shape == (length, 3)
    assert seen["sensors"][0].tolist() == values[-length:]
    assert seen["actions"][:, 0].tolist() == actions[-length:]
    assert all(array.dtype == np.float32 for array in seen.values())


@pytest.mark.parametrize(("low", "high"), [(5, 7), (-7, -5), (-1, 2)])
def test_a_history_lies_in_its_space_from_the_zeros_at_the_start_on(low, high):
    env = Echo(spaces.Box(low, high, (3,), np.float32))
    env.observation_space = spaces.Box(low, high, (2,), np.float64)
    space = SensorHistory(env, length=4).observation_space
    for key in ("sensors", "actions"):
        assert (space[key].low == min(low, 0)).all() and (space[key].high == max(high, 0)).all()


def test_eight_values_and_four_frames_are_remembered_if_nothing_else_is_said():
    assert SensorHistory(Echo(BOXES)).observation_space["sensors"].shape == (2, 8)
    assert FrameHistory(Film()).observation_space["frames"].shape[0] == 4 * Film().observation_space.shape[2]


def test_a_new_episode_forgets_the_old_one():
    env = SensorHistory(Echo(BOXES), length=4)
    first, _ = env.reset(seed=0)
    for _ in range(6):
        env.step(np.ones(3, np.float32))
    again, _ = env.reset()
    assert all(np.array_equal(first[key], again[key]) for key in first)


def test_the_history_takes_any_number_of_perturbed_sensors():
    env = SensorHistory(ShuffleSensors(AddNoiseChannels(gym.make("CartPole-v1"), n=5)), length=6)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    assert observation["sensors"].shape == (9, 6)


def test_a_partial_reset_leaves_the_other_histories_as_they_are():
    envs = vector.SensorHistory(
        gym.make_vec("CartPole-v1", 3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": "Disabled"}),
        length=3,
    )
    envs.reset(seed=0)
    for _ in range(4):
        before, *_ = envs.step(np.array([0, 1, 0]))
    after, _ = envs.reset(options={"reset_mask": np.array([False, True, False])})
    for key in before:
        assert np.array_equal(before[key][[0, 2]], after[key][[0, 2]])
        assert not np.array_equal(before[key][1], after[key][1])


class Film(gym.Env):
    """Frames filled with the number of the step, channels apart by 100."""

    def __init__(self, action_space=None, shape=(4, 6, 3)):
        self.action_space = action_space or spaces.Discrete(3)
        self.observation_space = spaces.Box(0, 255, shape, np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._frame(), {}

    def step(self, action):
        self.t += 1
        return self._frame(), 0.0, False, False, {}

    def _frame(self):
        shape = self.observation_space.shape
        offset = 100 * np.arange(shape[2]) if len(shape) > 2 else 0
        return np.broadcast_to(self.t + offset, shape).astype(np.uint8)


@pytest.mark.parametrize(("shape", "channels"), [((4, 6, 3), 3), ((4, 6, 1), 1), ((4, 6), 1)])
def test_frames_are_stacked_channels_first_after_copies_of_the_first(shape, channels):
    env = FrameHistory(Film(shape=shape), length=3)
    history = [env.reset(seed=0)[0], *(env.step(2)[0] for _ in range(3)), env.reset()[0]]
    assert history[0]["frames"].shape == (3 * channels, 4, 6) and history[0]["frames"].dtype == np.uint8
    oldest_to_newest = [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3], [0, 0, 0]]
    for seen, steps in zip(history, oldest_to_newest, strict=True):
        assert env.observation_space.contains(seen)
        assert seen["frames"][:, 0, 0].tolist() == [step + 100 * c for step in steps for c in range(channels)]
    assert [seen["previous_action"].tolist() for seen in history[:2]] == [[0, 0, 0], [0, 0, 1]]
    assert history[-1]["previous_action"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("space", "action", "seen"),
    [
        (spaces.Box(np.float32([-1, 0, 0]), np.float32([1, 1, 1])), [0.5, 0.0, 1.0], [0.5, -1, 1]),
        (spaces.Box(-np.inf, np.inf, (2,)), [3, -4], [3, -4]),
    ],
    ids=str,
)
def test_continuous_actions_come_in_units_of_their_range(space, action, seen):
    env = FrameHistory(Film(space, (4, 6, 1)))
    assert not env.reset(seed=0)[0]["previous_action"].any()
    observation, *_ = env.step(np.float32(action))
    assert observation["previous_action"].tolist() == seen and env.observation_space.contains(observation)


def test_the_mask_of_hidden_patches_is_passed_on():
    env = FrameHistory(OccludePatches(Film(shape=(4, 6, 1)), ratio=0.5, patch_size=2, fill=9, patch_mask=True))
    observation, _ = env.reset(seed=0)
    corners = observation["frames"][-1, ::2, ::2].ravel()
    assert np.array_equal(corners == 9, observation["mask"] == 0) and 0 < observation["mask"].sum() < 6
    assert env.observation_space.contains(observation)


@pytest.mark.parametrize(
    "space", [spaces.Box(-1, 1, (4,)), spaces.Box(0, 1, (6, 6, 1)), spaces.Dict({"image": BOXES})], ids=str
)
def test_a_history_of_frames_needs_frames(space):
    with pytest.raises(SymbenchError, match="FrameHistory needs frames, a uint8 Box of shape"):
        wrapped = Film()
        wrapped.observation_space = space
        FrameHistory(wrapped)


@pytest.mark.parametrize("history", [SensorHistory, FrameHistory])
def test_a_history_has_a_length(history):
    with pytest.raises(SymbenchError, match=r"^length must be at least 1, received 0"):
        history(Film() if history is FrameHistory else Echo(BOXES), length=0)


def test_a_history_of_sensors_needs_sensors():
    with pytest.raises(SymbenchError, match="SensorHistory needs sensors"):
        SensorHistory(Film())


def test_a_tuple_of_actions_must_have_all_its_parts():
    env = PreviousAction(Echo(spaces.Tuple([spaces.Discrete(2), spaces.Discrete(3)])))
    env.reset(seed=0)
    assert env.step((1, 2))[0]["previous_action"].tolist() == [0, 1, 0, 0, 1]
    vectors = action_vectors("test", env.action_space)
    with pytest.raises(ValueError, match="zip"):
        vectors(([1], [2], [0]))


@pytest.mark.parametrize("space", [spaces.MultiDiscrete([2, 2]), spaces.Dict({"a": BOXES})], ids=str)
def test_other_actions_are_refused_with_frames(space):
    with pytest.raises(SymbenchError, match="FrameHistory needs Box or Discrete actions, received"):
        FrameHistory(Film(space))


@pytest.mark.parametrize("wrapper", [PreviousAction, SensorHistory])
@pytest.mark.parametrize("space", [spaces.MultiDiscrete([2, 2]), spaces.Dict({"a": BOXES})], ids=str)
def test_other_actions_are_refused(wrapper, space):
    with pytest.raises(SymbenchError, match=f"{wrapper.__name__} needs Box or Discrete actions, received"):
        wrapper(Echo(space))
