"""The batch of environments a recipe trains on: the task, its training perturbations, and the true state beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium.vector import AutoresetMode, VectorWrapper

from symbench.envs.tasks import get_task
from symbench.errors import SymbenchError
from symbench.wrappers import vector_wrapper_of

if TYPE_CHECKING:
    import gymnasium as gym
    import numpy as np

    from symbench.training.recipe import Recipe


class KeepState(VectorWrapper):
    """Keeps the last observation that no perturbation has touched: what a teacher or a privileged critic sees.

    Attributes:
        state: Shape (B, N), of the episode that is being played (after an automatic reset: of the new one).
        final: The last observations of the episodes that ended in this step, (B,) objects; ``None`` if none ended.
    """

    state: np.ndarray
    final: np.ndarray | None = None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset and keep the first observation."""
        self.state, infos = self.env.reset(**kwargs)
        return self.state, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step and keep the observation."""
        self.state, rewards, terminated, truncated, infos = self.env.step(actions)
        self.final = infos.get("final_obs")
        return self.state, rewards, terminated, truncated, infos


def make_world(recipe: Recipe, num_envs: int) -> tuple[gym.vector.VectorEnv[Any, Any, Any], KeepState]:
    """The recipe's environments, perturbed, and the wrapper that keeps their true state.

    Raises:
        SymbenchError: The task or a wrapper is unknown, or a wrapper cannot be used in this task.
    """
    kept = KeepState(get_task(recipe.task).make_vec(num_envs, AutoresetMode.SAME_STEP))
    envs: gym.vector.VectorEnv[Any, Any, Any] = kept
    for step in recipe.perturbations:
        wrapper = vector_wrapper_of(step.wrapper)
        try:
            envs = wrapper(envs, **step.parameters)
        except (TypeError, ValueError) as error:
            envs.close()
            raise SymbenchError(f"{step} cannot be applied to {recipe.task}: {error}") from error
    return envs, kept
