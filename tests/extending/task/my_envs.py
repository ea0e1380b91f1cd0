"""An environment of one's own, as docs/tasks.md shows it: walk to the goal, which is left or right."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class Walk(gym.Env[np.ndarray, int]):
    """Observation: place, place of the goal, distance between the two; action: 0 left, 1 right."""

    def __init__(self, size: int = 5, render_mode: str | None = None) -> None:
        self.size, self.render_mode = size, render_mode
        self.observation_space = gym.spaces.Box(-2 * size, 2 * size, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(2)  # type: ignore[assignment]  # of numpy integers

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.place, self.goal = 0, int(self.np_random.choice([-self.size, self.size]))
        return self._observe(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place += 1 if action else -1
        return self._observe(), float(self.place == self.goal), abs(self.place) == self.size, False, {}

    def _observe(self) -> np.ndarray:
        return np.array([self.place, self.goal, self.goal - self.place], np.float32)


class Moody(Walk):
    """Fails at its third step."""

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if abs(self.place) == 2:
            raise RuntimeError("not today")
        return super().step(action)


gym.register("Walk-v0", Walk, max_episode_steps=100)
gym.register("Moody-v0", Moody, max_episode_steps=100)
