"""Recipes and networks from a declared symmetry: what the catalogue and the environment's spaces say is not said again.

* :func:`recipe_of` - a whole recipe from nothing but an environment's id
* :func:`spelled_out` - a recipe's ``[network]`` table with ``symmetry = "ID"``
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.equivariant import fitting_convolutions, symmetry_data
from symbench.policies.spaces import form
from symbench.symmetry import CATALOGUE, symmetry_of
from symbench.tasks import TASKS, get_task

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def spelled_out(network: Mapping[str, Any], task: str) -> dict[str, Any]:
    """A network's parameters with those that its symmetry and its task imply; what is given stays as it is.

    Args:
        network: With the key ``symmetry``: an id of the catalogue, or plain data
            (:mod:`symbench.policies.equivariant.symmetries`).
        task: Name of a task, or an environment's id.

    Raises:
        SymbenchError: The symmetry is unknown, or no network can have it; the task cannot be made.
    """
    given = dict(network)
    data = symmetry_data(given.pop("symmetry"))
    with closing(get_task(task).make()) as env:
        seen, actions = env.observation_space, env.action_space
    if "moves" in data["observation"]:
        return {"kind": "equivariant-cnn", **data, **_frames(seen), **_actions(actions), **given}
    return {"kind": "equivariant-mlp", **data, **_actions(actions), **given}


def _actions(space: spaces.Space[Any]) -> dict[str, Any]:
    if isinstance(space, spaces.Discrete):
        return {"action_dim": int(space.n), "output": "discrete"}
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        bounds = {"low": space.low.tolist(), "high": space.high.tolist()}
        return {"action_dim": space.shape[0], "output": "clip", **bounds}
    raise SymbenchError(f"networks have Discrete actions or vectors, the task has {form(space)}")


def _frames(space: spaces.Space[Any]) -> dict[str, Any]:
    size, _, channels = space.shape or ()
    return {"size": size, "channels": channels, "conv": fitting_convolutions(size), "hidden": [64]}
