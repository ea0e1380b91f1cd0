"""Torch modules as agents: they read a batch of observations and answer with logits or actions."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError, one_line
from symbench.policies.actions import action_head
from symbench.policies.agent import Agent
from symbench.policies.spaces import action_difference, described, form
from symbench.trees import batch_of_one

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


class ModuleAgent(Agent):
    """Plays a module that maps float32 observations, (B, ...), to what actions are chosen from.

    Of ``Discrete(n)`` these are (B, n) logits or Q values, of which the largest is taken; of ``MultiDiscrete`` the
    logits of all parts in a row; of ``MultiBinary`` logits, which are 1 above 0; of a ``Box`` the actions, (B, ...),
    which are clipped to its bounds. Whole numbers of the shape of discrete actions are these actions themselves.
    ``Dict`` observations are given as a dict of tensors. Frames are not scaled.

    Example:
        >>> agent = ModuleAgent(torch.nn.Linear(4, 2), "linear", spaces.Box(-1, 1, (4,)), spaces.Discrete(2))
        >>> agent.act(np.zeros((3, 4))).shape
        (3,)
    """

    def __init__(
        self,
        module: torch.nn.Module,
        name: str,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
    ) -> None:
        """Make the agent.

        Args:
            module: The network; it is put into evaluation mode.
            name: How tables call it.
            observation_space: The task's (single) space.
            action_space: The task's (single) space.

        Raises:
            SymbenchError: There is no way from a module's answers to actions of this space.
        """
        try:
            self._head = action_head(action_space)
        except ValueError as error:
            raise SymbenchError(f"agent {name!r}: a torch module cannot act in {described(action_space)}") from error
        self.name, self.module, self.action_space = name, module.eval(), action_space
        self._masks: NDArray[np.bool_] | None = None
        self.preprocessing = (f"a torch module: {_HOW[type(action_space)]}",)

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Nothing to forget: the module has no memory."""

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Nothing to forget."""

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Nothing to forget."""

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """Choose among these actions only."""
        self._masks = masks

    def act(self, observations: Any) -> NDArray[Any]:
        """Choose actions for a batch.

        Raises:
            SymbenchError: The module answers with something else than the class says.
        """
        masks = None if self._masks is None else torch.as_tensor(self._masks)
        found = self._found(observations)
        chosen = found if self._are_actions(found) else self._head.decode(self._answers(found, observations), masks)
        actions: NDArray[Any] = chosen.numpy()
        return actions.astype(self.action_space.dtype, copy=False)

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`: probabilities of discrete actions, the actions of a Box."""
        found = self._found(observations)
        if not isinstance(self.action_space, (spaces.Discrete, spaces.Box)) or self._are_actions(found):
            return None
        shown: NDArray[Any] = self._head.decisions(self._answers(found, observations)).numpy()
        return shown

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Try one observation of the space: a module that cannot read it raises an error."""
        if difference := action_difference(self.action_space, action_space):
            return f"{self.name} {difference}"
        space = copy.deepcopy(observation_space)
        space.seed(0)
        try:
            self.act(batch_of_one(space, space.sample()))
        except SymbenchError as error:
            return str(error)
        except Exception as error:  # whatever the module raises
            return f"{self.name} cannot read {form(space)}: {type(error).__name__}: {one_line(error)}"
        return None

    @torch.inference_mode()
    def _found(self, observations: Any) -> Any:
        """What the module answers."""
        found = self.module(_tensors(observations))
        return found.detach().cpu() if isinstance(found, torch.Tensor) else found

    def _are_actions(self, found: Any) -> bool:
        """Whether these are discrete actions themselves: one row of whole numbers less than logits would be."""
        if isinstance(self.action_space, spaces.Box) or not isinstance(found, torch.Tensor):
            return False
        return not found.is_floating_point() and found.shape[1:] == (self.action_space.shape or ())

    def _answers(self, found: Any, observations: Any) -> Tensor:
        """The same, float, in rows; of the shape that the action space asks for."""
        size = next(iter(observations.values())) if isinstance(observations, dict) else observations
        whole = isinstance(self.action_space, (spaces.Box, spaces.MultiBinary))
        expected = (len(size), *((self.action_space.shape or ()) if whole else (self._head.num_logits,)))
        shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        if shape != expected:
            raise SymbenchError(
                f"{self.name} answers with {shape}; {described(self.action_space)} takes a tensor of shape {expected}"
            )
        answers: Tensor = found.float().flatten(1)
        if not answers.isfinite().all():
            raise SymbenchError(f"{self.name} answers with NaN or infinity")
        return answers


_HOW: Final = {
    spaces.Discrete: "the largest of its logits is played",
    spaces.MultiDiscrete: "the largest logit of each part is played",
    spaces.MultiBinary: "logits above 0 are 1",
    spaces.Box: "its actions are clipped to the bounds",
}


def _tensors(observations: Any) -> Tensor | dict[str, Any]:
    if isinstance(observations, dict):
        return {key: _tensors(part) for key, part in observations.items()}
    return torch.as_tensor(np.asarray(observations, np.float32))
