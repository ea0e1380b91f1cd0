# mypy: ignore-errors
"""Wrappers that tests put beside a model as a module of its own."""

import gymnasium as gym
import numpy as np


class Smooth(gym.Wrapper):
    """Actions depend on earlier actions and on what was seen last; observations on actions."""

    def __init__(self, env, share=0.5):
        super().__init__(env)
        self.share = share

    def reset(self, *, seed=None, options=None):
        self.last = np.zeros(self.action_space.shape, np.float32)
        self.seen, info = self.env.reset(seed=seed)
        return self.seen, info

    def step(self, action):
        self.last = self.share * self.last + (1 - self.share) * action * np.float32(1 - 0.1 * abs(self.seen[0]))
        self.seen, *rest = self.env.step(self.last)
        return self.seen * (1 + 0.1 * self.last[0]), *rest


class Noisy(gym.Wrapper):
    """Draws from its environment's generator."""

    def step(self, action):
        action = np.clip(action + self.np_random.normal(size=action.shape), -2, 2).astype(np.float32)
        self.noisy = action
        seen, *rest = self.env.step(action)
        return seen + self.noisy, *rest


class Unseeded(gym.ActionWrapper):
    def action(self, action):
        return action + np.random.normal()  # noqa: NPY002


class Paid(gym.Wrapper):
    def step(self, action):
        seen, reward, *rest = self.env.step(action)
        return seen + np.float32(reward), reward, *rest


class Twice(gym.Wrapper):
    def step(self, action):
        self.env.step(action)
        return self.env.step(action)


class Broken(gym.Wrapper):
    def __init__(self, env):
        raise RuntimeError("not today")
