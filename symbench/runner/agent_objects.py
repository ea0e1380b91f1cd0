"""Objects of Python as agents: models, policies, torch modules, functions, and all that has ``act(observation)``."""

from __future__ import annotations

import copy
import hashlib
import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, one_line

if TYPE_CHECKING:
    from gymnasium.spaces import Space
    from torch import nn

    from symbench.policies.agent import Agent


@dataclass(frozen=True, eq=False)
class Held:
    """An object that plays in this process; two are the same if they are one.

    Attributes:
        thing: The object.
    """

    thing: Any

    def digest(self) -> str:
        """SHA-256 over the weights of networks and models; of other objects nothing is known: each is another one."""
        module = _module_of(self.thing)
        if module is None:
            return hashlib.sha256(uuid.uuid4().bytes).hexdigest()
        digest = hashlib.sha256(f"{type(self.thing).__qualname__} {module!r}".encode())
        for name, weights in module.state_dict().items():
            digest.update(name.encode() + weights.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


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
    if _is_sb3_model(thing):
        from symbench.zoo.sb3_zip import agent_of_model

        return agent_of_model(thing, name)
    if isinstance(thing, PolicyNetwork):
        return NetworkAgent(copy.deepcopy(thing), name)
    if isinstance(thing, nn.Module) and not callable(getattr(thing, "act", None)):
        return ModuleAgent(copy.deepcopy(thing), name, observation_space, action_space)
    return CallableAgent(thing, name, observation_space, action_space)


def _instance(thing: Any, name: str) -> Any:
    if not isinstance(thing, type):
        return thing
    try:
        return thing()
    except Exception as error:  # whatever the class raises
        raise SymbenchError(
            f"agent {name!r}: {thing.__name__}(), without arguments, fails: {type(error).__name__}: {one_line(error)}"
        ) from error


def _is_sb3_model(thing: Any) -> bool:
    loaded = sys.modules.get("stable_baselines3.common.base_class")  # no model can be of what is not loaded
    return loaded is not None and isinstance(thing, loaded.BaseAlgorithm)


def _module_of(thing: Any) -> nn.Module | None:
    """The torch module that determines what an object does, if one does."""
    from torch import nn

    from symbench.policies import NetworkAgent

    thing = thing.network if isinstance(thing, NetworkAgent) else thing
    return thing if isinstance(thing, nn.Module) and not callable(getattr(thing, "act", None)) else None
