"""Plays a cell: fixed batches of environments, one call of the policy for a whole batch at each step.

The batches depend on the cell alone, so its numbers depend neither on the number of workers nor on a resume.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import repeat
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        """
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
    task, stop = get_task(cell.task), Event()
    last = cell.seed + cell.episodes
    batches = [list(range(seed, min(seed + task.batch, last))) for seed in range(cell.seed, last, task.batch)]
    with single_thread():
        if task.threads == 1 or len(batches) == 1:
            return _join([_play_batch(cell, seeds, stop) for seeds in batches])
        with ThreadPoolExecutor(task.threads) as pool:
            try:
                return _join(list(pool.map(_play_batch, repeat(cell), batches, repeat(stop))))
            finally:
                stop.set()  # after Ctrl-C the threads must not play to the end


def _play_batch(cell: Cell, seeds: list[int], stop: Event) -> Episodes:
    import torch

    from symbench.runner.agents import load
    from symbench.runner.pipeline import make_envs

    torch.set_num_threads(1)  # every thread has a number of its own
    with closing(make_envs(cell.task, cell.apply, len(seeds))) as envs:
        agent = load(cell.source, envs.single_observation_space, envs.single_action_space)
        return play(envs, agent, seeds, stop)


def play(envs: VectorEnv[Any, Any, Any], agent: Agent, seeds: list[int], stop: Event | None = None) -> Episodes:
    """Play one episode in every environment, all at once.

    Args:
        envs: B environments with ``AutoresetMode.DISABLED``.
        agent: Acts on batches of B observations.
        seeds: One seed for each environment, (B,).
        stop: Ends the play before its time when set by another thread; the episodes are then cut short.

    Raises:
        FloatingPointError: A return is not a finite number.
    """
    count = len(seeds)
    returns, lengths, died = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, bool)
    playing = np.arange(count)  # the environments whose episode goes on: the agent acts in these only
    observations, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]  # one seed each is allowed
    actions = np.zeros((count, *(envs.single_action_space.shape or ())), envs.single_action_space.dtype)
    agent.reset(count, seed=seeds[0])
    while playing.size and not (stop and stop.is_set()):
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


def _join(batches: list[Episodes]) -> Episodes:
    return Episodes(
        np.concatenate([batch.seeds for batch in batches]),
        np.concatenate([batch.returns for batch in batches]),
        np.concatenate([batch.lengths for batch in batches]),
        np.concatenate([batch.terminated for batch in batches]),
    )
