"""From cells to rows: one row per task, perturbation, level and agent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symbench.leaderboard.statistics import (
    UNDEFINED,
    Estimate,
    interval_over,
    probability_of_improvement,
    retention,
    score,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.runner import Manifest, Record
    from symbench.runner.manifest import TaskFacts
    from symbench.suites import Perturbation

    Array = NDArray[np.float64]
    # (task, condition, agent) -> training run -> returns of its episodes (E,)
    Returns = dict[tuple[str, str, str], dict[int, Array]]

NAN = math.nan


@dataclass(frozen=True)
class Row:
    """What is known about one agent in one task under one condition.

    Attributes:
        suite: Suite and version.
        task: Name of the task.
        condition: The perturbation and its level.
        agent: Name of the agent.
        runs: Training runs evaluated.
        episodes: Episodes of each.
        protocol_episodes: Episodes of each in the published protocol.
        mean: Mean return over all episodes of all runs.
        std: Standard deviation over the same.
        iqm: Normalised score, see :func:`~symbench.leaderboard.statistics.score`.
        retention: Share of the unperturbed score that is left.
        improvement: Probability of scoring higher than the suite's ``compare_with`` agent.
        length: Mean length of an episode in steps.
        note: Why there is nothing, if there is nothing.
    """

    suite: str
    task: str
    condition: Perturbation
    agent: str
    runs: int = 0
    episodes: int = 0
    protocol_episodes: int = 0
    mean: float = NAN
    std: float = NAN
    iqm: Estimate = UNDEFINED
    retention: Estimate = UNDEFINED
    improvement: Estimate = UNDEFINED
    length: float = NAN
    note: str = ""

    @property
    def interval_over(self) -> str:
        """What the intervals were resampled over: ``"runs"`` or ``"episodes"``; empty without episodes."""
        return interval_over(self.runs) if self.runs else ""

    @property
    def quick(self) -> bool:
        """Whether fewer episodes were played than the protocol asks for."""
        return 0 < self.episodes < self.protocol_episodes


def make_rows(manifest: Manifest, records: Sequence[Record]) -> list[Row]:
    """Derive all rows of a run.

    Args:
        manifest: What was run; cells it does not name are left out.
        records: The cells.

    Returns:
        Rows in the order task, condition, agent (random last); rows without episodes say why in ``note``.
    """
    known = [record for record in records if manifest.cells.get(record.cell.id) == record.cell.spec_hash]
    return _Rows(manifest, known).all()


class _Rows:
    def __init__(self, manifest: Manifest, records: Sequence[Record]) -> None:
        self._manifest = manifest
        self._returns: Returns = {}
        self._lengths: dict[tuple[str, str, str], list[float]] = {}
        for record in records:
            cell = record.cell
            key = cell.task, f"{cell.perturbation}/{cell.level}", cell.agent
            self._returns.setdefault(key, {})[cell.run] = record.episodes.returns
            self._lengths.setdefault(key, []).append(float(record.episodes.lengths.mean()))

    def all(self) -> list[Row]:
        return [
            self._row(task, condition, agent)
            for task in self._manifest.tasks
            for condition in self._manifest.suite.perturbations
            for agent in self._agents(task)
        ]

    def _agents(self, task: str) -> list[str]:
        ids = [id.split("/") for id in (*self._manifest.cells, *self._manifest.skipped)]
        names = list(dict.fromkeys(parts[4] for parts in ids if parts[1] == task))
        return sorted(names, key=lambda name: name == "random")

    def _row(self, task: str, condition: Perturbation, agent: str) -> Row:
        suite, facts = self._manifest.suite, self._manifest.tasks[task]
        returns = self._matrix(task, condition.id, agent)
        if returns is None:
            note = self._note(task, condition, agent)
            return Row(suite.tag, task, condition, agent, protocol_episodes=facts.episodes, note=note)
        # Every row draws from the same seed, so that it does not depend on which others are in the table.
        return Row(
            suite=suite.tag,
            task=task,
            condition=condition,
            agent=agent,
            runs=len(returns),
            episodes=returns.shape[1],
            protocol_episodes=facts.episodes,
            mean=float(returns.mean()),
            std=float(returns.std()),
            iqm=score(_normalise(returns, facts), np.random.default_rng(suite.seed)),
            retention=self._retention(task, condition, agent, facts),
            improvement=self._improvement(task, condition, agent),
            length=float(np.mean(self._lengths[task, condition.id, agent])),
        )

    def _retention(self, task: str, condition: Perturbation, agent: str, facts: TaskFacts) -> Estimate:
        suite = self._manifest.suite
        both = self._returns.get((task, suite.baseline.id, agent), {}).keys() & self._returns[task, condition.id, agent]
        if condition.baseline or not both:
            return UNDEFINED
        perturbed = self._matrix(task, condition.id, agent, both)
        clean = self._matrix(task, suite.baseline.id, agent, both)
        if perturbed is None or clean is None or perturbed.shape != clean.shape:
            return UNDEFINED
        rng = np.random.default_rng(suite.seed)
        return retention(_normalise(perturbed, facts), _normalise(clean, facts), rng)

    def _improvement(self, task: str, condition: Perturbation, agent: str) -> Estimate:
        suite = self._manifest.suite
        ours = self._matrix(task, condition.id, agent)
        theirs = self._matrix(task, condition.id, suite.compare_with or "")
        if agent == suite.compare_with or ours is None or theirs is None or ours.shape[1] != theirs.shape[1]:
            return UNDEFINED
        return probability_of_improvement(ours, theirs, np.random.default_rng(suite.seed))

    def _matrix(self, task: str, condition: str, agent: str, only: set[int] | None = None) -> Array | None:
        """Returns of the training runs, (R, E), or ``None`` if there are none."""
        by_run = self._returns.get((task, condition, agent), {})
        rows = [by_run[run] for run in sorted(by_run) if only is None or run in only]
        return np.stack(rows) if rows else None

    def _note(self, task: str, condition: Perturbation, agent: str) -> str:
        prefix = f"{self._manifest.suite.tag}/{task}/{condition.id}/{agent}/"
        for kind, reasons in (("failed", self._manifest.failed), ("skipped", self._manifest.skipped)):
            for id, reason in reasons.items():
                if id.startswith(prefix):
                    return f"{kind}: {reason}"
        return "not evaluated yet"


def _normalise(returns: Array, facts: TaskFacts) -> Array:
    """0 is random play, 1 is the task's reference."""
    return (returns - facts.random_return) / (facts.reference_return - facts.random_return)
