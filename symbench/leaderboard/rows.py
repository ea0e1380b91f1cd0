"""From cells to rows: one row per task, perturbation, level and agent."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from symbench.leaderboard.bootstrap import UNDEFINED, Estimate, interval_over
from symbench.leaderboard.retention import (
    aggregate,
    improvement_over,
    probability_of_improvement,
    retention,
    score,
)
from symbench.leaderboard.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.runner import Manifest, Record
    from symbench.suites import Perturbation

NAN = math.nan
_SAME_GAP = 1e-6  # %; the same tour from another city on adds up to another last bit


class GapKind(str, Enum):
    """Why a training run has no episodes, worst first."""

    FAILED = "failed"
    SKIPPED = "skipped"
    PENDING = "not evaluated yet"


@dataclass(frozen=True)
class Gap:
    """Training runs of a row that have no episodes.

    Attributes:
        kind: The worst reason among them.
        runs: How many have it.
        of: Training runs that the row should have.
        reason: Details of the first, if there are any.
    """

    kind: GapKind
    runs: int
    of: int
    reason: str = ""

    def __str__(self) -> str:
        """For example ``1 of 5 training runs failed: out of memory``; without numbers if it is all of them."""
        share = "" if self.runs == self.of else f"{self.runs} of {self.of} training runs "
        return share + self.kind.value + (f": {self.reason}" if self.reason else "")


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
        games: How many of them are not the same game again; see :meth:`~symbench.leaderboard.scores.Scores.distinct`.
        protocol_episodes: Episodes of each in the published protocol.
        mean: Mean return over all episodes of all runs.
        std: Standard deviation over the same; NaN for a single one.
        excess: Mean gap to the references of the same instances in %, NaN without; see
            :class:`~symbench.tasks.GapMetric`.
        excess_std: Standard deviation of the gap over instances and runs.
        excess_changed: Share of instances on which it is not what the same run has without perturbation.
        scale: What the score is: ``"normalised"``, or ``"raw"`` (a return) in a task without a reference.
        iqm: Score by the task's metric, see :func:`~symbench.leaderboard.retention.score`.
        retention: Share of the unperturbed score that is left; 1 for the unperturbed condition itself.
        improvement: Probability of scoring higher than the suite's ``compare_with`` agent.
        length: Mean length of an episode in steps.
        improvement_over: What that probability compares, ``"runs"`` or ``"episodes"``; empty without.
        measures: What else was measured, the largest of its runs; see :mod:`symbench.runner.measures`.
        gap: Why training runs are missing, if some are or all.
    """

    suite: str
    task: str
    condition: Perturbation
    agent: str
    runs: int = 0
    episodes: int = 0
    games: int = 0
    protocol_episodes: int = 0
    mean: float = NAN
    std: float = NAN
    excess: float = NAN
    excess_std: float = NAN
    excess_changed: float = NAN
    iqm: Estimate = UNDEFINED
    retention: Estimate = UNDEFINED
    improvement: Estimate = UNDEFINED
    length: float = NAN
    improvement_over: str = ""
    measures: dict[str, float] = field(default_factory=dict)
    scale: str = ""
    gap: Gap | None = None

    @property
    def interval_over(self) -> str:
        """What the intervals of score and retention are over, as :mod:`symbench.leaderboard.bootstrap` says it."""
        return interval_over(self.runs, self.games)

    @property
    def quick(self) -> bool:
        """Whether fewer episodes were played than the protocol asks for."""
        return 0 < self.episodes < self.protocol_episodes


@dataclass(frozen=True)
class Summary:
    """The score of an agent under one condition, the mean over all tasks."""

    condition: Perturbation
    agent: str
    iqm: Estimate


def make_rows(manifest: Manifest, records: Sequence[Record]) -> list[Row]:
    """Derive all rows of a run.

    Args:
        manifest: What was run.
        records: Its cells that have been evaluated.

    Returns:
        Rows in the order task, condition, agent; rows that miss training runs say why in ``gap``.

    Raises:
        SymbenchError: Training runs of one agent have different numbers of episodes.
    """
    scores = Scores(manifest, records)
    return [
        _row(manifest, scores, task, condition, agent)
        for task, facts in manifest.tasks.items()
        for condition in manifest.suite.distinct(facts)
        for agent in scores.agents(task)
    ]


def summarise(manifest: Manifest, records: Sequence[Record]) -> list[Summary]:
    """Scores over all tasks of a run, for the agents that play all of them; nothing if there is one task.

    Nothing either if a task has no reference: raw returns of different tasks have no mean.
    """
    scores = Scores(manifest, records)
    by_task = [scores.agents(task) for task in manifest.tasks]
    if len(by_task) < 2 or not all(facts.metric.normalised for facts in manifest.tasks.values()):
        return []
    everywhere = [agent for agent in by_task[0] if all(agent in others for others in by_task)]
    of_tasks = [manifest.suite.distinct(facts) for facts in manifest.tasks.values()]
    return [
        Summary(condition, agent, _over_tasks(manifest, scores, condition, agent))
        for condition in of_tasks[0]
        if all(condition in others for others in of_tasks)
        for agent in everywhere
    ]


def _over_tasks(manifest: Manifest, scores: Scores, condition: Perturbation, agent: str) -> Estimate:
    of_tasks = [scores.scores(task, condition.id, agent) for task in manifest.tasks]
    complete = [
        matrix[:, scores.distinct(task, (condition.id, agent))]
        for task, matrix in zip(manifest.tasks, of_tasks, strict=True)
        if matrix is not None
    ]
    return aggregate(complete, manifest.suite.seed) if len(complete) == len(of_tasks) else UNDEFINED


def _row(manifest: Manifest, scores: Scores, task: str, condition: Perturbation, agent: str) -> Row:
    suite, facts = manifest.suite, manifest.tasks[task]
    returns, by_metric = (get(task, condition.id, agent) for get in (scores.returns, scores.scores))
    gap = _gap(manifest, scores, task, condition, agent)
    if returns is None or by_metric is None:
        return Row(
            suite.tag, task, condition, agent, protocol_episodes=facts.episodes, scale=facts.metric.scale, gap=gap
        )
    games = scores.distinct(task, (condition.id, agent))
    excess = scores.excess(task, condition.id, agent)
    improvement, over = _improvement(manifest, scores, task, condition, agent)
    return Row(
        suite=suite.tag,
        task=task,
        condition=condition,
        agent=agent,
        runs=len(returns),
        episodes=returns.shape[1],
        games=len(games),
        protocol_episodes=facts.episodes,
        mean=float(returns.mean()),
        std=float(returns.std()) if returns.size > 1 else NAN,
        excess=NAN if excess is None else float(excess.mean()),
        excess_std=NAN if excess is None or excess.size < 2 else float(excess.std()),
        excess_changed=_changed(manifest, scores, task, condition, agent),
        iqm=score(by_metric[:, games], suite.seed),
        retention=_retention(manifest, scores, task, condition, agent),
        improvement=improvement,
        improvement_over=over,
        length=scores.mean_length(task, condition.id, agent),
        measures=scores.measures(task, condition.id, agent),
        scale=facts.metric.scale,
        gap=gap,
    )


def _changed(manifest: Manifest, scores: Scores, task: str, condition: Perturbation, agent: str) -> float:
    """Share of instances on which a run's gap is not its unperturbed one; NaN without references."""
    baseline = manifest.suite.baseline.id
    both = scores.runs(task, baseline, agent) & scores.runs(task, condition.id, agent)
    perturbed, clean = (scores.excess(task, which, agent, both) for which in (condition.id, baseline))
    if condition.baseline or perturbed is None or clean is None or perturbed.shape != clean.shape:
        return NAN
    return float((abs(perturbed - clean) > _SAME_GAP).mean())


def _retention(manifest: Manifest, scores: Scores, task: str, condition: Perturbation, agent: str) -> Estimate:
    paired = scores.paired_gains(task, condition.id, manifest.suite.baseline.id, agent)
    if paired is None:
        return UNDEFINED
    estimate = retention(paired.perturbed, paired.clean, manifest.suite.seed)
    if condition.baseline and not math.isnan(estimate.value):
        return Estimate(1.0, NAN, NAN)  # by definition, also where a training run has failed
    return estimate


def _improvement(
    manifest: Manifest, scores: Scores, task: str, condition: Perturbation, agent: str
) -> tuple[Estimate, str]:
    """The probability, and what it compares: the side with fewer training runs decides."""
    other = manifest.suite.compare_with
    if other is None or agent == other:
        return UNDEFINED, ""
    ours, theirs = (scores.returns(task, condition.id, name) for name in (agent, other))
    if ours is None or theirs is None or ours.shape[1] != theirs.shape[1]:
        return UNDEFINED, ""
    games = scores.distinct(task, (condition.id, agent), (condition.id, other))
    return probability_of_improvement(ours[:, games], theirs[:, games]), improvement_over(len(ours), len(theirs))


def _gap(manifest: Manifest, scores: Scores, task: str, condition: Perturbation, agent: str) -> Gap | None:
    ids, played = scores.ids(task, condition.id, agent), scores.runs(task, condition.id, agent)
    missing = [str(id) for id in ids if id.run not in played]
    for kind, reasons in ((GapKind.FAILED, manifest.failed), (GapKind.SKIPPED, manifest.skipped)):
        if found := [id for id in missing if id in reasons]:
            return Gap(kind, len(found), len(ids), reasons[found[0]])
    return Gap(GapKind.PENDING, len(missing), len(ids)) if missing or not ids else None
