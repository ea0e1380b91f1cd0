"""Environments that rest after their episode: the scalar episodes."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from symbench.envs.idle import IdleVectorEnv
from symbench.errors import SymbenchError
from symbench.wrappers import single, vector


class Fading(gym.Env):
    """A random picture that lasts as many steps as its seed's generator says, and counts what is done to it."""

    observation_space = gym.spaces.Box(0, 255, (12, 12, 1), np.uint8)
    action_space = gym.spaces.Discrete(4)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left, self.steps = int(self.np_random.integers(2, 9)), 0
        return self._picture(), {}

    def step(self, action):
        self.steps, self.left = self.steps + 1, self.left - 1
        return self._picture(), float(action), self.left == 0, False, {}

    def _picture(self):
        return self.np_random.integers(256, size=(12, 12, 1), dtype=np.uint8)


def batch(count: int) -> IdleVectorEnv:
    return IdleVectorEnv([Fading] * count)


def actions_of(steps: int, count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(4, size=(steps, count))


def test_an_ended_environment_rests_until_it_is_reset() -> None:
    envs = batch(3)
    envs.reset(seed=5)
    lengths = [env.left for env in envs.envs]
    ends = np.zeros(3, dtype=int)
    for actions in actions_of(12, 3):
        seen, rewards, terminated, truncated, _ = envs.step(actions)
        ends += terminated
        assert not truncated.any()
    assert ends.tolist() == [1, 1, 1]
    assert [env.steps for env in envs.envs] == lengths
    again, rewards, *_ = envs.step(np.full(3, 3))
    np.testing.assert_array_equal(again, seen)
    assert rewards.tolist() == [0, 0, 0]
    mask = np.array([False, True, False])
    after, _ = envs.reset(options={"reset_mask": mask})
    assert (after == seen).all(axis=(1, 2, 3)).tolist() == (~mask).tolist()
    assert envs.step(np.full(3, 3))[1].tolist() == [0, 3, 0]


def test_episodes_are_those_of_the_scalar_environments() -> None:
    envs, singles = batch(4), [Fading() for _ in range(4)]
    seen, _ = envs.reset(seed=7)
    expected = np.stack([env.reset(seed=7 + i)[0] for i, env in enumerate(singles)])
    playing = np.ones(4, dtype=bool)
    for actions in actions_of(10, 4):
        np.testing.assert_array_equal(seen, expected)
        assert seen.flags.c_contiguous
        seen, rewards, terminated, *_ = envs.step(actions)
        for i in np.flatnonzero(playing):
            expected[i], reward, playing[i], *_ = singles[i].step(actions[i])
            assert (rewards[i], terminated[i]) == (reward, playing[i])
            playing[i] = not playing[i]
    assert not playing.any()
    envs.close()


def test_observations_are_fresh_arrays() -> None:
    envs = batch(2)
    first, _ = envs.reset(seed=0)
    kept = first.copy()
    second, *_ = envs.step(np.zeros(2, int))
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)


@pytest.mark.parametrize("seed", [3, [3, 4, 5]])
def test_below_a_perturbation_it_equals_the_scalar_wrapper(seed) -> None:
    parameters = {"patch_size": 6, "resample": 2}
    envs = vector.ShufflePatches(batch(3), **parameters)
    singles = [single.ShufflePatches(Fading(), **parameters) for _ in range(3)]
    seen, _ = envs.reset(seed=seed)
    expected = np.stack([env.reset(seed=3 + i)[0] for i, env in enumerate(singles)])
    plain, _ = batch(3).reset(seed=3)
    assert not np.array_equal(seen, plain)
    playing = np.ones(3, dtype=bool)
    for actions in actions_of(10, 3):
        np.testing.assert_array_equal(seen[playing], expected[playing])
        seen, _, terminated, *_ = envs.step(actions)
        for i in np.flatnonzero(playing):
            expected[i] = singles[i].step(actions[i])[0]
        np.testing.assert_array_equal(seen[playing], expected[playing])
        playing &= ~terminated
        if not playing.any():
            break
    assert not playing.any()


def test_mistakes_are_refused() -> None:
    with pytest.raises(SymbenchError, match="at least one"):
        IdleVectorEnv([])
    with pytest.raises(SymbenchError, match="3 seeds for 2"):
        batch(2).reset(seed=[1, 2, 3])
    with pytest.raises(SymbenchError, match=r"reset_mask must be \(2,\) bool"):
        batch(2).reset(options={"reset_mask": np.ones(3, dtype=bool)})
    with pytest.raises(SymbenchError, match="must be arrays"):
        IdleVectorEnv([lambda: gym.make("FrozenLake-v1")])
