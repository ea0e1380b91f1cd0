"""The returns of a run, by task, condition and agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from symbench.errors import SymbenchError
from symbench.runner.agent_specs import RANDOM
from symbench.runner.cell_id import CellId
from symbench.tasks import GapMetric, tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from symbench.runner import Manifest, Record

    Array = NDArray[np.float64]
else:
    Array = Any  # a named tuple's annotations are read when it is made


class Paired(NamedTuple):
    """What the same R training runs have in the same E episodes, (R, E) each."""

    runs: list[int]
    perturbed: Array
    clean: Array


class Scores:
    """Returns as matrices of training runs and episodes.

    Conditions are written as ``"shuffle-sensors/every-100"``.
    """

    def __init__(self, manifest: Manifest, records: Sequence[Record]) -> None:
        """Index the records of a run."""
        self._manifest = manifest
        self._records: dict[tuple[str, str, str], dict[int, Record]] = {}
        for record in records:
            cell = record.cell
            key = cell.task, f"{cell.perturbation}/{cell.level}", cell.agent
            self._records.setdefault(key, {})[cell.run] = record
        self._ids: dict[tuple[str, str, str], list[CellId]] = {}
        for id in map(CellId.parse, {**manifest.cells, **manifest.skipped}):
            self._ids.setdefault((id.task, id.condition, id.agent), []).append(id)

    def agents(self, task: str) -> list[str]:
        """Agents that were to play a task: the one others are compared with, the others as given, random play."""
        names = dict.fromkeys(agent for where, _, agent in self._ids if where == task)
        return sorted(names, key=lambda name: (name == "random", name != self._manifest.suite.compare_with))

    def ids(self, task: str, condition: str, agent: str) -> list[CellId]:
        """The cells of an agent under a condition that are planned or were skipped, one a training run."""
        return self._ids.get((task, condition, agent), [])

    def runs(self, task: str, condition: str, agent: str) -> set[int]:
        """Training runs that have been evaluated."""
        return set(self._records.get((task, condition, agent), {}))

    def returns(self, task: str, condition: str, agent: str, only: Collection[int] | None = None) -> Array | None:
        """Returns, (R, E), of all training runs or of some; ``None`` if there are none.

        Raises:
            SymbenchError: The training runs have different numbers of episodes.
        """
        by_run = self._records.get((task, condition, agent), {})
        rows = [by_run[run].episodes.returns for run in sorted(by_run) if only is None or run in only]
        if len(counts := sorted({len(row) for row in rows})) > 1:
            raise SymbenchError(
                f"training runs of {agent} in {task}, {condition}, have {' and '.join(map(str, counts))} episodes; "
                "evaluate them again with --no-resume"
            )
        return np.stack(rows) if rows else None

    def scores(self, task: str, condition: str, agent: str, only: Collection[int] | None = None) -> Array | None:
        """The same by the task's metric; see :meth:`symbench.tasks.Metric.score`."""
        returns = self.returns(task, condition, agent, only)
        return None if returns is None else self._manifest.tasks[task].metric.score(returns)

    def gains(self, task: str, condition: str, agent: str, only: Collection[int] | None = None) -> Array | None:
        """What retention is the share of; see :meth:`symbench.tasks.Metric.gain`."""
        returns = self.returns(task, condition, agent, only)
        return None if returns is None else self._manifest.tasks[task].metric.gain(returns)

    def paired_gains(self, task: str, condition: str, baseline: str, agent: str) -> Paired | None:
        """Gains under a condition and without perturbation, of the same training runs in the same games.

        Returns:
            ``None`` if no training run has played both, or they differ in the number of episodes; and of random play,
            which has nothing to lose, though chance may lift it above its own interval.
        """
        if agent == RANDOM.name:
            return None
        both = self.runs(task, baseline, agent) & self.runs(task, condition, agent)
        perturbed, clean = (self.gains(task, which, agent, both) for which in (condition, baseline))
        if perturbed is None or clean is None or perturbed.shape != clean.shape:
            return None
        games = self.distinct(task, (condition, agent), (baseline, agent), only=both)
        return Paired(sorted(both), perturbed[:, games], clean[:, games])

    def excess(self, task: str, condition: str, agent: str, only: Collection[int] | None = None) -> Array | None:
        """Gaps to the references of the same instances in %, (R, E); ``None`` without references or episodes.

        Scores are affine in the mean return, so an order by scores is one by mean lengths; the mean gap weighs every
        instance by its own reference and orders agents alike but for near ties.
        """
        metric, returns = self._manifest.tasks[task].metric, self.returns(task, condition, agent, only)
        if returns is None or not isinstance(metric, GapMetric):
            return None
        first = next(iter(self._records[task, condition, agent].values()))
        try:
            return metric.gaps(first.episodes.seeds, returns)
        except SymbenchError:  # a suite with seeds of its own
            return None

    def distinct(self, task: str, *who: tuple[str, str], only: Collection[int] | None = None) -> NDArray[np.int64]:
        """Which episodes are not an earlier one again, for all of these conditions and agents: places, rising.

        Args:
            task: Name of the task. Unless it says when its games end (:attr:`symbench.tasks.Task.ends_at`), all are.
            who: Conditions and agents that have been played, with equal numbers of episodes.
            only: Training runs, as of :meth:`returns`.
        """
        records = [
            record
            for condition, agent in who
            for run, record in sorted(self._records[task, condition, agent].items())
            if only is None or run in only
        ]
        known = tasks().get(task)
        if known is None or known.ends_at is None:
            return np.arange(len(records[0].episodes.seeds))
        games = [column for record in records for column in _games(record, known.ends_at)]
        return np.sort(np.unique(np.stack(games), axis=1, return_index=True)[1])

    def measures(self, task: str, condition: str, agent: str) -> dict[str, float]:
        """What else was measured, the largest of the training runs."""
        of_runs = [record.measures for record in self._records.get((task, condition, agent), {}).values()]
        names = sorted({name for measures in of_runs for name in measures})
        return {name: max(measures[name] for measures in of_runs if name in measures) for name in names}

    def mean_length(self, task: str, condition: str, agent: str) -> float:
        """Mean length of an episode in steps, NaN without episodes."""
        records = self._records.get((task, condition, agent), {}).values()
        return float(np.mean([record.episodes.lengths.mean() for record in records])) if records else float("nan")


def _games(record: Record, ends_at: Callable[[int, int], int]) -> tuple[Array, Array]:
    """What two episodes have in common that are the same game, (E,) each: their returns and when they end."""
    episodes = record.episodes
    ends = map(ends_at, episodes.seeds.tolist(), episodes.lengths.tolist())
    return episodes.returns, np.array(list(ends), np.float64)
