"""ParticleSpread: agents cover landmarks without meeting each other.

The task ``simple_spread`` of the multi-agent particle environments (Lowe et al. 2017, arXiv 1706.02275) in empty space:
without walls, with forces that point anywhere, and first positions in a ball instead of a square.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.geometric.particles import ParticleVectorEnv
from symbench.envs.single import SingleEnv
from symbench.envs.starts import checked_starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MEETING: Final = 0.2  # distance below which two agents meet
MEETING_REWARD: Final = -0.5
MAX_EPISODE_STEPS: Final = 50


class ParticleSpreadVectorEnv(ParticleVectorEnv):
    """``num_envs`` scenes advanced by one array program; see :class:`ParticleSpreadEnv`."""

    def __init__(
        self,
        num_envs: int = 1,
        agents: int = 3,
        landmarks: int | None = None,
        dim: int = 2,
        wind: int = 0,
        starts: str = "anywhere",
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of scenes.

        Args:
            num_envs: Number of sub-environments B.
            agents: Number n of agents.
            landmarks: Number m of landmarks. [n]
            dim: Dimension, 2 or 3.
            wind: Severity, 0 (none) to 5.
            starts: ``"anywhere"``, or ``"west"``: the same draws with the signs of all first coordinates set so that
                agents are below 0 and landmarks above.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: The starts are unknown; see also
                :class:`~symbench.envs.geometric.particles.ParticleVectorEnv`.
        """
        self._west = checked_starts(starts) == "west"
        others = agents if landmarks is None else landmarks
        kinds = ("agent",) * agents + ("landmark",) * others
        super().__init__(num_envs, agents, kinds, 2, dim, wind, max_episode_steps, autoreset_mode, render_mode)
        self.state["attributes"][:, :agents, 0] = self.state["attributes"][:, agents:, 1] = 1.0

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Everything rests somewhere in the unit ball, or agents in its western half and landmarks in its eastern."""
        super().begin(i, generator)
        if self._west:
            first = self.state["positions"][i, :, 0]
            first[:] = np.abs(first)
            first[: self.agents] *= -1

    def forces(self, pushes: Floats) -> Floats:
        """Agents push, landmarks stay."""
        return self.pushed(pushes)

    def rewards(self) -> Floats:
        """Minus the mean distance of landmarks to the nearest agent, and a punishment for each two that meet."""
        agents = self.state["positions"][:, : self.agents]
        offsets = agents[:, :, None] - agents[:, None]
        near = np.einsum("bijd,bijd->bij", offsets, offsets) < MEETING**2
        meetings = (near.sum(axis=(1, 2)) - self.agents) / 2
        rewards: Floats = MEETING_REWARD * meetings - self.distances().min(axis=1).mean(axis=1)
        return rewards


class ParticleSpreadEnv(SingleEnv):
    """Agents that cover landmarks without meeting each other.

    Observation: a dict of ``positions`` and ``velocities`` (n + m, d) and ``attributes`` (n + m, 2), float32: rows of
    the agents, (1, 0), then of the landmarks, (0, 1). Action: the force of each agent, (n, d), of length at most 1:
    longer ones are scaled down. Reward, the team's: minus the mean over landmarks of the distance to the nearest agent,
    and -0.5 for each two agents nearer than 0.2. Truncated after 50 steps when made by id. Arguments: those of
    :class:`ParticleSpreadVectorEnv`.
    """

    vector_class = ParticleSpreadVectorEnv
