"""A whole recipe from nothing but the id of an environment whose symmetry is declared."""

from __future__ import annotations

from typing import Any, Final

from symbench.errors import SymbenchError
from symbench.symmetry import CATALOGUE, symmetry_of
from symbench.tasks import TASKS, get_task

# As the bundled recipes of small tasks have it.
PPO: Final = {
    "name": "ppo",
    "steps": 200_000,
    "num_envs": 16,
    "n_steps": 256,
    "batch_size": 256,
    "n_epochs": 10,
    "gamma": 0.99,
    "gae_lambda": 0.95,
}


def is_declared(env_id: str) -> bool:
    """Whether the catalogue has a symmetry of this environment, or of the task of this name."""
    return env_id in CATALOGUE or (env_id in TASKS and TASKS[env_id].env_id in CATALOGUE)


def recipe_of(env_id: str) -> dict[str, Any]:
    """The data of a recipe: an equivariant network, trained by PPO, for an environment of the catalogue.

    Args:
        env_id: Gymnasium id, or the name of a task.

    Raises:
        SymbenchError: The catalogue has no such environment, or what is declared there is a negative control.

    Example:
        >>> recipe_of("Pendulum-v1")["network"]
        {'symmetry': 'Pendulum-v1'}
    """
    pair = symmetry_of(env_id)
    if pair.status == "none":
        raise SymbenchError(f"{env_id} has no symmetry to train with: {pair.name!r} is declared not to hold")
    return {
        "name": env_id.rsplit("/", 1)[-1],
        "description": f"equivariant to {pair.name}, the declared symmetry of {env_id}, by PPO",
        "agent": "equivariant",
        "task": get_task(env_id).name,
        "network": {"symmetry": env_id},
        "algorithm": dict(PPO),
    }
