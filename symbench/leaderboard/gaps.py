"""Gaps to stored references: what boards rank by in tasks whose metric (:class:`~symbench.tasks.GapMetric`) says so.

A gap is how much longer a tour is than the reference of the same instance, in %, so less is better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from symbench.leaderboard.bootstrap import Draws, Estimate, crossed, estimate
from symbench.tasks import GapMetric, get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission

    Array = NDArray[np.float64]


def ranked_by_gap(task: str) -> bool:
    """Whether boards of a task rank by the gap."""
    return get_task(task).metric.ranked_by == "gap"


def submitted_gaps(submission: Submission, task: str, conditions: Sequence[str]) -> Array:
    """Gaps in % under C conditions, (C, R, E); that of a tour of mean random length where the agent cannot act.

    Raises:
        SymbenchError: There are no references for the seeds of the suite.
    """
    metric, suite = get_task(task).metric, submission.suite
    assert isinstance(metric, GapMetric) and metric.random_return is not None
    random = np.full_like(submission.returns(task, suite.baseline.id), metric.random_return)
    skipped = submission.card.tasks[task].cannot_act
    returns = [random if each in skipped else submission.returns(task, each) for each in conditions]
    return metric.gaps(suite.seed + np.arange(random.shape[1]), np.stack(returns))


def gap_draws(gaps: Array, seed: int, name: str = "") -> Draws:
    """Minus the mean over conditions of the interquartile mean over training runs, so that more is better.

    Args:
        gaps: In %, (C, R, E).
        seed: As in :func:`~symbench.leaderboard.retention.score`.
        name: The same.
    """
    return crossed(-gaps, seed, name)


def mean_gap(draws: Draws) -> Estimate:
    """The gap of which :func:`gap_draws` has made draws, in %."""
    value, low, high = estimate(draws)
    return Estimate(-value, -high, -low)
