"""Objects of Python as agents: models, policies, torch modules, functions, and all that has ``act(observation)``."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from symbench.errors import SymbenchError, one_line
from symbench.runner.agent_digests import is_sb3_model

if TYPE_CHECKING:
    from gymnasium.spaces import Space
    from torch import nn

    from symbench.policies.agent import Agent

Module = TypeVar("Module", bound="nn.Module")


@dataclass(frozen=True, eq=False)
class Held:
    """An object that plays in this process; two are the same if they are one.

    Attributes:
        thing: The object.
    """

    thing: Any


def agent_of(thing: Any, name: str, observation_space: Space[Any], action_space: Space[Any]) -> Agent:
    """Make an agent of an object; classes are called without arguments first.

    Args:
        thing: An agent, a network of symbench, a model of Stable-Baselines3, a torch module, a function, or any object
            with ``act(observation)``. It is not changed.
        name: How tables call it.
        observation_space: The task's (single) space.
        action_space: The task's (single) space.

    Raises:
        SymbenchError: It is none of these, or a class that cannot be called without arguments.
    """
    from torch import nn

    from symbench.policies import Agent, NetworkAgent, PolicyNetwork
    from symbench.policies.callable_agent import CallableAgent
    from symbench.policies.module_agent import ModuleAgent

    thing = _instance(thing, name)
    if isinstance(thing, Agent):
        return copy.copy(thing)
    if is_sb3_model(thing):
        from symbench.zoo.sb3_zip import agent_of_model

        return agent_of_model(thing, name)
    if isinstance(thing, PolicyNetwork):
        return NetworkAgent(_copied(thing, name), name)
    if isinstance(thing, nn.Module) and not callable(getattr(thing, "act", None)):
        return ModuleAgent(_copied(thing, name), name, observation_space, action_space)
    return CallableAgent(thing, name, observation_space, action_space)


def _copied(module: Module, name: str) -> Module:
    """A copy on the processor. Activations that it keeps lose their graph, which torch cannot copy."""
    kept = [value for part in module.modules() for value in vars(part).values() if getattr(value, "grad_fn", None)]
    try:
        return copy.deepcopy(module, {id(value): value.detach().clone() for value in kept}).cpu()
    except Exception as error:  # whatever its parts raise
        raise SymbenchError(f"agent {name!r} cannot be copied: {type(error).__name__}: {one_line(error)}") from error


def _instance(thing: Any, name: str) -> Any:
    if not isinstance(thing, type):
        return thing
    try:
        return thing()
    except Exception as error:  # whatever the class raises
        raise SymbenchError(
            f"agent {name!r}: {thing.__name__}(), without arguments, fails: {type(error).__name__}: {one_line(error)}"
        ) from error
