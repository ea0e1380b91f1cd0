"""Who draws what, when: seeds, episodes, intervals and stacking."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wrapper_cases import batch

from symbench.errors import SymbenchError
from symbench.testing.rollouts import Scripted, play, same
from symbench.wrappers import AddNoiseChannels, Perturbation, ShuffleSensors, sb3, sensors, vector
from symbench.wrappers.checks import interval
from symbench.wrappers.streams import EpisodeStreams

SPACE = gym.spaces.Box(-1, 1, (12,), np.float32)


class Counter(gym.Env):
    """Twelve sensors that always show 0, 1, ..., 11, so that the order is seen."""

    observation_space = gym.spaces.Box(0, 11, (12,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.arange(12, dtype=np.float32), {}

    def step(self, action):
        return np.arange(12, dtype=np.float32), 0.0, False, False, {}


def orders(env, steps, seed=None):
    return [env.reset(seed=seed)[0], *(env.step(0)[0] for _ in range(steps))]


@given(every=st.integers(1, 50), seed=st.integers(0, 2**63))
def test_a_new_order_comes_exactly_every_t_steps(every, seed):
    seen = orders(ShuffleSensors(Counter(), resample=every), 3 * every, seed)
    changes = [step for step in range(1, len(seen)) if not np.array_equal(seen[step], seen[step - 1])]
    assert changes == [every, 2 * every, 3 * every]


def test_one_order_lasts_an_episode_and_the_next_episode_has_another():
    env = ShuffleSensors(Counter())
    first, second = orders(env, 100, seed=1), orders(env, 100)
    assert same(first, [first[0]] * 101) and same(second, [second[0]] * 101)
    assert not np.array_equal(first[0], second[0])


def test_a_seed_starts_the_episodes_anew_and_no_seed_goes_on():
    env = ShuffleSensors(Counter())
    history = [orders(env, 0, seed)[0] for seed in (5, None, None, 5, None, None)]
    assert same(history[:3], history[3:])


def test_unseeded_wrappers_differ_from_each_other():
    assert not same(orders(ShuffleSensors(Counter()), 0), orders(ShuffleSensors(Counter()), 0))


@given(seed=st.integers(0, 2**32), key=st.integers(0, 3), episode=st.integers(0, 3))
def test_streams_differ_by_name_key_seed_and_episode(seed, key, episode):
    def first_numbers(name, key, seed, episode):
        streams = EpisodeStreams(name, key, 1)
        generators = [streams.begin(0, seed if k == 0 else None) for k in range(episode + 1)]
        return generators[-1].integers(2**62, size=4).tolist()

    here = first_numbers("a", key, seed, episode)
    assert here == first_numbers("a", key, seed, episode)
    assert here not in (
        first_numbers("b", key, seed, episode),
        first_numbers("a", key + 1, seed, episode),
        first_numbers("a", key, seed + 1, episode),
        first_numbers("a", key, seed, episode + 1),
        np.random.default_rng(seed).integers(2**62, size=4).tolist(),
    )


def test_stacked_wrappers_of_one_class_draw_differently():
    once = orders(ShuffleSensors(Counter()), 0, seed=3)[0].astype(int)
    twice = orders(ShuffleSensors(ShuffleSensors(Counter())), 0, seed=3)[0].astype(int)
    assert not np.array_equal(once[once], twice)


def test_stacking_is_seen_through_vector_and_sb3_environments():
    from stable_baselines3.common.vec_env import DummyVecEnv

    expected = orders(ShuffleSensors(ShuffleSensors(Counter())), 0, seed=3)[0]
    outer = vector.ShuffleSensors(gym.vector.SyncVectorEnv([lambda: ShuffleSensors(Counter())]))
    assert np.array_equal(outer.reset(seed=3)[0][0], expected)
    stacked = vector.ShuffleSensors(vector.ShuffleSensors(gym.vector.SyncVectorEnv([Counter])))
    assert np.array_equal(stacked.reset(seed=3)[0][0], expected)
    venv = sb3.ShuffleSensors(sb3.ShuffleSensors(DummyVecEnv([Counter])))
    venv.seed(3)
    assert np.array_equal(venv.reset()[0], expected)


def test_a_level_of_the_inner_wrapper_leaves_the_draws_of_the_outer_alone():
    """So that a sweep over severities compares the same draws, severity 0 included."""
    env = Counter()
    observation, _ = ShuffleSensors(ShuffleSensors(env, severity=0)).reset(seed=3)
    one, two = (ShuffleSensors(ShuffleSensors(env, severity=level)) for level in (0, 1))
    inner = ShuffleSensors(env, severity=1).reset(seed=3)[0].astype(int)
    outer = one.reset(seed=3)[0].astype(int)
    assert np.array_equal(two.reset(seed=3)[0], inner[outer])
    assert np.array_equal(observation, outer)


@given(rows=st.integers(2, 5), every=st.integers(1, 40), steps=st.integers(0, 90))
def test_a_row_of_a_batch_draws_what_a_single_environment_draws(rows, every, steps):
    together = sensors.AddNoiseChannels(n=3)
    together.interval = every
    observations, seen = batch(together, SPACE, rows, None)
    for _ in range(steps):
        seen = together.step(observations, None)
    for row in range(rows):
        alone = sensors.AddNoiseChannels(n=3)
        alone.interval = every
        alone.bind(SPACE, gym.spaces.Discrete(2), 1, 0)
        single = alone.reset(observations[row : row + 1], np.ones(1, bool), [row])
        for _ in range(steps):
            single = alone.step(observations[row : row + 1], None)
        assert np.array_equal(single[0], seen[row])


def test_the_environment_plays_the_same_episodes_under_every_severity():
    def rewards(severity):
        moments = play(AddNoiseChannels(gym.make("Pendulum-v1"), severity=severity), lengths=(30, 30, 30))
        return [moment.reward for moment in moments]

    assert all(rewards(severity) == rewards(0) for severity in range(1, 6))


def test_the_order_of_wrapping_decides_where_noise_comes():
    script = Scripted(Counter())
    appended = AddNoiseChannels(ShuffleSensors(Counter()), n=3).reset(seed=0)[0]
    mixed = ShuffleSensors(AddNoiseChannels(Counter(), n=3)).reset(seed=0)[0]
    assert script.observation_space.shape == (12,)
    assert sorted(appended[:12]) == list(range(12))
    assert sorted(mixed[:12]) != list(range(12)) and set(range(12)) <= set(mixed)


@pytest.mark.parametrize(
    ("resample", "expected"),
    [("episode", None), ("step", 1), (7, 7), (np.int64(7), 7), ("every: 25", 25), ("every:25", 25), ({"every": 3}, 3)],
)
def test_spellings_of_resample(resample, expected):
    assert interval(resample) == expected


@pytest.mark.parametrize("resample", ["never", "every", "every: x", 0, -3, {"every": 0}, {"each": 3}, "every: 0"])
def test_values_of_resample_that_make_no_sense(resample):
    with pytest.raises(SymbenchError, match="resample must be") as error:
        interval(resample)
    assert "received" in str(error.value)


@pytest.mark.parametrize("resample", [None, 2.0, True, [3], {"every": "3"}])
def test_types_of_resample_that_make_no_sense(resample):
    with pytest.raises(TypeError, match=r"resample must be .* received"):
        interval(resample)


class Shift(Perturbation):
    """A user's perturbation without a severity table."""

    def __init__(self, by: float = 1.0) -> None:
        self.by = by

    def magnitude(self) -> float:
        return self.by

    def perturbed_space(self, space):
        return space

    def apply(self, observations, drawn):
        return observations + self.by


def test_a_users_perturbation_needs_no_table():
    assert Shift.name == "shift"
    assert Shift.make(by=2.0).parameters() == {"by": 2.0}
    assert Shift.make(severity=0).identity
    with pytest.raises(SymbenchError, match="severity must be between 0 and 0, received 1"):
        Shift.make(severity=1)
