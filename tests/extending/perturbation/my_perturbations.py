"""A perturbation of one's own."""

import gymnasium as gym
import numpy as np

from symbench.wrappers import Perturbation, register_perturbation
from symbench.wrappers.checks import real, sensors


@register_perturbation
class FlipSigns(Perturbation):
    """Each sensor's sign is flipped with a probability, drawn anew every episode.

    Args:
        probability: Of a flip, 0 to 1.
    """

    def __init__(self, probability: float = 0.5):
        self.probability = real("probability", probability, low=0.0, high=1.0)

    @classmethod
    def severities(cls):
        return [{"probability": p} for p in (0.2, 0.4, 0.6, 0.8, 1.0)]

    def magnitude(self):
        return self.probability

    def perturbed_space(self, space):
        box = sensors("FlipSigns", space)
        self._count = box.shape[0]
        bound = np.maximum(-box.low, box.high)
        return gym.spaces.Box(-bound, bound, dtype=box.dtype.type)

    def draw(self, rng, size):
        return np.where(rng.random((size, self._count)) < self.probability, np.float32(-1), np.float32(1))

    def apply(self, observations, drawn):
        return observations * drawn
