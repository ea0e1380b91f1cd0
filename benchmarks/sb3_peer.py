"""Stable-Baselines3's own evaluation, as the peer that evaluation here is measured against."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm


class CountSteps(VecEnvWrapper):
    """Counts every step that is made, also those of episodes that ``evaluate_policy`` does not count."""

    steps = 0

    def reset(self) -> Any:
        return self.venv.reset()

    def step_wait(self) -> Any:
        self.steps += self.num_envs
        return self.venv.step_wait()


def sb3_steps_per_second(model: BaseAlgorithm, envs: VecEnv, episodes: int) -> float:
    counted = CountSteps(envs)
    start = time.perf_counter()
    evaluate_policy(model, counted, n_eval_episodes=episodes)
    return counted.steps / (time.perf_counter() - start)
