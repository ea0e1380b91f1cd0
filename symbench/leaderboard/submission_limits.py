"""What an episode of each task can be at most: its length and its return.

They are facts of the environments, not of agents: a submission with a number outside cannot have been measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING = 1e-3  # what sums of float32 rewards over an episode may be off


@dataclass(frozen=True)
class Limits:
    """Limits of one episode.

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


_PONG = Limits(steps=27_000, returns=(-21, 21))  # 108,000 frames, 4 a step; 21 points end the game
# 1000 steps of -0.1 and -100 for leaving the field; all tiles of a track are worth 1000.
_CAR_RACING = Limits(steps=1000, returns=(-200, 1000))

LIMITS: Final[dict[str, Limits]] = {
    # Only the step that leaves the track can have a negative reward: the cart is then at most 0.3 m outside (30 m/s),
    # where the cosine of its position is -0.2.
    "CartPoleSwingUp": Limits(steps=1000, rewards=(-0.2, 1), returns=(-0.2, 1000)),
    "CartPole-v1": Limits(steps=500, rewards=(1, 1)),
    "Acrobot-v1": Limits(steps=500, rewards=(-1, 0)),
    "MountainCar-v0": Limits(steps=200, rewards=(-1, -1)),
    "GridWorld": Limits(steps=100, rewards=(-0.1, 1), returns=(-10, 1)),  # the prey is caught once
    # -(angle^2 + 0.1 speed^2 + 0.001 torque^2) with |angle| <= pi, |speed| <= 8, |torque| <= 2.
    "Pendulum-v1": Limits(steps=200, rewards=(-(math.pi**2 + 6.4 + 0.004), 0)),
    # The shaping telescopes. Above: 100 for landing, 20 for the legs, 141 for the height, 100 for the largest speed at
    # the start, rounded up. Below it is bounded only by how far the engines can lift and spin the lander in 1000
    # steps: 90 heights, 100 radians, each worth 100, and the fuel; generous, not tight.
    "LunarLander-v3": Limits(steps=1000, returns=(-25_000, 400)),
    "Pong": _PONG,
    "PongRGB": _PONG,
    "PongPlayfield": _PONG,
    "CarRacing": _CAR_RACING,
    "CarRacingRGB": _CAR_RACING,
}


def limits_of(task: str) -> Limits:
    """The limits of a task.

    Raises:
        SymbenchError: They are not known.
    """
    if task not in LIMITS:
        raise unknown("task", task, LIMITS)
    return LIMITS[task]
