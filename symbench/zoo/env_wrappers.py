"""The Gymnasium wrappers of a training, which rl_zoo3's ``config.yml`` names: read, imported, put into the agent."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym

from symbench import own_code
from symbench.errors import SymbenchError
from symbench.zoo.rl_zoo3 import trained_in, training_config, wrappers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.policies.gym_wrapped import GymWrapped

    Named = tuple[str, dict[str, Any]]

# Modules that public agents name, and what brings them. What else a module may be called, no index is asked.
_BROUGHT_BY: Final = {
    "rl_zoo3": "pip install rl_zoo3",
    "sb3_contrib": "pip install 'symbench[sb3]'",
    "stable_baselines3": "pip install 'symbench[sb3]'",
    "minigrid": "pip install minigrid",
}


def described(named: Sequence[Named]) -> list[str]:
    """Wrappers in words, e.g. ``["my_wrappers.Clip(low=0)"]``; what determines them, but for their code."""
    return [f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})" for name, given in named]


def env_wrappers(model: Path) -> list[Named]:
    """The wrappers inside which ``MODEL.zip`` was trained, with their keyword arguments, from the innermost outwards.

    Raises:
        SymbenchError: Its ``config.yml`` cannot be read.
    """
    return wrappers(training_config(model))


def gym_wrapped(named: Sequence[Named], spec: str, model: Path) -> GymWrapped:
    """Import wrappers. This executes their code: whoever asks for it trusts the model.

    Args:
        named: From :func:`env_wrappers`.
        spec: The agent, for messages.
        model: Its zip file; modules beside it are found.

    Raises:
        SymbenchError: There is no such module or class.
    """
    from symbench.policies.gym_wrapped import GymWrapped

    own_code.make_importable(model.parent.absolute())
    made = [(_imported(name, spec), given) for name, given in named]
    env_id = trained_in(model)
    return GymWrapped(
        lambda env: reduce(lambda inner, each: each[0](inner, **each[1]), made, env),
        ", ".join(described(named)),
        gym.spec(env_id) if env_id else None,
    )


def refuse_vector_wrappers(model: Path, spec: str) -> None:
    """Refuse a model that was trained inside wrappers of vector environments.

    Raises:
        SymbenchError: It was.
    """
    if named := wrappers(training_config(model), "vec_env_wrapper"):
        raise SymbenchError(
            f"{spec} was trained in wrappers of vector environments, which are not applied here "
            f"({', '.join(name for name, _ in named)}, says its config.yml); {remedy(spec)}"
        )


def remedy(spec: str) -> str:
    """How a model plays without its wrappers."""
    return f"if it needs none of its wrappers: {spec},wrappers=none"


def _imported(name: str, spec: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return own_code.load_named(f"{module}:{attribute}", trust=True)
    except SymbenchError as error:
        install = _BROUGHT_BY.get(module.partition(".")[0])
        hint = f"{install}; " if install and "there is no module" in str(error) else ""
        raise SymbenchError(f"{spec} was trained in {name}: {error}; {hint}{remedy(spec)}") from error
