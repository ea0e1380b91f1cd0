"""What an episode can be at most: its length and its return. Facts of an environment, not of an agent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-3  # what sums of float32 rewards over an episode may be off


@dataclass(frozen=True)
class Limits:
    """Limits of one episode: a submission with a number outside cannot have been measured.

    Attributes:
        steps: Longest episode.
        rewards: Least and largest reward of a step, where the environment bounds it.
        returns: Least and largest return of an episode, where it is bounded otherwise.
        least: Shortest episode.
        cut_from: Shortest episode that the time limit ends, if that is not exactly ``steps``.
    """

    steps: int
    rewards: tuple[float, float] = (-math.inf, math.inf)
    returns: tuple[float, float] = (-math.inf, math.inf)
    least: int = 1
    cut_from: int | None = None

    def can_be_cut(self, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the time limit can have ended episodes, (E,): no other thing ends one that did not end by itself."""
        shortest: NDArray[np.bool_] = lengths >= (self.steps if self.cut_from is None else self.cut_from)
        return shortest

    def range_of(self, lengths: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and largest return of episodes.

        Args:
            lengths: Steps of each, at least 1, shape (E,).

        Returns:
            Two arrays of shape (E,).
        """
        low, high = (np.maximum(lengths, 1) * reward for reward in self.rewards)
        return np.maximum(low, self.returns[0]) - _ROUNDING, np.minimum(high, self.returns[1]) + _ROUNDING
