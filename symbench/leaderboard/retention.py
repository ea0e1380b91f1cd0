"""What tables, boards and the site say about agents: score, retention, probability of improvement.

The unit of replication is the training run: episodes are averaged first (Agarwal et al. 2021, arXiv 2108.13264). Chance
is trimmed, by the interquartile mean over training runs; what was chosen, conditions and tasks, counts equally. Below
:data:`~symbench.leaderboard.bootstrap.RANKED_FROM` training runs an interval says how well these runs are known, not
how the method would do when trained again, and tables say so. docs/statistics.md explains all of it.

Functions take scores of shape (R, E): R training runs, E episodes with the same seeds in every run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.leaderboard.bootstrap import (
    RANKED_FROM,
    RESAMPLES,
    UNDEFINED,
    Draws,
    Estimate,
    components,
    crossed,
    estimate,
    half_width,
    interval_over,
    iqm,
)
from symbench.leaderboard.proportions import newcombe, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

STATISTICS: Final = 3
"""Version of these definitions. Tables show it: numbers of different versions are different things."""

LEAST_CLEAN_SCORE: Final = 0.05
"""Below this normalised score an agent has learned nothing that a perturbation could take away."""

ALL_OF_IT: Final = 1.0
"""What a training run keeps at most on boards: who plays worse without a perturbation has not gained by that one."""


def score(scores: Array, seed: int, name: str = "", resamples: int = RESAMPLES) -> Estimate:
    """Interquartile mean over training runs of their mean scores.

    Args:
        scores: Normalised returns, (R, E).
        seed: Of the resamples, see :func:`~symbench.leaderboard.bootstrap.crossed`.
        name: Of the agent, the same.
        resamples: How many.
    """
    return estimate(crossed(scores[None], seed, name, resamples=resamples))


def shares(perturbed: Array, clean: Array, most: float = math.inf) -> Array:
    """The share of its clean score that each training run keeps: the one definition of retention.

    A run that has failed, with a clean score below :data:`LEAST_CLEAN_SCORE`, is divided by that score instead. It
    stays among the others and keeps little; its share is neither infinite nor of the wrong sign.

    Args:
        perturbed: Mean normalised scores of training runs, (..., R).
        clean: Those of the same runs without perturbation, (..., R).
        most: What counts at most; :data:`ALL_OF_IT` on boards.
    """
    kept: Array = np.minimum(perturbed / np.maximum(clean, LEAST_CLEAN_SCORE), most)
    return kept


def retention_draws(perturbed: Array, clean: Array, seed: int, name: str = "", most: float = math.inf) -> Draws | None:
    """Retention: the mean over conditions of the interquartile mean over training runs of :func:`shares`.

    Args:
        perturbed: Normalised returns under C conditions, (C, R, E).
        clean: Those of the same runs and episodes without perturbation, (R, E); both are drawn together.
        seed: As in :func:`score`.
        name: The same.
        most: As in :func:`shares`.

    Returns:
        ``None`` if nothing could be lost, see :func:`has_learned`.
    """
    if not has_learned(clean):
        return None
    return crossed(np.stack([clean, *perturbed]), seed, name, units=lambda means: shares(means[1:], means[0], most))


def retention(perturbed: Array, clean: Array, seed: int, name: str = "") -> Estimate:
    """The same for one condition, (R, E) each; undefined if nothing could be lost."""
    draws = retention_draws(perturbed[None], clean, seed, name)
    return UNDEFINED if draws is None else estimate(draws)


def retention_on_a_board(perturbed: Array, clean: Array, seed: int, name: str) -> Estimate:
    """The same for C conditions, (C, R, E), where no training run keeps more than :data:`ALL_OF_IT`."""
    draws = retention_draws(perturbed, clean, seed, name, ALL_OF_IT)
    if draws is None:
        return UNDEFINED
    value, low, high = estimate(draws)
    return Estimate(value, low, min(high, ALL_OF_IT))  # NaN, without an interval, stays NaN


def has_learned(clean: Array) -> bool:
    """Whether the interquartile mean of clean scores, (R, E), reaches :data:`LEAST_CLEAN_SCORE`."""
    return bool(iqm(clean.mean(axis=-1)) >= LEAST_CLEAN_SCORE)


def aggregate(tasks: Sequence[Array], seed: int) -> Estimate:
    """The mean over tasks of the interquartile mean over training runs; tasks are drawn independently.

    Args:
        tasks: Normalised scores of one agent, (R, E) each.
        seed: Of the resamples.

    Returns:
        The estimate; without an interval if a task has too few training runs or a single episode.
    """
    draws = [crossed(scores[None], seed, str(place)) for place, scores in enumerate(tasks)]
    value = float(np.mean([each.value for each in draws]))
    if any(interval_over(*each.shape) != "runs and episodes" for each in draws):
        return Estimate(value, *UNDEFINED[1:])
    half = half_width(part for each in draws for part in components(each)) / len(draws)
    return Estimate(value, value - half, value + half)


def probability_of_improvement(ours: Array, theirs: Array) -> Estimate:
    """Probability that a training run of ours scores higher than one of theirs; ties count half.

    The mean over all pairs of runs, i.e. the Mann-Whitney U statistic divided by the number of pairs, with Newcombe's
    interval; without one below :data:`RANKED_FROM` runs on either side. If one side has a single training run, its
    episodes are compared with those of the same seed instead, with Wilson's interval.

    Args:
        ours: Scores, (R, E).
        theirs: Scores of another agent, (S, E).
    """
    fewest = min(len(ours), len(theirs))
    if fewest > 1:
        value = float(_wins(ours.mean(axis=1)[:, None], theirs.mean(axis=1)).mean())
        ends = newcombe(value, len(ours), len(theirs)) if fewest >= RANKED_FROM else UNDEFINED[1:]
        return Estimate(value, *ends)
    value = float(_wins(ours[:, None, :], theirs[None, :, :]).mean())
    count = ours.shape[1]
    return Estimate(value, *(map(float, wilson(value, count)) if count > 1 else UNDEFINED[1:]))


def improvement_over(ours: int, theirs: int) -> str:
    """What :func:`probability_of_improvement` compares, given the numbers of training runs."""
    return "runs" if min(ours, theirs) > 1 else "episodes"


def _wins(ours: Any, theirs: Any) -> Array:
    wins: Array = (ours > theirs) + 0.5 * (ours == theirs)
    return wins
