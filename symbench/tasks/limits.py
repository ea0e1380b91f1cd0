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
    """

    steps: int
    rewards: tuple[float, float] = (-math.inf, math.inf)
    returns: tuple[float, float] = (-math.inf, math.inf)

    def range_of(self, lengths: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and largest return of episodes.

        Args:
            lengths: Steps of each, at least 1, shape (E,).

        Returns:
            Two arrays of shape (E,).
        """
        low, high = (np.maximum(lengths, 1) * reward for reward in self.rewards)
        return np.maximum(low, self.returns[0]) - _ROUNDING, np.minimum(high, self.returns[1]) + _ROUNDING
