"""Two submissions, or two agents of a run: paired differences, whether they could be chance, who is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.bootstrap import RANKED_FROM, Draws, Estimate, crossed, interval_over, mean
from symbench.leaderboard.bootstrap import difference as difference_of
from symbench.leaderboard.proportions import paired_permutation
from symbench.leaderboard.retention import probability_of_improvement
from symbench.leaderboard.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission
    from symbench.runner import Manifest, Record

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Two agents in one task under one condition.

    Attributes:
        task: Name of the task.
        condition: Name of the condition.
        ours: Mean return of the first.
        theirs: Mean return of the second.
        difference: The first minus the second.
        better: Share of the episode seeds under which the first has the higher mean return over its training runs;
            equal ones count half.
        p: Of the paired permutation test over episode seeds: how often two agents that are equally good in these
            episodes differ so much. It says nothing about other training runs.
        improvement: Probability that a training run of the first is better than one of the second.
        over: What the interval of the difference is over, ``"runs and episodes"`` or ``"episodes"``; empty without.
    """

    task: str
    condition: str
    ours: float
    theirs: float
    difference: Estimate
    better: float
    p: float
    improvement: Estimate
    over: str


def compare(ours: Submission, theirs: Submission) -> list[Difference]:
    """Compare two submissions in all tasks and conditions in which both act.

    Raises:
        SymbenchError: They are of different suites or have no task in common.
    """
    if ours.card.suite != theirs.card.suite:
        raise SymbenchError(f"only submissions of one suite compare: {ours.card.suite} and {theirs.card.suite}")
    both = {key[:3]: None for key in ours.cells if key in theirs.cells}
    if not both:
        raise SymbenchError(
            f"{ours.card.name} and {theirs.card.name} have no task in common: "
            f"{', '.join(ours.card.tasks)} and {', '.join(theirs.card.tasks)}"
        )
    return [
        _difference(ours.returns(*place), theirs.returns(*place), ours.suite.seed, *place)
        for place in ((task, f"{name}/{level}") for task, name, level in both)
    ]


def compare_agents(manifest: Manifest, records: Sequence[Record], ours: str, theirs: str) -> list[Difference]:
    """Compare two agents of one run in all tasks and conditions that both have played.

    Raises:
        SymbenchError: One is not in the run, or there is no such task and condition.
    """
    scores = Scores(manifest, records)
    known = {agent for task in manifest.tasks for agent in scores.agents(task)}
    for agent in (ours, theirs):
        if agent not in known:
            raise unknown("agent", agent, known, "in this run")
    places = [(task, each.id) for task, facts in manifest.tasks.items() for each in manifest.suite.distinct(facts)]
    both = [(scores.returns(*place, ours), scores.returns(*place, theirs), *place) for place in places]
    found = [
        _difference(mine, yours, manifest.suite.seed, *place)
        for mine, yours, *place in both
        if mine is not None and yours is not None and mine.shape[1] == yours.shape[1]
    ]
    if not found:
        raise SymbenchError(f"{ours} and {theirs} have no cell in common that has been evaluated")
    return found


def difference(ours: Array, theirs: Array, seed: int) -> Estimate:
    """Difference of mean returns.

    The interval is over training runs and episodes: runs are drawn independently on both sides, episodes in pairs of
    the same seed. With fewer than five training runs on either side it is over episodes.

    Args:
        ours: Returns, (R, E).
        theirs: Returns under the same seeds, (S, E).
        seed: Draws the resamples.
    """
    over = min(len(ours), len(theirs))
    return difference_of(_draws(ours, seed, "ours", over), _draws(theirs, seed, "theirs", over))


def _draws(returns: Array, seed: int, name: str, fewest: int) -> Draws:
    return crossed(returns[None], seed, name, average=mean, over_runs=fewest >= RANKED_FROM)


def _difference(mine: Array, yours: Array, seed: int, task: str, condition: str) -> Difference:
    paired, fewest = mine.mean(axis=0) - yours.mean(axis=0), min(len(mine), len(yours))
    return Difference(
        task=task,
        condition=condition,
        ours=float(mine.mean()),
        theirs=float(yours.mean()),
        difference=difference(mine, yours, seed),
        better=float(np.mean((paired > 0) + 0.5 * (paired == 0))),
        p=paired_permutation(paired, seed),
        improvement=probability_of_improvement(mine, yours),
        over=interval_over(fewest, len(paired)),
    )
