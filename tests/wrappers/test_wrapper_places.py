"""Draws depend on the seed, the episode and a layer's own place, on whichever side of a process it is."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorWrapper
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack, VecMonitor, VecNormalize

from symbench.testing.rollouts import same
from symbench.wrappers import AddNoiseChannels, Perturbation, SensorNoise, ShuffleSensors, sb3, single, vector


class Zeros(gym.Env):
    """Four sensors that show nothing, so that only noise is seen; episodes of six steps."""

    observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 6
        return np.zeros(4, np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.zeros(4, np.float32), 0.0, self.left == 0, False, {}


def noisy(layers):
    def make():
        env = Zeros()
        for _ in range(layers):
            env = gym.wrappers.TimeLimit(SensorNoise(env, sigma=1.0), 100)
        return env

    return make


def mixed():
    """Layers of this project among Gymnasium's own."""
    env = gym.wrappers.TransformObservation(SensorNoise(Zeros(), sigma=1.0), lambda seen: seen, None)
    return gym.wrappers.RecordEpisodeStatistics(ShuffleSensors(SensorNoise(env, sigma=1.0)))


def played(envs, steps=15):
    seen = [envs.reset(seed=3)[0], *(envs.step(np.zeros(2, np.int64))[0] for _ in range(steps))]
    envs.close()
    return seen


def played_sb3(venv, steps=15):
    venv.seed(3)
    seen = [venv.reset(), *(venv.step(np.zeros(2, np.int64))[0] for _ in range(steps))]
    venv.close()
    return seen


@pytest.mark.parametrize("mode", gym.vector.AutoresetMode, ids=lambda mode: mode.name)
@pytest.mark.parametrize("make", [noisy(0), noisy(1), noisy(2), mixed], ids=["none", "one", "two", "mixed"])
def test_sync_and_async_show_the_same_under_vector_layers(make, mode):
    def stack(kind):
        envs = kind([make] * 2, autoreset_mode=mode)
        envs = VectorWrapper(vector.SensorNoise(VectorWrapper(envs), sigma=1.0))
        return vector.ShuffleSensors(vector.SensorNoise(envs, sigma=1.0))

    steps = 5 if mode == gym.vector.AutoresetMode.DISABLED else 15
    assert same(played(stack(SyncVectorEnv), steps), played(stack(AsyncVectorEnv), steps))


@pytest.mark.parametrize("make", [noisy(0), noisy(1), mixed], ids=["none", "one", "mixed"])
def test_dummy_and_subproc_show_the_same_under_any_mix_of_layers(make):
    def stack(venv):
        venv = VecMonitor(sb3.SensorNoise(VecMonitor(venv), sigma=1.0))
        venv = VecFrameStack(sb3.ShuffleSensors(sb3.SensorNoise(venv, sigma=1.0)), 2)
        return VecNormalize(venv)

    here = stack(DummyVecEnv([make] * 2))
    there = stack(SubprocVecEnv([make] * 2, start_method="fork"))
    assert same(played_sb3(here), played_sb3(there))


@pytest.mark.parametrize("kind", ["sync", "async", "dummy", "subproc"])
def test_the_same_noise_inside_and_outside_adds_up_as_independent_noise_does(kind):
    makers = [noisy(1)] * 2
    if kind in ("sync", "async"):
        envs = vector.SensorNoise((SyncVectorEnv if kind == "sync" else AsyncVectorEnv)(makers), sigma=1.0)
        seen = played(envs, steps=600)
    else:
        venv = DummyVecEnv(makers) if kind == "dummy" else SubprocVecEnv(makers, start_method="fork")
        seen = played_sb3(sb3.SensorNoise(venv, sigma=1.0), steps=600)
    assert np.std(seen) == pytest.approx(np.sqrt(2), abs=0.08)  # 2.0 if both layers draw the same


def test_a_layer_outside_a_process_draws_what_it_draws_around_a_single_environment():
    alone = SensorNoise(SensorNoise(Zeros(), sigma=1.0), sigma=1.0).reset(seed=3)[0]
    envs = vector.SensorNoise(AsyncVectorEnv([noisy(1)] * 2), sigma=1.0)
    assert np.array_equal(played(envs, steps=0)[0][0], alone)


def test_where_sub_environments_differ_no_row_draws_a_number_twice():
    """The first one has no layer: every layer outside must still differ from those in the second."""
    inner = noisy(1)().reset(seed=4)[0]
    for kind in (SyncVectorEnv, AsyncVectorEnv):
        outer = played(vector.SensorNoise(kind([noisy(0), noisy(1)]), sigma=1.0), steps=0)[0][1]
        assert not np.allclose(outer, 2 * inner)


class Stranger(gym.vector.VectorEnv):
    """Somebody else's vector environment, which answers no questions."""

    num_envs = 2
    single_observation_space, single_action_space = Zeros.observation_space, Zeros.action_space
    observation_space = gym.vector.utils.batch_space(Zeros.observation_space, 2)
    action_space = gym.vector.utils.batch_space(Zeros.action_space, 2)

    def call(self, name, *args):
        raise NotImplementedError(name)

    def reset(self, *, seed=None, options=None):
        return np.zeros((2, 4), np.float32), {}

    def step(self, actions):
        return np.zeros((2, 4), np.float32), np.zeros(2), np.zeros(2, bool), np.zeros(2, bool), {}


class Slots(gym.Env):
    """An environment that keeps something without attributes under a name that wrappers use."""

    observation_space, action_space = Zeros.observation_space, Zeros.action_space

    def __init__(self):
        self.env = object()

    def reset(self, *, seed=None, options=None):
        return np.zeros(4, np.float32), {}


def test_environments_that_cannot_be_asked_still_work():
    native = gym.make_vec("symbench/CartPoleSwingUp-v0", 2)
    for envs in (Stranger(), native):
        once, twice = vector.SensorNoise(envs), vector.SensorNoise(vector.SensorNoise(envs))
        assert (once.place, twice.place) == (0, 1)
        twice.reset(seed=0)
    assert SensorNoise(Slots()).place == 0
    asked = AsyncVectorEnv([Zeros])
    assert vector.SensorNoise(asked).place == 0
    asked.reset(seed=0)  # the question did not end its process
    asked.close()


class Says(gym.Wrapper):
    """Forwards whatever it is asked for, as wrappers of older times do."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.env, name)


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
def test_forwarding_wrappers_do_not_count_twice(kind):
    envs = vector.SensorNoise(kind([lambda: Says(Says(SensorNoise(Says(Zeros()))))]))
    assert envs.place == 1
    envs.close()


def test_places_count_layers_of_one_name_whichever_kind_they_are():
    env = ShuffleSensors(AddNoiseChannels(SensorNoise(ShuffleSensors(Zeros()))))
    assert (env.place, env.env.place, env.env.env.place, env.env.env.env.place) == (1, 0, 0, 0)


def test_two_perturbations_that_share_a_name_draw_differently():
    class Mine(Perturbation):
        name = "sensor-noise"

        def magnitude(self):
            return 1.0

        def perturbed_space(self, space):
            return spaces.Box(-np.inf, np.inf, space.shape, space.dtype)

        def draw(self, rng, size):
            return rng.standard_normal((size, 4), dtype=np.float32)

        def apply(self, observations, drawn):
            return observations + drawn

    class MineWrapper(single.GymAdapter, transform=Mine):
        """Noise of a user's own."""

    inner = SensorNoise(Zeros(), sigma=1.0).reset(seed=0)[0]
    assert not np.allclose(MineWrapper(SensorNoise(Zeros(), sigma=1.0)).reset(seed=0)[0], 2 * inner)


def test_draws_of_stacks_in_one_process_are_those_of_version_one():
    """Recorded before places were known across processes: the four sensors after a reset with seed 3."""
    one = SensorNoise(Zeros(), sigma=1.0).reset(seed=3)[0]
    two = SensorNoise(SensorNoise(Zeros(), sigma=1.0), sigma=1.0).reset(seed=3)[0]
    both = vector.SensorNoise(SyncVectorEnv([noisy(1)]), sigma=1.0).reset(seed=3)[0][0]
    assert one.tolist() == [1.4336767196655273, 1.1690441370010376, 0.19600333273410797, -0.7898536920547485]
    assert (
        two.tolist()
        == both.tolist()
        == [2.2783682346343994, 1.7815518379211426, -0.805577278137207, 0.3996318578720093]
    )
