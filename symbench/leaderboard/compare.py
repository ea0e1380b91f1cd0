"""Two submissions side by side: paired differences and the probability of improvement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.statistics import Estimate, bootstrap, interval_over, probability_of_improvement

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission

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
        improvement: Probability that a training run of the first is better than one of the second.
        over: What the intervals are over, ``"runs"`` or ``"episodes"``.
    """

    task: str
    condition: str
    ours: float
    theirs: float
    difference: Estimate
    better: float
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
    rng = np.random.default_rng(ours.suite.seed)
    return [_difference(ours, theirs, task, f"{name}/{level}", rng) for task, name, level in both]


def difference(ours: Array, theirs: Array, rng: np.random.Generator) -> Estimate:
    """Difference of mean returns.

    The interval is over training runs, drawn independently on both sides; with a single training run on either side,
    over episodes, drawn in pairs of the same seed.

    Args:
        ours: Returns, (R, E).
        theirs: Returns under the same seeds, (S, E).
        rng: Draws the resamples.
    """
    if min(len(ours), len(theirs)) > 1:
        return bootstrap([ours.mean(axis=1), theirs.mean(axis=1)], _difference_of_means, rng)
    paired = ours.mean(axis=0) - theirs.mean(axis=0)
    return bootstrap([paired], lambda draw: draw.mean(axis=-1), rng)


def _difference_of_means(ours: Array, theirs: Array) -> Any:
    return ours.mean(axis=-1) - theirs.mean(axis=-1)


def _difference(
    ours: Submission, theirs: Submission, task: str, condition: str, rng: np.random.Generator
) -> Difference:
    mine, yours = ours.returns(task, condition), theirs.returns(task, condition)
    paired = mine.mean(axis=0) - yours.mean(axis=0)
    return Difference(
        task=task,
        condition=condition,
        ours=float(mine.mean()),
        theirs=float(yours.mean()),
        difference=difference(mine, yours, rng),
        better=float(np.mean((paired > 0) + 0.5 * (paired == 0))),
        improvement=probability_of_improvement(mine, yours, rng),
        over=interval_over(min(len(mine), len(yours))),
    )
