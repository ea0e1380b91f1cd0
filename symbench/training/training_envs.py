"""The batch of environments a recipe trains on: the task, its training perturbations, and the true state beside.

The state is what a teacher sees: the unperturbed observation, or, where a controller teaches, the simulator itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, VectorWrapper

from symbench.errors import SymbenchError
from symbench.tasks import get_task
from symbench.wrappers import vector_wrapper_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from symbench.suites.suite import Apply
    from symbench.training.controllers import Controller, MakeController
    from symbench.training.recipe import Recipe


class Advised(gym.Wrapper[Any, Any, Any, Any]):
    """Asks a controller at every step what it would do next; the answer is in ``info["advice"]``."""

    def __init__(self, env: gym.Env[Any, Any], controller: Controller) -> None:
        """Ask ``controller``, which reads the simulator's state, about ``env``."""
        super().__init__(env)
        self.controller = controller

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, and ask about the first step."""
        observation, info = self.env.reset(**kwargs)
        self.controller.reset()
        return observation, {**info, "advice": self.controller(self.env)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and ask about the next."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, {**info, "advice": self.controller(self.env)}


class KeepState(VectorWrapper):
    """Keeps the last observation that no perturbation has touched: what a teacher or a privileged critic sees.

    Attributes:
        state: Shape (B, ...), of the episode that is being played (after an automatic reset: of the new one).
        advice: What a controller answers in that state, (B,) or (B, A), where the environments are :class:`Advised`.
        final: The last observations of the episodes that ended in this step, (B,) objects; ``None`` if none ended.
    """

    state: np.ndarray
    advice: np.ndarray | None = None
    final: np.ndarray | None = None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset and keep the first observation."""
        self.state, infos = self.env.reset(**kwargs)
        self.advice = infos.get("advice")
        return self.state, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step and keep the observation."""
        self.state, rewards, terminated, truncated, infos = self.env.step(actions)
        self.final, self.advice = infos.get("final_obs"), infos.get("advice")
        return self.state, rewards, terminated, truncated, infos


def make_training_envs(
    recipe: Recipe, num_envs: int, controller: MakeController | None = None
) -> tuple[gym.vector.VectorEnv[Any, Any, Any], KeepState]:
    """The recipe's environments, perturbed, and the wrapper that keeps their true state.

    Args:
        recipe: Says the task and its perturbations.
        num_envs: Size of the batch.
        controller: Makes what gives advice in every state of an environment, if there is one.

    Raises:
        SymbenchError: The task or a wrapper is unknown, or a wrapper cannot be used in this task.
    """
    wrap = None if controller is None else lambda env: Advised(env, controller())
    kept = KeepState(get_task(recipe.task).make_vec(num_envs, AutoresetMode.SAME_STEP, wrap))
    return perturbed(kept, recipe.perturbations, recipe.task), kept


def perturbed(
    envs: gym.vector.VectorEnv[Any, Any, Any], perturbations: Sequence[Apply], task: str
) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Environments of a task in wrappers, the first of them innermost.

    Raises:
        SymbenchError: A wrapper is unknown, or cannot be used in this task.
    """
    for step in perturbations:
        wrapper = vector_wrapper_of(step.wrapper)
        try:
            envs = wrapper(envs, **step.parameters)
        except (TypeError, ValueError) as error:
            envs.close()
            raise SymbenchError(f"{step} cannot be applied to {task}: {error}") from error
    return envs
