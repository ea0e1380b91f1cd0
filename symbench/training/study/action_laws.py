"""How actions are drawn from what a network of a study says, and how likely they were.

* :class:`Choices` - of one agent, or one of each agent of a team
* :class:`Forces` - normal numbers, whose means and deviations the network says

S is the number of runs, N that of observations of each.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

_NORMAL_ENTROPY: Final = 0.5 * math.log(2 * math.pi * math.e)


class ActionLaw(ABC):
    """A law of actions.

    Attributes:
        shape: Of one action; the actions of a team are one.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Take the shape of one action."""
        self.shape = shape

    @abstractmethod
    def noise(self, generator: np.random.Generator, *size: int) -> NDArray[np.float64]:
        """Random numbers of which actions are made, (*size, *shape)."""

    @abstractmethod
    def draw(self, scores: Tensor, noise: NDArray[np.float64]) -> NDArray[Any]:
        """Actions (S, N, *shape) from scores (S, N, L) and noise (S, N, *shape)."""

    @abstractmethod
    def log_probability(self, scores: Tensor, actions: Tensor) -> Tensor:
        """Of actions (S, N, *shape), (S, N): of a team's the sum over its agents."""

    @abstractmethod
    def entropy(self, scores: Tensor) -> Tensor:
        """(S, N)."""


class Choices(ActionLaw):
    """Of A actions each: scores are unnormalised logarithms of probabilities."""

    def noise(self, generator: np.random.Generator, *size: int) -> NDArray[np.float64]:
        """See :meth:`ActionLaw.noise`."""
        return generator.random((*size, *self.shape))

    def draw(self, scores: Tensor, noise: NDArray[np.float64]) -> NDArray[np.int64]:
        """See :meth:`ActionLaw.draw`."""
        return sample(self._all(scores), noise)

    def log_probability(self, scores: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionLaw.log_probability`."""
        chosen = self._all(scores).gather(-1, actions[..., None])[..., 0]
        return chosen.sum(dim=-1) if self.shape else chosen

    def entropy(self, scores: Tensor) -> Tensor:
        """See :meth:`ActionLaw.entropy`: of a team the mean over its agents, as published."""
        logs = self._all(scores)
        entropy = -(logs.exp() * logs).sum(dim=-1)
        return entropy.mean(dim=-1) if self.shape else entropy

    def _all(self, scores: Tensor) -> Tensor:
        """Of all actions of each agent: (S, N, L) -> (S, N, *shape, A)."""
        return torch.log_softmax(scores.reshape(*scores.shape[:-1], *self.shape, -1), dim=-1)


class Forces(ActionLaw):
    """Normal numbers: scores are their means, then the logarithms of their deviations.

    Drawn actions are not cut to the bounds of their space: environments limit forces themselves.
    """

    def noise(self, generator: np.random.Generator, *size: int) -> NDArray[np.float64]:
        """See :meth:`ActionLaw.noise`."""
        return generator.standard_normal((*size, *self.shape))

    def draw(self, scores: Tensor, noise: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
        """See :meth:`ActionLaw.draw`."""
        means, logs = scores.chunk(2, dim=-1)
        drawn = means + logs.exp() * torch.from_numpy(noise).to(means).reshape(means.shape)
        actions: NDArray[np.floating[Any]] = drawn.reshape(noise.shape).numpy()
        return actions

    def log_probability(self, scores: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionLaw.log_probability`."""
        means, logs = scores.chunk(2, dim=-1)
        units = (actions.reshape(means.shape) - means) / logs.exp()
        return (-0.5 * units.square() - logs - 0.5 * math.log(2 * math.pi)).sum(dim=-1)

    def entropy(self, scores: Tensor) -> Tensor:
        """See :meth:`ActionLaw.entropy`."""
        return (scores.chunk(2, dim=-1)[1] + _NORMAL_ENTROPY).sum(dim=-1)


def law_of(space: spaces.Space[Any]) -> ActionLaw:
    """The law of the actions of a (single) space.

    Raises:
        SymbenchError: There is none.
    """
    laws: dict[type, Callable[[tuple[int, ...]], ActionLaw]] = {spaces.Box: Forces}
    laws |= dict.fromkeys((spaces.Discrete, spaces.MultiDiscrete), Choices)
    if type(space) not in laws:
        raise SymbenchError(f"studies know Discrete, MultiDiscrete and Box actions, received {form(space)}")
    return laws[type(space)](tuple(space.shape or ()))


def sample(log_probabilities: Tensor, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Actions (...), int64, drawn by uniform numbers (...) from log probabilities (..., A)."""
    levels = np.cumsum(np.exp(log_probabilities.numpy().astype(np.float64)), axis=-1)[..., :-1]
    actions: NDArray[np.int64] = (uniform[..., None] >= levels).sum(axis=-1)
    return actions


def stacked_noise(law: ActionLaw, generators: Sequence[np.random.Generator], *size: int) -> NDArray[np.float64]:
    """Noise of S runs, each from its own generator, (S, *size, *shape)."""
    return np.stack([law.noise(generator, *size) for generator in generators])
