"""Statistics over training runs: interquartile mean, bootstrap intervals, retention, probability of improvement.

The unit of replication is the training run: episodes are averaged first (Agarwal et al. 2021, arXiv 2108.13264). With a
single training run there is nothing to resample but its episodes; such an interval says how well this one agent is
known, not how the method would do when trained again, and tables say so.

All functions take scores of shape (R, E): R training runs, E episodes with the same seeds in every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 2000
CONFIDENCE = 0.95

# Below this normalised return an agent has learned nothing that a perturbation could take away.
LEAST_CLEAN_SCORE = 0.05


class Estimate(NamedTuple):
    """A number with its 95% interval; all three are NaN where the number means nothing."""

    value: float
    low: float
    high: float


UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))


def interval_over(runs: int) -> Literal["runs", "episodes"]:
    """What intervals are resampled over, given the number of training runs."""
    return "runs" if runs > 1 else "episodes"


def iqm(scores: Any) -> Any:
    """Interquartile mean along the last axis: the lowest and the highest quarter are left out.

    Args:
        scores: Shape (..., n). A quarter of n is rounded down, so up to 3 values are averaged plainly.

    Returns:
        Shape (...).

    Example:
        >>> float(iqm([0.0, 1.0, 2.0, 300.0]))
        1.5
    """
    ordered = np.sort(scores, axis=-1)
    cut = ordered.shape[-1] // 4
    return ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)


def score(scores: Array, rng: np.random.Generator) -> Estimate:
    """Interquartile mean over training runs of their mean scores, (R, E) -> estimate."""
    units, mean = _units(scores)
    return bootstrap([units], mean, rng)


def retention(perturbed: Array, clean: Array, rng: np.random.Generator) -> Estimate:
    """The share of the clean score that is left under a perturbation.

    Both are normalised and come from the same training runs and the same episode seeds, which are resampled together.

    Args:
        perturbed: Normalised returns, (R, E).
        clean: Normalised returns of the same runs and seeds without perturbation, (R, E).
        rng: Draws the resamples.

    Returns:
        The estimate; undefined if the clean score is hardly above random play.
    """
    units, mean = _units(np.stack([perturbed, clean]))
    if mean(units[1]) < LEAST_CLEAN_SCORE:
        return UNDEFINED
    # A resample may consist of failures only; a clean score near zero must not turn it into an infinite share.
    return bootstrap([units], lambda draw: mean(draw[0]) / np.maximum(mean(draw[1]), LEAST_CLEAN_SCORE), rng)


def probability_of_improvement(ours: Array, theirs: Array, rng: np.random.Generator) -> Estimate:
    """Probability that a training run of ours scores higher than one of theirs; ties count half.

    The mean over all pairs of runs, i.e. the Mann-Whitney U statistic divided by the number of pairs. If one side has a
    single training run, its episodes are compared with those of the same seed instead.

    Args:
        ours: Scores, (R, E).
        theirs: Scores of another agent, (S, E).
        rng: Draws the resamples.
    """
    if min(len(ours), len(theirs)) > 1:
        return bootstrap([ours.mean(axis=1), theirs.mean(axis=1)], _share_of_wins, rng)
    wins = _wins(ours[:, None, :], theirs[None, :, :]).mean(axis=(0, 1))
    return bootstrap([wins], lambda draw: draw.mean(axis=-1), rng)


def aggregate(tasks: Sequence[Array], rng: np.random.Generator) -> Estimate:
    """Interquartile mean over the runs of several tasks, resampled within each task (stratified bootstrap).

    Args:
        tasks: Normalised scores of one agent, (R, E) each.
        rng: Draws the resamples.

    Returns:
        The estimate; without an interval if a task has a single training run.
    """
    strata = [scores.mean(axis=1) for scores in tasks]
    estimate = bootstrap(strata, lambda *draws: iqm(np.concatenate(draws, axis=-1)), rng)
    single = min(map(len, tasks)) == 1
    return Estimate(estimate.value, float("nan"), float("nan")) if single else estimate


def bootstrap(
    strata: Sequence[Array],
    statistic: Callable[..., Any],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Stratified percentile bootstrap: units are drawn with replacement within each stratum.

    Args:
        strata: Arrays of shape (..., n_k); the last axis is resampled, leading ones are drawn together.
        statistic: Maps arrays (..., B, n_k), one per stratum, to (B,), or (..., n_k) to a scalar.
        rng: Draws the resamples.
        resamples: How many, B.
    """
    value = float(statistic(*strata))
    if not np.isfinite(value):
        return UNDEFINED
    draws = [stratum[..., rng.integers(stratum.shape[-1], size=(resamples, stratum.shape[-1]))] for stratum in strata]
    low, high = np.quantile(statistic(*draws), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high))


def _units(scores: Array) -> tuple[Array, Callable[[Array], Any]]:
    """What is resampled, on the last axis, and how it is averaged: (..., R, E) -> runs, or episodes of a single run."""
    if scores.shape[-2] > 1:
        return scores.mean(axis=-1), iqm
    return scores[..., 0, :], lambda units: units.mean(axis=-1)


def _wins(ours: Array, theirs: Array) -> Array:
    wins: Array = (ours > theirs) + 0.5 * (ours == theirs)
    return wins


def _share_of_wins(ours: Array, theirs: Array) -> Any:
    """(..., R), (..., S) -> (...)."""
    return _wins(ours[..., :, None], theirs[..., None, :]).mean(axis=(-2, -1))
