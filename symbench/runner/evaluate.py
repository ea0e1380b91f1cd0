"""Plays a cell: fixed batches of environments, one call of the policy for a whole batch at each step.

The batches depend on the cell alone, so its numbers depend neither on the number of workers nor on a resume.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import TypeAdapter

from symbench.errors import SymbenchError
from symbench.rollout import Callback, rollout, rows_of
from symbench.runner.checks import Checks
from symbench.runner.input_change import WINDOW, InputChange, Watch
from symbench.runner.seeds import agent_seed, environment_seeds
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent
    from symbench.runner.cell import Cell
    from symbench.suites import Apply

LONGEST_EPISODE: Final = 200_000  # steps; Atari's longest games, played frame by frame, have 108,000
ENDLESS: Final = "an episode has not ended"
_INPUT_CHANGE = TypeAdapter(InputChange)


@dataclass(frozen=True)
class Episodes:
    """The episodes of one cell, in the order of their seeds.

    Attributes:
        seeds: Seed of each episode's environment, (E,) int64.
        returns: Undiscounted sum of the task's rewards, (E,) float64.
        lengths: Steps until the end, (E,) int64.
        terminated: Whether the episode ended by itself and not by the time limit, (E,) bool.
        input_change: How far the perturbations moved what the agent saw; ``None`` without perturbation.
        outside: Observations of the task that were outside the space that it declares.
    """

    seeds: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    terminated: NDArray[np.bool_]
    input_change: InputChange | None = None
    outside: int = 0

    def columns(self) -> dict[str, list[Any]]:
        """The same as JSON data; floats survive the round trip bit for bit."""
        return {
            "seed": self.seeds.tolist(),
            "return": self.returns.tolist(),
            "length": self.lengths.tolist(),
            "terminated": self.terminated.tolist(),
        }

    def noticed(self) -> dict[str, Any]:
        """What was noticed beside the numbers, as JSON data; what there is nothing to say of is left out."""
        change = {} if self.input_change is None else {"input_change": asdict(self.input_change)}
        return {**change, **({"outside": self.outside} if self.outside else {})}

    @classmethod
    def from_columns(cls, columns: dict[str, list[Any]], noticed: dict[str, Any] | None = None) -> Episodes:
        """Rebuild episodes from :meth:`columns` and :meth:`noticed`.

        Raises:
            KeyError: A column is missing.
            ValueError: A column is none, they do not fit together, or what was noticed is something else.
            OverflowError: A number does not fit into 64 bits.
        """
        for name, kind in {"seed": int, "return": float, "length": int, "terminated": bool}.items():
            column = columns[name]
            if not isinstance(column, list) or any(type(value) is not kind for value in column):
                raise ValueError(f"episodes.{name}: a list of {kind.__name__} is expected")
            if len(column) != len(columns["seed"]):
                raise ValueError(f"episodes.{name}: {len(columns['seed'])} values are expected, received {len(column)}")
        change = (noticed or {}).get("input_change")
        return cls(
            np.array(columns["seed"], np.int64),
            np.array(columns["return"], np.float64),
            np.array(columns["length"], np.int64),
            np.array(columns["terminated"], np.bool_),
            None if change is None else _INPUT_CHANGE.validate_python(change),
            int((noticed or {}).get("outside", 0)),
        )


def evaluate(cell: Cell) -> Episodes:
    """Play all episodes of a cell.

    Episode ``e`` starts from environment seed ``cell.seed + e`` whatever the agent and the perturbation, so that cells
    can be compared episode by episode. A cell with a secret key has other seeds, see :mod:`symbench.runner.seeds`.

    Raises:
        SymbenchError: The agent cannot be loaded, the task cannot be made, what the agent answers or is shown is not
            of its space (see :class:`~symbench.runner.checks.Checks`), or the perturbation changes nothing.
    """
    return whole(cell, [play_batch(cell, seeds) for seeds in batches(cell)])


def whole(cell: Cell, parts: list[Episodes]) -> Episodes:
    """All episodes of a cell, from its batches in their order.

    Raises:
        SymbenchError: The cell is perturbed, and nothing that the agent saw has changed.
    """
    episodes = join(parts)
    change = episodes.input_change
    if change is None or change.changed > 0 or not any(_distance(step) for step in cell.apply):
        return episodes
    raise SymbenchError(
        f"{', '.join(map(str, cell.apply))} changed nothing that the agent saw in the first {WINDOW} steps "
        f"({change.draws} draws): check the parameters, or play more episodes if these draws left things as they are"
    )


def _distance(step: Apply) -> float:
    """How far from the identity a perturbation is declared to be."""
    return step.perturbation().make(**step.parameters).distance


def batches(cell: Cell) -> list[range]:
    """The seeds of the episodes that are played at once: the fewest batches the task allows, of about equal size."""
    count = -(-cell.episodes // get_task(cell.task, cell.trust).batch)
    size, larger = divmod(cell.episodes, count)  # the first ones have one more
    firsts = [cell.seed + i * size + min(i, larger) for i in range(count + 1)]
    return [range(*ends) for ends in pairwise(firsts)]


def play_batch(cell: Cell, seeds: Sequence[int]) -> Episodes:
    """Play one of the :func:`batches` of a cell, whose seeds are those of the suite; errors as of :func:`evaluate`."""
    from symbench.runner.agents import load
    from symbench.runner.pipeline import make_envs

    limit = get_task(cell.task, cell.trust).max_episode_steps  # imports the task's module, in a worker process, too
    with single_thread(), closing(make_envs(cell.task, cell.apply, len(seeds))) as envs:
        agent = load(cell.source, envs.single_observation_space, envs.single_action_space)
        agent.name = cell.agent  # what tables call it, and errors too
        told, longest = agent_seed(cell, seeds), None if limit else LONGEST_EPISODE
        return play(envs, agent, environment_seeds(cell, seeds), agent_seed=told, longest=longest)


def play(
    envs: VectorEnv[Any, Any, Any],
    agent: Agent,
    seeds: list[int],
    *,
    agent_seed: int | None = None,
    longest: int | None = None,
) -> Episodes:
    """Play one episode in every environment, all at once.

    Args:
        envs: B environments with ``AutoresetMode.DISABLED``.
        agent: Acts on batches of B observations.
        seeds: One seed for each environment, (B,).
        agent_seed: As of :func:`symbench.rollout.rollout`.
        longest: Steps before which every episode must have ended; ``None`` plays on.

    Raises:
        SymbenchError: What the agent answers or is shown is not of its space, a reward is not finite, or an episode has
            not ended after ``longest`` steps.
    """
    watch, tally = Watch(envs), _Tally(len(seeds), longest)
    view = watch.view or envs
    with Checks(agent.name, view.single_observation_space, envs.single_action_space, seeds) as checks:
        comparison = _Comparison(checks, watch) if watch.view else checks
        rollout(envs, agent, seeds, [comparison, tally], agent_seed=agent_seed)
    numbers = tally.returns, tally.lengths, tally.terminated
    return Episodes(np.array(seeds, np.int64), *numbers, watch.result(), checks.outside)


class _Tally(Callback):
    """Adds up what becomes of the episodes."""

    def __init__(self, count: int, longest: int | None) -> None:
        self._longest = longest
        self.returns, self.lengths = np.zeros(count), np.zeros(count, np.int64)
        self.terminated = np.zeros(count, bool)
        self._steps = 0

    def rewards(self, rewards: NDArray[Any], playing: NDArray[np.int64]) -> None:
        if len(playing) == len(self.returns):  # many times as fast
            self.returns += rewards
        else:
            self.returns[playing] += rewards
        self._steps += 1
        if self._steps == self._longest:
            raise SymbenchError(f"{ENDLESS} after {self._steps:,} steps")

    def ends(self, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_], playing: NDArray[np.int64]) -> None:
        self.terminated[playing] = terminated
        ended = playing[terminated | truncated]
        self.lengths[ended] = self._steps  # all have begun together


class _Comparison(Callback):
    """Checks what is shown to the agent, below and above the perturbations, and compares the two."""

    def __init__(self, checks: Checks, watch: Watch) -> None:
        self._checks, self._watch = checks, watch
        self.actions, self.rewards = checks.actions, checks.rewards  # type: ignore[method-assign]

    def observations(self, seen: Any, playing: NDArray[np.int64]) -> None:
        assert self._watch.view is not None
        shown = rows_of(self._watch.view.latest, playing)
        self._checks.observations(shown, playing)
        self._checks.perturbed(seen)
        self._watch.compare(self._checks.step, shown, seen, playing)


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
        InputChange.join([part.input_change for part in parts]),
        sum(part.outside for part in parts),
    )
