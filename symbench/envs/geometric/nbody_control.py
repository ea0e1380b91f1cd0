"""NBodyControl: charged particles that attract and repel each other are pushed to targets of their own charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.geometric.nbody_simulator import coulomb_forces
from symbench.envs.geometric.particles import ParticleVectorEnv
from symbench.envs.rendering import draw_bodies
from symbench.envs.single import SingleEnv

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SOFTENING: Final = 0.3  # length below which the particles' forces fade, so that they need no clipping
COUPLING: Final = 0.2  # of the particles' forces, in units of an agent's largest
MAX_EPISODE_STEPS: Final = 100
_FAR = 1e6  # longer than any distance between a particle and a target that it does not count for


class NBodyControlVectorEnv(ParticleVectorEnv):
    """``num_envs`` systems advanced by one array program; see :class:`NBodyControlEnv`."""

    def __init__(
        self,
        num_envs: int = 1,
        particles: int = 5,
        dim: int = 3,
        wind: int = 0,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of systems.

        Args:
            num_envs: Number of sub-environments B.
            particles: Number n of particles, and of targets.
            dim: Dimension, 2 or 3.
            wind: Severity, 0 (none) to 5.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: See :class:`~symbench.envs.geometric.particles.ParticleVectorEnv`.
        """
        kinds = ("agent",) * particles + ("landmark",) * particles
        super().__init__(num_envs, particles, kinds, 2, dim, wind, max_episode_steps, autoreset_mode, render_mode)
        self.state["attributes"][:, particles:, 1] = 1.0

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Also draw the charges: as many targets of each as particles."""
        super().begin(i, generator)
        charges = generator.choice([-1.0, 1.0], size=self.agents)
        self.state["attributes"][i, :, 0] = np.concatenate([charges, generator.permutation(charges)])

    def forces(self, pushes: Floats) -> Floats:
        """Particles push, and attract and repel each other; targets stay."""
        forces = self.pushed(pushes)
        particles = np.s_[:, : self.agents]
        charges = self.state["attributes"][..., 0]
        forces[particles] += COUPLING * coulomb_forces(
            self.state["positions"][particles], charges[particles], SOFTENING
        )
        return forces

    def rewards(self) -> Floats:
        """Minus the mean distance of targets to the nearest particle of their charge."""
        charges = self.state["attributes"][..., 0]
        other = charges[:, : self.agents, None] != charges[:, None, self.agents :]
        rewards: Floats = -np.where(other, _FAR, self.distances()).min(axis=1).mean(axis=1)
        return rewards

    def picture(self, i: int) -> NDArray[np.uint8]:
        """As :meth:`ParticleVectorEnv.picture`; charges are red and blue."""
        signs = ["positive" if charge > 0 else "negative" for charge in self.state["attributes"][i, :, 0]]
        kinds = [f"{sign}-target" if k >= self.agents else sign for k, sign in enumerate(signs)]
        return draw_bodies(self.state["positions"][i], kinds)


class NBodyControlEnv(SingleEnv):
    """Charged particles that are pushed to targets.

    Observation: a dict of ``positions`` and ``velocities`` (2 n, d) and ``attributes`` (2 n, 2), float32: rows of the
    particles, (charge, 0), then of the targets, (charge that belongs there, 1). Charges are 1 or -1, as many of each
    among targets as among particles. Action: the force of each particle, (n, d), of length at most 1: longer ones are
    scaled down. To it comes 0.2 q_i sum_j q_j (x_i - x_j) / (|x_i - x_j|^2 + 0.09)^(3/2). Reward, the team's: minus the
    mean over targets of the distance to the nearest particle of their charge. Truncated after 100 steps when made by
    id. Arguments: those of :class:`NBodyControlVectorEnv`.
    """

    vector_class = NBodyControlVectorEnv
