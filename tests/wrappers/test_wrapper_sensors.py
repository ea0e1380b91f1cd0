"""What each perturbation of sensors does to the numbers."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from wrapper_cases import batch

from symbench import wrappers
from symbench.errors import SymbenchError
from symbench.wrappers.checks import portion
from symbench.wrappers.groups import TransformByGroup
from symbench.wrappers.patches import ShufflePatches
from symbench.wrappers.sensors import AddNoiseChannels, DropSensors, DuplicateSensors, SensorNoise, ShuffleSensors

SENSORS = ("ShuffleSensors", "AddNoiseChannels", "DuplicateSensors", "DropSensors", "SensorNoise")
WIDE = spaces.Box(np.float32([-1, -2, -np.inf]), np.float32([1, 5, np.inf]))


def box(size, dtype=np.float32):
    return spaces.Box(-1, 1, (size,), dtype)


@given(size=st.integers(1, 40), rows=st.integers(1, 6))
def test_shuffling_keeps_the_values(size, rows):
    given_, seen = batch(ShuffleSensors(), box(size), rows)
    assert np.array_equal(np.sort(given_, axis=1), np.sort(seen, axis=1))


@pytest.mark.parametrize(("resample", "distance"), [("episode", 1), (5000, 1), (1000, 1), (25, 40), ("step", 1000)])
def test_the_distance_of_shuffles_is_their_number_in_1000_steps(resample, distance):
    symmetry = {"symmetry": "CartPole-v1", "resample": resample}
    for shuffle in (ShuffleSensors(resample), ShufflePatches(resample=resample), TransformByGroup(**symmetry)):
        assert shuffle.magnitude() == distance


def test_all_orders_are_equally_likely():
    _, seen = batch(ShuffleSensors(), spaces.Box(0, 1, (3,)), 6000)
    _, counts = np.unique(np.argsort(np.argsort(seen, axis=1), axis=1), axis=0, return_counts=True)
    assert len(counts) == 6 and abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_shuffled_sensors_have_the_widest_bounds():
    space = ShuffleSensors()
    space.num_envs = 1
    seen = space.perturbed_space(spaces.Box(np.float32([-1, -2]), np.float32([7, 5])))
    assert np.all(seen.low == -2) and np.all(seen.high == 7)


@given(n=st.integers(0, 30), sigma=st.floats(0, 10), rows=st.integers(1, 4))
def test_noise_comes_after_the_sensors(n, sigma, rows):
    given_, seen = batch(AddNoiseChannels(n=n, sigma=sigma), box(4), rows)
    assert np.array_equal(seen[:, :4], given_) and seen.shape == (rows, 4 + n)


def test_noise_channels_are_standard_normal_times_sigma_and_change_every_step():
    noise = AddNoiseChannels(n=50, sigma=0.3)
    given_, seen = batch(noise, box(4), 200)
    values = np.stack([seen[:, 4:], *(noise.step(given_, None)[:, 4:] for _ in range(40))])
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.005 and abs(values.std() - 0.3) < 0.005
    assert len(np.unique(values)) > 0.95 * values.size


def test_varied_noise_uses_every_number_of_channels_and_silences_the_others_for_the_episode():
    noise = AddNoiseChannels(n=3, sigma=1.0, vary=True)
    given_, seen = batch(noise, box(2), 400)
    used = [np.count_nonzero(step[:, 2:], axis=1) for step in (seen, *(noise.step(given_, None) for _ in range(40)))]
    assert all(np.array_equal(used[0], later) for later in used)
    assert set(used[0]) == {0, 1, 2, 3} and 60 < np.bincount(used[0]).min() <= np.bincount(used[0]).max() < 140


@given(copies=st.integers(0, 6), size=st.integers(1, 9))
def test_duplicates_repeat_all_sensors(copies, size):
    given_, seen = batch(DuplicateSensors(copies=copies), box(size), 2)
    assert np.array_equal(seen, np.tile(given_, (1, copies + 1)))


def test_varied_duplicates_are_there_all_episode_or_zero():
    twice = DuplicateSensors(copies=2, vary=True)
    given_, seen = batch(twice, box(3), 400)
    assert np.array_equal(seen[:, :3], given_)
    copies = seen[:, 3:] == np.tile(given_, (1, 2))
    assert np.all(copies | (seen[:, 3:] == 0))
    later = twice.step(given_ + 1, None)
    assert np.array_equal(later[:, 3:] != 0, copies)
    assert (
        set(copies.sum(axis=1)) == set(range(7)) and 0.4 < copies.mean(axis=0).min() < copies.mean(axis=0).max() < 0.6
    )
    assert twice.perturbed_space(spaces.Box(1, 2, (1,))) == spaces.Box(np.float32([1, 0, 0]), np.float32([2, 2, 2]))


@given(ratio=st.floats(0, 1), size=st.integers(1, 30))
def test_dropped_sensors_are_zero_all_episode_and_the_others_untouched(ratio, size):
    drop = DropSensors(ratio=ratio)
    given_, seen = batch(drop, spaces.Box(1, 2, (size,)), 3)
    assert np.all((seen == 0) | (seen == given_))
    assert np.all(np.count_nonzero(seen == 0, axis=1) == portion(ratio, size))
    later = drop.step(given_ + 1, None)
    assert np.array_equal(later == 0, seen == 0)


def test_zero_is_inside_the_space_of_dropped_sensors():
    drop = DropSensors()
    drop.num_envs = 1
    assert drop.perturbed_space(spaces.Box(1, 2, (3,))) == spaces.Box(0, 2, (3,))


@given(ratio=st.floats(0, 1), total=st.integers(2, 500))
def test_a_portion_is_near_its_ratio_and_neither_none_nor_all_by_rounding(ratio, total):
    count = portion(ratio, total)
    assert abs(count - ratio * total) <= 1
    assert (count == 0) == (ratio == 0) and (count == total) == (ratio == 1)


def test_noise_is_in_units_of_the_bounds_where_they_are_finite():
    noise = SensorNoise(sigma=0.1)
    given_, seen = batch(noise, WIDE, 4000)
    assert (seen - given_).std(axis=0) == pytest.approx([0.1, 0.35, 0.1], rel=0.1)


def test_noise_is_in_units_of_the_given_scale():
    given_, seen = batch(SensorNoise(sigma=0.5, scale=[0, 1, 10]), WIDE, 4000)
    assert (seen - given_).std(axis=0) == pytest.approx([0, 0.5, 5], rel=0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bounds_written_as_the_largest_number_are_no_scale(dtype):
    largest = float(np.finfo(np.float32).max)  # also in a space of float64, as environments like CartPole have it
    noise = SensorNoise(sigma=1.0)
    noise.perturbed_space(spaces.Box(-largest, largest, (2,), dtype))
    zeros = np.zeros((1000, 2), dtype)
    assert noise.apply(zeros, noise.draw(np.random.default_rng(0), 1000)).std() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SENSORS)
def test_the_kind_of_numbers_stays(name, dtype):
    _, seen = batch(wrappers.TRANSFORMS[name](), box(5, dtype), 3)
    assert seen.dtype == dtype


@pytest.mark.parametrize("name", ["ShuffleSensors", "DuplicateSensors", "DropSensors"])
def test_whole_numbers_can_be_shuffled_repeated_and_dropped(name):
    _, seen = batch(wrappers.TRANSFORMS[name](), spaces.Box(0, 255, (128,), np.uint8), 3)
    assert seen.dtype == np.uint8


@pytest.mark.parametrize("name", SENSORS)
@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(3),
        spaces.Box(0, 1, (2, 2, 2)),
        spaces.Box(0, 9, (2, 2), np.int64),
        spaces.Box(0, 1, (0,)),
        spaces.Dict({"a": spaces.Discrete(2)}),
        spaces.Dict({"a": spaces.Dict({"b": spaces.Box(0, 1, (2,))})}),
        spaces.Tuple([spaces.Box(0, 1, (2,))]),
    ],
    ids=str,
)
def test_other_observations_are_refused(name, space):
    env = gym.make("CartPole-v1")
    env.observation_space = space
    with pytest.raises(SymbenchError, match=f"{name} needs sensors, a Box of shape .N,.,.* received .*FlattenObs"):
        wrappers.wrapper_of(name)(env)


@pytest.mark.parametrize("name", ["AddNoiseChannels", "SensorNoise"])
def test_noise_needs_floating_point_sensors(name):
    with pytest.raises(SymbenchError, match=f"{name} needs floating point sensors, received dtype uint8"):
        batch(wrappers.TRANSFORMS[name](), spaces.Box(0, 255, (128,), np.uint8), 1)


@pytest.mark.parametrize(
    ("name", "parameters", "error", "message"),
    [
        ("AddNoiseChannels", {"n": -1}, SymbenchError, "n must be at least 0, received -1"),
        ("AddNoiseChannels", {"n": 2.5}, TypeError, "n must be a whole number, received 2.5"),
        ("AddNoiseChannels", {"n": True}, TypeError, "n must be a whole number, received True"),
        ("AddNoiseChannels", {"sigma": -0.1}, SymbenchError, "sigma must be finite and at least 0.0, received -0.1"),
        ("AddNoiseChannels", {"sigma": float("nan")}, SymbenchError, "sigma must be finite .* received nan"),
        ("AddNoiseChannels", {"sigma": "0.1"}, TypeError, "sigma must be a number, received '0.1'"),
        ("AddNoiseChannels", {"vary": 1}, TypeError, "vary must be true or false, received 1"),
        ("DuplicateSensors", {"copies": -2}, SymbenchError, "copies must be at least 0, received -2"),
        ("DropSensors", {"ratio": 1.5}, SymbenchError, "ratio must be between 0.0 and 1.0, received 1.5"),
        ("DropSensors", {"ratio": None}, TypeError, "ratio must be a number, received None"),
        ("SensorNoise", {"scale": 2.0}, TypeError, "scale must be a list of numbers or None, received 2.0"),
        ("SensorNoise", {"scale": [1, -1, 1, 1]}, SymbenchError, "scale must be .* received -1"),
        ("SensorNoise", {"scale": [1.0]}, SymbenchError, "one number for each of 4 sensors, received .1.0."),
        ("ShuffleSensors", {"severity": 6}, SymbenchError, "severity must be between 0 and 5, received 6"),
        ("ShuffleSensors", {"severity": 1.0}, TypeError, "severity must be a whole number, received 1.0"),
        ("ShuffleSensors", {"severity": 2, "resample": 7}, SymbenchError, "severity=2 sets resample: give the sev"),
        ("SensorHistory", {"length": 0}, SymbenchError, "length must be at least 1, received 0"),
        ("PreviousAction", {"severity": 1}, TypeError, "takes no arguments"),
    ],
)
def test_wrong_parameters_are_refused_with_what_was_received(name, parameters, error, message):
    with pytest.raises(error, match=message):
        wrappers.wrapper_of(name)(gym.make("CartPole-v1"), **parameters)
    with pytest.raises(error, match=message):
        wrappers.vector_wrapper_of(name)(gym.make_vec("CartPole-v1", 2), **parameters)
