"""Atari Breakout as agents of single frames see it; the game below Gymnasium's own preprocessing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.error import DependencyNotInstalled

if TYPE_CHECKING:
    import numpy as np

MAX_STEPS = 27_000  # of an episode: 108,000 frames


def make_breakout(render_mode: str | None = None) -> gym.Env[np.ndarray, Any]:
    """Breakout to the last of 5 lives: ``ALE/Breakout-v5`` without sticky actions below ``AtariPreprocessing``.

    Observation: (84, 84, 1) grey, uint8. Action: 0 nothing, 1 fire (serves the ball), 2 right, 3 left, held for 4
    frames. Reward: 1, 4 or 7 for a brick.

    Args:
        render_mode: ``None`` or ``"rgb_array"``.

    Raises:
        DependencyNotInstalled: ale-py or OpenCV is missing.
    """
    for package in ("ale_py", "cv2"):
        try:
            import_module(package)
        except ImportError as error:
            raise DependencyNotInstalled(f"Breakout needs {error.name}: pip install 'symbench[atari]'") from error
    game = gym.make(
        "ALE/Breakout-v5",
        frameskip=1,
        repeat_action_probability=0.0,
        max_episode_steps=4 * MAX_STEPS,
        render_mode=render_mode,
        disable_env_checker=True,
    )
    return gym.wrappers.AtariPreprocessing(game, grayscale_newaxis=True)
