"""Whether a vector environment plays, seed for seed, the episodes of the scalar one."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.trees import map_tree, row


def assert_same_episodes(env_id: str, seed: int, mode: AutoresetMode, steps: int, **kwargs: Any) -> None:
    """Compare observations, bit for bit, and rewards over some steps of three environments."""
    envs = gym.make_vec(env_id, 3, autoreset_mode=mode, **kwargs)
    space = envs.single_observation_space
    envs.action_space.seed(seed)
    actions = [envs.action_space.sample() for _ in range(steps)]
    shown = [(envs.reset(seed=seed)[0], np.zeros(3)), *(envs.step(action)[:2] for action in actions)]
    for i in range(3):
        expected = _scalar(env_id, seed + i, [action[i] for action in actions], mode, kwargs)
        for (batch, rewards), (single, reward) in zip(shown, expected, strict=True):
            map_tree(np.testing.assert_array_equal, row(space, batch, i), single)
            np.testing.assert_allclose(rewards[i], reward, rtol=0, atol=1e-12)


def _scalar(env_id: str, seed: int, actions: list[Any], mode: AutoresetMode, kwargs: dict[str, Any]) -> list[Any]:
    env = gym.make(env_id, disable_env_checker=True, **kwargs)
    rows, ended = [(env.reset(seed=seed)[0], 0.0)], False
    for action in actions:
        if ended and mode == AutoresetMode.NEXT_STEP:
            rows.append((env.reset()[0], 0.0))
            ended = False
            continue
        seen, reward, terminated, truncated, _ = env.step(action)
        ended = terminated or truncated
        rows.append((env.reset()[0] if ended and mode == AutoresetMode.SAME_STEP else seen, float(reward)))
    return rows
