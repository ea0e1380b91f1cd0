"""Bodies in empty space, some of which are pushed by agents: what the environments of this folder have in common.

**Symmetry.** Space has no walls and no middle, forces depend on offsets alone, and what limits an agent's force is its
length. So turning, mirroring and shifting a scene, together with all forces, changes nothing, and like bodies may
change places: E(d) x S_n. First positions are uniform in a ball about the origin: their law is kept by all but shifts.
Wind, a force along the first axis that is everywhere the same, breaks the symmetry of turns.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.rendering import draw_bodies
from symbench.envs.single import StatefulBatch
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# As in the multi-agent particle environments (Lowe et al. 2017, arXiv 1706.02275): of all bodies that move.
TIME_STEP: Final = 0.1
DAMPING: Final = 0.25  # share of the velocity that is lost in a step
ACCELERATION: Final = 5.0  # by a force of length 1; the largest speed is 2
WIND: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Force of the wind by severity 0 to 5, in units of an agent's largest."""


class ParticleVectorEnv(StatefulBatch):
    """``num_envs`` scenes of N bodies in d dimensions; agents come first.

    A subclass says what ``begin`` draws beyond positions, what moves beside the agents, and what is rewarded.

    Attributes:
        state: ``positions`` and ``velocities``, (B, N, d), float64; ``attributes``, (B, N, k), float64.
        agents: Number n of agents.
        kinds: What each of the N bodies is, for pictures; see :func:`~symbench.envs.rendering.draw_bodies`.
    """

    def __init__(
        self,
        num_envs: int,
        agents: int,
        kinds: tuple[str, ...],
        attributes: int,
        dim: int,
        wind: int,
        max_episode_steps: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of scenes.

        Args:
            num_envs: Number of sub-environments B.
            agents: Number n of agents.
            kinds: Of all N bodies.
            attributes: Number k of a body's attributes.
            dim: Dimension d, 2 or 3.
            wind: Severity, 0 (none) to 5.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: There is no agent, the dimension is neither 2 nor 3, or the wind is no severity.
        """
        if agents < 1 or len(kinds) <= agents:
            raise SymbenchError(f"at least one agent and one other body are needed, received {agents}, {len(kinds)}")
        if dim not in (2, 3):
            raise SymbenchError(f"dim must be 2 or 3, received {dim!r}")
        if wind not in range(len(WIND)):
            raise SymbenchError(f"wind must be a severity from 0 to {len(WIND) - 1}, received {wind!r}")
        self.agents, self.kinds, self.dim, self.wind = agents, kinds, dim, wind
        bodies = len(kinds)
        sizes = {"positions": (bodies, dim), "velocities": (bodies, dim), "attributes": (bodies, attributes)}
        bounds = {"positions": np.inf, "velocities": np.inf, "attributes": 1.0}
        observations: dict[str, gym.Space[Any]] = {
            name: gym.spaces.Box(-bounds[name], bounds[name], size, np.float32) for name, size in sizes.items()
        }
        forces = gym.spaces.Box(-1, 1, (agents, dim), np.float32)
        super().__init__(
            num_envs, gym.spaces.Dict(observations), forces, max_episode_steps, autoreset_mode, render_mode
        )
        self.state = {name: np.zeros((num_envs, *size)) for name, size in sizes.items()}

    @abstractmethod
    def forces(self, pushes: Floats) -> Floats:
        """Forces on all bodies, (B, N, d), in units of an agent's largest, when agents push (B, n, d)."""

    @abstractmethod
    def rewards(self) -> Floats:
        """The team's reward for where all bodies are now, (B,)."""

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Everything rests somewhere in the unit ball."""
        self.state["positions"][i] = uniform_in_ball(generator, len(self.kinds), self.dim)
        self.state["velocities"][i] = 0.0

    def advance(self, actions: np.ndarray) -> tuple[Floats, NDArray[np.bool_]]:
        """Move all bodies."""
        forces = self.forces(within_ball(actions.astype(np.float64)))
        velocities = (1 - DAMPING) * self.state["velocities"] + TIME_STEP * ACCELERATION * forces
        self.state["velocities"] = velocities
        self.state["positions"] = self.state["positions"] + TIME_STEP * velocities
        return self.rewards(), np.zeros(self.num_envs, dtype=bool)

    def pushed(self, pushes: Floats) -> Floats:
        """Forces on all bodies if only agents are pushed, by themselves and by the wind, (B, N, d)."""
        forces = np.zeros_like(self.state["positions"])
        forces[:, : self.agents] = pushes
        forces[:, : self.agents, 0] += WIND[self.wind]
        return forces

    def distances(self) -> Floats:
        """From every agent to every other body, (B, n, N - n)."""
        positions = self.state["positions"]
        offsets = positions[:, : self.agents, None] - positions[:, None, self.agents :]
        distances: Floats = np.sqrt(np.einsum("bijd,bijd->bij", offsets, offsets))
        return distances

    def observe(self) -> dict[str, NDArray[np.float32]]:
        """``positions`` and ``velocities`` (B, N, d), ``attributes`` (B, N, k)."""
        return {name: self.state[name].astype(np.float32) for name in ("positions", "velocities", "attributes")}

    def picture(self, i: int) -> NDArray[np.uint8]:
        """The scene, in three dimensions seen along the last axis; (480, 480, 3), uint8."""
        return draw_bodies(self.state["positions"][i], self.kinds)


def within_ball(vectors: Floats) -> Floats:
    """Vectors longer than 1 scaled down to length 1, (..., d): unlike clipping, this commutes with rotations."""
    lengths = np.sqrt(np.einsum("...d,...d->...", vectors, vectors))
    scaled: Floats = vectors / np.maximum(lengths, 1.0)[..., None]
    return scaled


def uniform_in_ball(generator: np.random.Generator, count: int, dim: int) -> Floats:
    """Points uniform in the unit ball, (count, dim)."""
    directions = generator.standard_normal((count, dim))
    radii = generator.random((count, 1)) ** (1 / dim)
    points: Floats = radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return points
