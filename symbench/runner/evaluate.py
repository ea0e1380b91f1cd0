"""Plays a cell: fixed batches of environments, one call of the policy for a whole batch at each step.

The batches depend on the cell alone, so its numbers depend neither on the number of workers nor on a resume.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent
    from symbench.runner.cell import Cell


@dataclass(frozen=True)
class Episodes:
    """The episodes of one cell, in the order of their seeds.

    Attributes:
        seeds: Seed of each episode's environment, (E,) int64.
        returns: Undiscounted sum of the task's rewards, (E,) float64.
        lengths: Steps until the end, (E,) int64.
        terminated: Whether the episode ended by itself and not by the time limit, (E,) bool.
    """

    seeds: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    terminated: NDArray[np.bool_]

    def columns(self) -> dict[str, list[Any]]:
        """The same as JSON data; floats survive the round trip bit for bit."""
        return {
            "seed": self.seeds.tolist(),
            "return": self.returns.tolist(),
            "length": self.lengths.tolist(),
            "terminated": self.terminated.tolist(),
        }

    @classmethod
    def from_columns(cls, columns: dict[str, list[Any]]) -> Episodes:
        """Rebuild episodes from :meth:`columns`.

        Raises:
            KeyError: A column is missing.
            ValueError: A column is none, or they do not fit together.
            OverflowError: A number does not fit into 64 bits.
        """
        for name, kind in {"seed": int, "return": float, "length": int, "terminated": bool}.items():
            column = columns[name]
            if not isinstance(column, list) or any(type(value) is not kind for value in column):
                raise ValueError(f"episodes.{name}: a list of {kind.__name__} is expected")
            if len(column) != len(columns["seed"]):
                raise ValueError(f"episodes.{name}: {len(columns['seed'])} values are expected, received {len(column)}")
        return cls(
            np.array(columns["seed"], np.int64),
            np.array(columns["return"], np.float64),
            np.array(columns["length"], np.int64),
            np.array(columns["terminated"], np.bool_),
        )


def evaluate(cell: Cell) -> Episodes:
    """Play all episodes of a cell.

    Episode ``e`` starts from environment seed ``cell.seed + e`` whatever the agent and the perturbation, so that cells
    can be compared episode by episode.

    Raises:
        SymbenchError: The agent cannot be loaded or the task cannot be made.
        FloatingPointError: A return is not a finite number.
    """
    return join([play_batch(cell, seeds) for seeds in batches(cell)])


def batches(cell: Cell) -> list[range]:
    """The seeds of the episodes that are played at once: the fewest batches the task allows, of about equal size."""
    count = -(-cell.episodes // get_task(cell.task).batch)
    size, larger = divmod(cell.episodes, count)  # the first ones have one more
    firsts = [cell.seed + i * size + min(i, larger) for i in range(count + 1)]
    return [range(*ends) for ends in pairwise(firsts)]


def play_batch(cell: Cell, seeds: Sequence[int]) -> Episodes:
    """Play one of the :func:`batches` of a cell; errors as of :func:`evaluate`."""
    from symbench.runner.agents import load
    from symbench.runner.pipeline import make_envs

    with single_thread(), closing(make_envs(cell.task, cell.apply, len(seeds))) as envs:
        agent = load(cell.source, envs.single_observation_space, envs.single_action_space)
        return play(envs, agent, list(seeds))


def play(envs: VectorEnv[Any, Any, Any], agent: Agent, seeds: list[int]) -> Episodes:
    """Play one episode in every environment, all at once.

    Args:
        envs: B environments with ``AutoresetMode.DISABLED``.
        agent: Acts on batches of B observations.
        seeds: One seed for each environment, (B,).

    Raises:
        FloatingPointError: A return is not a finite number.
    """
    count = len(seeds)
    returns, lengths, died = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, bool)
    playing = np.arange(count)  # the environments whose episode goes on: the agent acts in these only
    observations, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]  # one seed each is allowed
    actions = np.zeros((count, *(envs.single_action_space.shape or ())), envs.single_action_space.dtype)
    agent.reset(count, seed=seeds[0])
    while playing.size:
        actions[playing] = agent.act(rows_of(observations, playing))
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        returns[playing] += rewards[playing]
        lengths[playing] += 1
        ended = terminated | truncated
        if ended.any():
            died[playing] = terminated[playing]
            agent.keep(~ended[playing])
            playing = playing[~ended[playing]]
            if not envs.metadata.get("rests", False):
                # What an environment plays after its episode is not counted; it is reset because it must be.
                observations, _ = envs.reset(options={"reset_mask": ended})
    if not np.isfinite(returns).all():
        first = int(np.flatnonzero(~np.isfinite(returns))[0])
        raise FloatingPointError(f"the return of the episode with seed {seeds[first]} is {returns[first]}")
    return Episodes(np.array(seeds, np.int64), returns, lengths, died)


def rows_of(observations: Any, rows: NDArray[np.int64]) -> Any:
    """Some rows of a batch of observations, of a dict of them too."""
    if isinstance(observations, dict):
        return {key: rows_of(part, rows) for key, part in observations.items()}
    return observations[rows]


@contextmanager
def single_thread() -> Iterator[None]:
    """One torch thread inside the block: several on busy cores are many times slower, and sums could differ."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def join(parts: list[Episodes]) -> Episodes:
    """All episodes of a cell, from its batches in their order."""
    return Episodes(
        np.concatenate([part.seeds for part in parts]),
        np.concatenate([part.returns for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.terminated for part in parts]),
    )
