"""Functions, and objects with ``act(observation)``, as agents."""

from __future__ import annotations

import copy
import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from symbench.errors import SymbenchError, one_line
from symbench.policies.agent import Agent
from symbench.policies.spaces import action_difference, form
from symbench.trees import batch_of_one, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium.spaces import Space
    from numpy.typing import NDArray


class CallableAgent(Agent):
    """Plays ``act(observation) -> action`` of an object, or a function, on one observation or on a batch.

    The object may have:

    * ``batched = True``: it is given all observations at once, (B, ...), and answers with (B, ...) actions. Otherwise
      it is called once for each environment.
    * ``reset()`` or ``reset(seed=...)``: it has a memory, which begins again with each episode. Each environment then
      plays with a copy of its own, in which attributes that cannot be copied are shared; ``seed`` is different for each
      episode and the same in every run. One that is batched gets ``reset(num_envs=...)`` if it takes that, and must
      forget environments whose episodes have ended in ``keep(mask)``, mask (B,) bool.

    Where an environment masks actions, ``act(observation, action_mask=...)`` gets the mask, (n,) bool, if it takes one.

    Example:
        >>> from gymnasium.spaces import Box, Discrete
        >>> agent = CallableAgent(lambda pole: int(pole[2] > 0), "lean", Box(-1, 1, (4,)), Discrete(2))
        >>> agent.reset(3)
        >>> agent.act(np.array([[0, 0, 0.1, 0], [0, 0, -0.1, 0], [0, 0, 0, 0]]))
        array([1, 0, 0])
    """

    def __init__(self, player: Any, name: str, observation_space: Space[Any], action_space: Space[Any]) -> None:
        """Make the agent.

        Args:
            player: The object or function.
            name: How tables call it.
            observation_space: The task's (single) space; one observation of it is tried by :meth:`incompatibility`.
            action_space: The task's (single) space.

        Raises:
            SymbenchError: It has no ``act`` and cannot be called, or it is batched and has ``reset`` but no ``keep``.
        """
        if not callable(getattr(player, "act", player)):
            raise SymbenchError(f"agent {name!r}: {type(player).__name__} has no method act(observation)")
        self.name, self.action_space = name, action_space
        self.batched = bool(getattr(player, "batched", False))
        self.has_memory = callable(getattr(player, "reset", None))
        if self.batched and self.has_memory and not callable(getattr(player, "keep", None)):
            raise SymbenchError(
                f"agent {name!r} is batched and has a memory (reset): it needs keep(mask), too, which forgets the "
                "environments whose episodes have ended"
            )
        self.preprocessing = ("the agent's own code",)
        self._player, self._observations = player, observation_space
        self._copies: list[Any] = []
        self._masks: NDArray[np.bool_] | None = None
        self._takes_masks = _takes(_act(player), "action_mask")
        self.reset()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin new episodes, with one copy of an object that has a memory for each environment."""
        self._seeds, self._begun = [seed + i for i in range(num_envs)], 0
        if not self.has_memory:
            self._copies = [self._player] * num_envs
        elif self.batched:
            self._copies = [self._copy()]
            _call(self._copies[0].reset, seed=_derived(seed, 0), num_envs=num_envs)
        else:
            self._copies = [self._copy() for _ in range(num_envs)]
            self.restart(np.ones(num_envs, bool))

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Begin a new episode where ``mask`` is true.

        Raises:
            SymbenchError: The object is batched and has a memory, of which no part can begin again.
        """
        if not self.has_memory or not mask.any():
            return
        if self.batched:
            raise SymbenchError(f"agent {self.name!r} is batched and has a memory: no part of it can begin again")
        self._begun += 1
        for i in np.flatnonzero(mask).tolist():
            _call(self._copies[i].reset, seed=_derived(self._seeds[i], self._begun))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with some of the environments."""
        if self.batched and self.has_memory:
            self._copies[0].keep(mask)
        elif not self.batched:
            kept = np.flatnonzero(mask).tolist()
            self._copies, self._seeds = [self._copies[i] for i in kept], [self._seeds[i] for i in kept]

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """Give these masks to an object that takes them."""
        self._masks = masks if self._takes_masks else None

    def act(self, observations: Any) -> Any:
        """The answers, one for each environment; whether they are actions is checked by who plays."""
        if self.batched:
            return _act(self._copies[0])(observations, **({} if self._masks is None else {"action_mask": self._masks}))
        answers = []
        for i, player in enumerate(self._copies):
            mask = {} if self._masks is None else {"action_mask": self._masks[i]}
            answers.append(_array(_act(player)(row(self._observations, observations, i), **mask)))
        return np.array(answers)

    def incompatibility(self, observation_space: Space[Any], action_space: Space[Any]) -> str | None:
        """Try one observation of the space on a copy: what cannot read it raises an error."""
        if difference := action_difference(self.action_space, action_space):
            return f"{self.name} {difference}"
        trial = CallableAgent(self._copy(), self.name, observation_space, action_space)
        space = copy.deepcopy(observation_space)
        space.seed(0)
        try:
            trial.act(batch_of_one(space, space.sample()))
        except Exception as error:  # whatever the object raises
            return f"{self.name} cannot act on {form(space)}: {type(error).__name__}: {one_line(error)}"
        return None

    def _copy(self) -> Any:
        """A copy of the object with a memory of its own; itself if it has none and cannot be copied."""
        try:
            return _copy(self._player)
        except Exception as error:  # whatever its parts raise
            if not self.has_memory:
                return self._player
            raise SymbenchError(
                f"agent {self.name!r} has a memory (reset), so each environment plays with a copy of it, and it "
                f"cannot be copied: {type(error).__name__}: {one_line(error)}"
            ) from error


def _act(player: Any) -> Callable[[Any], Any]:
    act: Callable[[Any], Any] = getattr(player, "act", player)
    return act


def _copy(player: Any) -> Any:
    """A copy with a memory of its own; weights, which play does not change, and what cannot be copied are shared."""
    parts = [player, *vars(player).values()] if hasattr(player, "__dict__") else [player]
    shared = {id(weight): weight for part in parts if isinstance(part, nn.Module) for weight in part.parameters()}
    try:
        return copy.deepcopy(player, dict(shared))
    except Exception:  # a lock, or a model that was just trained, whose tensors have a graph
        if len(parts) == 1:
            raise
    twin = copy.copy(player)
    for name, value in vars(player).items():
        with suppress(Exception):
            setattr(twin, name, copy.deepcopy(value, dict(shared)))
    return twin


def _call(reset: Callable[..., Any], **offered: int) -> None:
    """Call ``reset`` with those of the arguments that it takes."""
    reset(**{name: value for name, value in offered.items() if _takes(reset, name)})


def _takes(function: Callable[..., Any], argument: str) -> bool:
    """Whether a function takes this keyword; those that do not say, as some written in C, take none."""
    try:
        taken = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return argument in taken or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())


def _derived(seed: int, episode: int) -> int:
    """A seed for the agent that has nothing in common with that of its environment."""
    return int(np.random.SeedSequence(seed, spawn_key=(episode,)).generate_state(1)[0])


def _array(answer: Any) -> Any:
    return answer.detach().cpu().numpy() if hasattr(answer, "detach") else np.asarray(answer)
