"""Gymnasium's CartPole in one array program whose sub-environments play the scalar episodes seed for seed.

Gymnasium's own ``CartPoleVectorEnv`` draws all first states from one generator: an episode depends on its neighbours.
The equations and constants are those of ``gymnasium.envs.classic_control.CartPoleEnv``, after Barto, Sutton and
Anderson 1983.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv

from symbench.envs.batched import BatchedEnv

if TYPE_CHECKING:
    from gymnasium.vector import AutoresetMode
    from numpy.typing import NDArray

MAX_EPISODE_STEPS = 500
_RESET = 0.05  # first states are uniform in [-0.05, 0.05]^4


class CartPoleVectorEnv(BatchedEnv):
    """``num_envs`` cart-poles advanced by one array program; see :class:`~symbench.envs.batched.BatchedEnv`."""

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = "NextStep",
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of cart-poles; see :class:`~symbench.envs.batched.BatchedEnv` for the arguments."""
        self._one = one = CartPoleEnv()  # holds spaces and constants
        spaces = (one.observation_space, one.action_space)
        super().__init__(num_envs, *spaces, max_episode_steps, autoreset_mode, render_mode)
        self._state = np.zeros((4, num_envs))

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Draw the first state of sub-environment ``i``."""
        self._state[:, i] = generator.uniform(low=-_RESET, high=_RESET, size=(4,))

    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One explicit Euler step of all; every step is worth 1."""
        one = self._one
        _, x_dot, theta, theta_dot = self._state
        force = np.where(actions == 1, one.force_mag, -one.force_mag)
        cos, sin = np.cos(theta), np.sin(theta)
        push = (force + one.polemass_length * np.square(theta_dot) * sin) / one.total_mass
        theta_acc = (one.gravity * sin - cos * push) / (
            one.length * (4.0 / 3.0 - one.masspole * np.square(cos) / one.total_mass)
        )
        x_acc = push - one.polemass_length * theta_acc * cos / one.total_mass
        self._state = self._state + one.tau * np.stack([x_dot, x_acc, theta_dot, theta_acc])
        x, theta = np.abs(self._state[0]), np.abs(self._state[2])
        return np.ones(self.num_envs), (x > one.x_threshold) | (theta > one.theta_threshold_radians)

    def observe(self) -> NDArray[np.float32]:
        """The four sensors of all, shape (B, 4), float32."""
        return np.ascontiguousarray(self._state.T, dtype=np.float32)
