"""Episodes that end and begin inside a wrapper are episodes like all others."""

from __future__ import annotations

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import Autoreset
from wrapper_cases import NEEDED, space_for

from symbench.testing.rollouts import same
from symbench.wrappers import TRANSFORMS, PreviousAction, ShuffleSensors, vector_wrapper_of, wrapper_of


class Short(gym.Env):
    """Episodes of two to five steps, in sensors or frames that tell the seed's stream, the episode and the step."""

    action_space = spaces.Discrete(2)

    def __init__(self, space):
        self.observation_space = space
        self.episode = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.left = self.episode + 1, int(self.np_random.integers(2, 6))
        return self._observation(), {}

    def step(self, action):
        self.left -= 1
        return self._observation(), 1.0, self.left == 0, False, {}

    def _observation(self):
        draw = self.np_random.integers(0, 3, self.observation_space.shape)
        return draw.astype(self.observation_space.dtype)


def maker(name, **parameters):
    return lambda inside=lambda env: env: wrapper_of(name)(
        inside(Short(space_for(name))), **{**NEEDED.get(name, {}), **parameters}
    )


def with_autoreset(env, steps):
    """What is seen when the environment begins its episodes itself."""
    seen = [env.reset(seed=5)[0]]
    for step in range(steps):
        seen.append(env.step(step % 2)[0])
    return seen


def with_resets(env, steps):
    """What is seen when the agent asks for each new episode, which takes a step under Autoreset, too."""
    seen, over = [env.reset(seed=5)[0]], False
    for step in range(steps):
        if over:
            (observation, _), over = env.reset(), False
        else:
            observation, _, terminated, truncated, _ = env.step(step % 2)
            over = terminated or truncated
        seen.append(observation)
    return seen


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_wrapper_begins_anew_when_the_environment_resets_itself(name):
    make = maker(name)
    assert same(with_autoreset(make(Autoreset), 40), with_resets(make(), 40))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_it_is_what_a_vector_environment_shows_that_resets_in_the_next_step(name):
    envs = vector_wrapper_of(name)(
        SyncVectorEnv([partial(Short, space_for(name))], autoreset_mode=AutoresetMode.NEXT_STEP), **NEEDED.get(name, {})
    )
    together = [envs.reset(seed=5)[0], *(envs.step(np.array([step % 2]))[0] for step in range(40))]
    alone = with_autoreset(maker(name)(Autoreset), 40)
    first = [{key: value[0] for key, value in seen.items()} if isinstance(seen, dict) else seen[0] for seen in together]
    assert same(first, alone)


class Counter(gym.Env):
    """Twelve sensors that always show 0, 1, ..., 11, in episodes of three steps."""

    observation_space = spaces.Box(0, 11, (12,), np.float32)
    action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 3
        return np.arange(12, dtype=np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.arange(12, dtype=np.float32), 0.0, False, self.left == 0, {}


@pytest.mark.parametrize("outside", [lambda env: env, lambda env: gym.wrappers.TimeLimit(env, 1000)])
def test_ten_episodes_have_ten_orders(outside):
    env = ShuffleSensors(outside(Autoreset(Counter())), resample="episode")
    seen = [env.reset(seed=0)[0], *(env.step(0)[0] for _ in range(39))]
    episodes = [seen[4 * k : 4 * k + 4] for k in range(10)]
    assert all(same(list(episode), [episode[0]] * 4) for episode in episodes)
    assert len({episode[0].tobytes() for episode in episodes}) == 10


def test_an_episode_that_began_inside_counts_like_one_that_was_asked_for():
    first = ShuffleSensors(Autoreset(Counter()))
    second = ShuffleSensors(Counter())
    for env in (first, second):
        env.reset(seed=2)
    for _ in range(4):
        began = first.step(0)[0]
    assert same(began, second.reset()[0])
    first.step(0)
    assert same(first.reset()[0], second.reset()[0])  # a reset in the middle begins the next one


def test_a_reset_right_after_the_end_begins_one_episode_only():
    one, other = ShuffleSensors(Autoreset(Counter())), ShuffleSensors(Counter())
    for env in (one, other):
        env.reset(seed=1)
        for _ in range(3):
            env.step(0)
    assert same(one.reset()[0], other.reset()[0])
    assert same(one.step(0)[0], other.step(0)[0])


def test_the_action_of_the_step_that_resets_is_not_shown():
    env = PreviousAction(Autoreset(Counter()))
    env.reset(seed=0)
    shown = [env.step(2)[0]["previous_action"].tolist() for _ in range(5)]
    assert shown == [[0, 0, 1]] * 3 + [[0, 0, 0]] + [[0, 0, 1]]
