"""Write a perturbation of one's own, and let the kit check every promise that a perturbation makes.

python examples/my_wrapper.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from symbench.testing import check_wrapper
from symbench.wrappers import Perturbation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FlipSigns(Perturbation):
    """Each sensor changes its sign with some probability, drawn again every episode."""

    def __init__(self, probability: float = 0.5) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, received {probability}")
        self.probability = probability

    def magnitude(self) -> float:
        """The probability."""
        return self.probability

    def perturbed_space(self, space: gym.Space[Any]) -> gym.spaces.Box:
        """The same shape, with bounds that hold for both signs."""
        high = np.maximum(abs(space.low), abs(space.high))
        self._sensors = space.shape[0]
        return gym.spaces.Box(-high, high, dtype=space.dtype.type)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float32]:
        """A sign for each sensor, shape (size, N)."""
        flipped = rng.random((size, self._sensors)) < self.probability
        return np.where(flipped, np.float32(-1), np.float32(1))

    def apply(self, observations: NDArray[Any], drawn: NDArray[np.float32]) -> NDArray[Any]:
        """(B, N) -> (B, N)."""
        return observations * drawn


if __name__ == "__main__":
    check_wrapper(FlipSigns, lambda: gym.make("CartPole-v1"), probability=0.7)  # its wrappers of all three kinds
    print("every promise holds")
