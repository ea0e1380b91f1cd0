"""Pursuit: agents chase evaders, which flee by a rule, in empty space of two or three dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.geometric.particles import WIND, ParticleVectorEnv, within_ball
from symbench.envs.single import SingleEnv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REACH: Final = 0.2  # distance below which an evader is caught
CATCH_REWARD, DISTANCE_REWARD = 1.0, -0.1
EVADER_FORCE: Final = 0.7  # the largest, in units of a pursuer's
CARE: Final = 0.1  # squared distance at which a pursuer frightens half as much as the nearest could
MAX_EPISODE_STEPS: Final = 100


class PursuitVectorEnv(ParticleVectorEnv):
    """``num_envs`` chases advanced by one array program; see :class:`PursuitEnv`."""

    def __init__(
        self,
        num_envs: int = 1,
        pursuers: int = 3,
        evaders: int = 1,
        dim: int = 2,
        wind: int = 0,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of chases.

        Args:
            num_envs: Number of sub-environments B.
            pursuers: Number n of agents.
            evaders: Number m of evaders.
            dim: Dimension, 2 or 3.
            wind: Severity, 0 (none) to 5.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: See :class:`~symbench.envs.geometric.particles.ParticleVectorEnv`.
        """
        kinds = ("agent",) * pursuers + ("evader",) * evaders
        super().__init__(num_envs, pursuers, kinds, 2, dim, wind, max_episode_steps, autoreset_mode, render_mode)
        self.state["attributes"][:, :pursuers, 0] = self.state["attributes"][:, pursuers:, 1] = 1.0

    def forces(self, pushes: Floats) -> Floats:
        """Pursuers push; each evader flees from all of them, more from those that are near."""
        forces = self.pushed(pushes)
        positions = self.state["positions"]
        away = positions[:, self.agents :, None] - positions[:, None, : self.agents]
        squares = np.einsum("bijd,bijd->bij", away, away)
        forces[:, self.agents :] = EVADER_FORCE * within_ball((away / (squares + CARE)[..., None]).sum(axis=2))
        forces[:, self.agents :, 0] += WIND[self.wind]
        return forces

    def rewards(self) -> Floats:
        """1 for each evader in reach, and -0.1 for each unit of their mean distance to the nearest pursuer."""
        nearest = self.distances().min(axis=1)
        caught = (nearest < REACH).sum(axis=1)
        rewards: Floats = CATCH_REWARD * caught + DISTANCE_REWARD * nearest.mean(axis=1)
        return rewards


class PursuitEnv(SingleEnv):
    """Agents that chase evaders and stay with them.

    Observation: a dict of ``positions`` and ``velocities`` (n + m, d) and ``attributes`` (n + m, 2), float32: rows of
    the pursuers, (1, 0), then of the evaders, (0, 1). Action: the force of each pursuer, (n, d), of length at most 1:
    longer ones are scaled down. An evader's force is at most 0.7; it points away from the pursuers, each counted by
    offset / (distance^2 + 0.1). Reward, the team's, in each step: 1 for each evader nearer than 0.2 to some pursuer,
    and -0.1 times the mean distance of evaders to the nearest one. Truncated after 100 steps when made by id.
    Arguments: those of :class:`PursuitVectorEnv`.
    """

    vector_class = PursuitVectorEnv
