"""Wildlife: drones on a torus trap a poacher, each seeing only itself and him; all of D4 and S_n are exact symmetries.

The wildlife monitoring of van der Pol et al. 2022 (Multi-agent MDP homomorphic networks, arXiv 2110.04495).

* :class:`WildlifeEnv` - one environment
* :class:`WildlifeVectorEnv` - many in one array program; the same episodes for the same seeds

**Symmetry.** On a square grid of s cells a quarter turn (``np.rot90``) turns every picture, sends the position
(row, column) to (s - 1 - column, row) and every action by [0, 2, 3, 4, 1]; a flip of columns sends columns to s - 1 -
column and actions by [0, 1, 4, 3, 2]. Drones may change places. Translations are no symmetry: being beside the poacher
does not count across the border. The poacher's moves are drawn at random; ``state["poacher_moves"]`` holds them, so
that two environments can be compared step by step. With ``starts="west"`` all this holds from any state on, but turned
first states are not as likely as others.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.grid_world import MOVES
from symbench.envs.rendering import draw_grid
from symbench.envs.single import SingleEnv, StatefulBatch
from symbench.envs.starts import checked_starts
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CELL: Final = 3  # pixels of an observation, height and width of a cell
POACHER_MOVES: Final = 0.8  # probability that the poacher moves
STEP_REWARD: Final = -0.05  # the team's
FAILED_REWARD, COLLISION_REWARD = -0.5, -0.25  # of reward type 1
MAX_EPISODE_STEPS: Final = 100
_DRONE = np.array([(0, 1, 0), (1, 1, 1), (0, 1, 0)])
_POACHER = np.array([(1, 0, 1), (0, 1, 0), (1, 0, 1)])
_BLOCK = 100  # moves of the poacher that are drawn at once


@lru_cache
def pictures(height: int, width: int) -> NDArray[np.float32]:
    """What a drone sees, by the poacher's cell ``row * width + column`` in its picture, (h w, 1, 3 h, 3 w), 0 or 1."""
    seen = np.zeros((height * width, 1, height, CELL, width, CELL), np.float32)
    seen[:, :, height // 2, :, width // 2] = _DRONE
    rows, columns = np.divmod(np.arange(height * width), width)
    seen[np.arange(len(seen)), :, rows, :, columns] = _POACHER
    return seen.reshape(-1, 1, height * CELL, width * CELL)


class WildlifeVectorEnv(StatefulBatch):
    """``num_envs`` games advanced by one array program; see :class:`~symbench.envs.batched.BatchedEnv`.

    Attributes:
        state: ``cells`` (B, n + 1, 2), int64, row and column of the drones and, last, of the poacher;
            ``poacher_moves`` (B, 100), int64, his actions at steps 0 to 99 of the episode.
    """

    def __init__(
        self,
        num_envs: int = 1,
        width: int = 7,
        height: int = 7,
        drones: int = 3,
        reward_type: int = 0,
        starts: str = "anywhere",
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of games.

        Args:
            num_envs: Number of sub-environments B.
            width: Cells.
            height: Cells.
            drones: Number n of drones.
            reward_type: 1 punishes failed captures and collisions, see :class:`WildlifeEnv`; 0 does not.
            starts: ``"anywhere"``, or ``"west"``: drones begin in the h = (width - 1) // 2 western columns, the
                poacher in the next one, so that all of them see him in the east, and none across the border.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``.

        Raises:
            SymbenchError: The cells are too few, or the reward type or the starts are unknown.
        """
        if drones < 1 or min(width, height) < 1 or drones + 1 > width * height:
            raise SymbenchError(f"{drones} drones and a poacher need cells of their own on a {height}x{width} grid")
        if reward_type not in (0, 1):
            raise SymbenchError(f"reward_type must be 0 or 1, received {reward_type!r}")
        self._west = (width - 1) // 2 if checked_starts(starts) == "west" else 0
        if self._west * height < drones and starts == "west":
            raise SymbenchError(f"{drones} drones need cells of their own in the {self._west} western columns")
        self.drones, self.reward_type = drones, reward_type
        self.shape = np.array([height, width])
        self._pictures = pictures(height, width)
        furthest = np.broadcast_to(self.shape - 1.0, (drones, 2)).astype(np.float32)
        observations: dict[str, gym.Space[Any]] = {
            "images": gym.spaces.Box(0, 1, (drones, *self._pictures.shape[1:]), np.float32),
            "positions": gym.spaces.Box(np.zeros_like(furthest), furthest, dtype=np.float32),
        }
        actions = gym.spaces.MultiDiscrete([len(MOVES)] * drones)
        super().__init__(
            num_envs, gym.spaces.Dict(observations), actions, max_episode_steps, autoreset_mode, render_mode
        )
        self.state = {
            "cells": np.zeros((num_envs, drones + 1, 2), np.int64),
            "poacher_moves": np.zeros((num_envs, _BLOCK), np.int64),
        }
        self._events = np.zeros((num_envs, 3), np.int64)

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Put all of sub-environment ``i`` on different cells."""
        width, moving = self._west or self.shape[1], self.drones + (not self._west)
        numbers = generator.permutation(self.shape[0] * width)[:moving]  # several times faster than choice
        self.state["cells"][i, :moving] = np.stack(np.divmod(numbers, width), axis=1)
        if self._west:
            self.state["cells"][i, -1] = generator.integers(self.shape[0]), self._west
        self.state["poacher_moves"][i] = _poacher_moves(generator)

    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Move the drones, see whether they have caught the poacher, then move him."""
        cells = self.state["cells"]
        poacher = cells[:, -1].copy()
        cells[:, :-1], collided = self._moved(cells[:, :-1], actions)
        distance = np.abs(cells[:, :-1] - poacher[:, None]).sum(axis=2)
        landed = (distance == 0).sum(axis=1) == 1
        beside = ((distance == 1) & ~collided).sum(axis=1)
        cells[:, -1] = (poacher + MOVES[self._drawn_moves()]) % self.shape
        caught = landed & (beside > 0)
        collisions = collided.sum(axis=1)
        self._events = np.stack([caught, landed & ~caught, collisions], axis=1)
        rewards = STEP_REWARD + caught * (1.0 + beside)
        if self.reward_type:
            rewards += FAILED_REWARD * self._events[:, 1] + COLLISION_REWARD * collisions
        return rewards, caught

    def _moved(self, drones: NDArray[np.int64], actions: np.ndarray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Cells of the drones, and which of them wanted the same cell as another, and stay; once, without cascade."""
        targets = (drones + MOVES[actions]) % self.shape
        number = targets[..., 0] * self.shape[1] + targets[..., 1]
        collided = (number[:, :, None] == number[:, None]).sum(axis=2) > 1
        return np.where(collided[..., None], drones, targets), collided

    def _drawn_moves(self) -> NDArray[np.int64]:
        moves = self.state["poacher_moves"]
        if self.max_episode_steps > _BLOCK:
            for i in np.flatnonzero((self.steps > 0) & (self.steps % _BLOCK == 0) & ~self.ended).tolist():
                moves[i] = _poacher_moves(self.generators[i])
        drawn: NDArray[np.int64] = moves[np.arange(self.num_envs), self.steps % _BLOCK]
        return drawn

    def observe(self) -> dict[str, NDArray[np.float32]]:
        """``images`` (B, n, 1, 3 h, 3 w) and ``positions`` (B, n, 2)."""
        cells = self.state["cells"]
        seen = (cells[:, -1:] - cells[:, :-1] + self.shape // 2) % self.shape
        number = seen[..., 0] * self.shape[1] + seen[..., 1]
        return {"images": self._pictures.take(number, axis=0), "positions": cells[:, :-1].astype(np.float32)}

    def information(self) -> dict[str, NDArray[Any]]:
        """``captures``, ``failed`` captures (a drone alone with the poacher), ``collisions`` (drones that stayed)."""
        return dict(zip(("captures", "failed", "collisions"), self._events.T, strict=True))

    def picture(self, i: int) -> NDArray[np.uint8]:
        """The torus from above: drones blue, the poacher orange; (60 h, 60 w, 3), uint8."""
        *drones, poacher = self.state["cells"][i].tolist()
        height, width = self.shape.tolist()
        return draw_grid((height, width), [*(("drone", cell) for cell in drones), ("poacher", poacher)])


class WildlifeEnv(SingleEnv):
    """Drones that trap a poacher together on a torus of w x h cells.

    Observation: a dict of ``images`` (n, 1, 3 h, 3 w), float32, 0 or 1: what each drone sees, itself a + in the middle
    and the poacher an x (drawn over it), other drones not at all; and ``positions`` (n, 2), float32, their rows and
    columns in cells. Action of each drone: 0 stay, 1 to 4 move by one cell, as in
    :data:`~symbench.envs.grid_world.MOVES`.

    Drones that want the same cell stay where they are, all of them. If now exactly one drone is on the poacher's cell
    and some drone that did not collide is right beside it (not across the border), he is caught, and the episode ends.
    Otherwise he moves with probability 0.8 in a random direction, in either case after the drones.

    Reward, the team's, which is what every drone receives: -0.05 a step, on a capture 1 for the drone on the poacher's
    cell and 1 for each beside it. With ``reward_type=1`` also -0.5 for a drone that is alone with him and -0.25 for
    each that collides. Truncated after 100 steps when made by id. Arguments: those of :class:`WildlifeVectorEnv`.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/Wildlife-v0", drones=4)
        >>> observation, info = env.reset(seed=0)
        >>> observation["images"].shape, observation["positions"].shape
        ((4, 1, 21, 21), (4, 2))
    """

    vector_class = WildlifeVectorEnv


def _poacher_moves(generator: np.random.Generator) -> NDArray[np.int64]:
    """Moves of the poacher for ``_BLOCK`` steps: one number decides whether he moves, and where to."""
    drawn = generator.random(_BLOCK) * (4 / POACHER_MOVES)
    return np.where(drawn < 4, drawn.astype(np.int64) + 1, 0)
