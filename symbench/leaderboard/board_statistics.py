"""What boards rank by and show: interquartile mean of retention, which ranks are tied, performance profiles.

Agarwal et al. 2021 (arXiv 2108.13264): scores form a matrix of training runs and conditions, training runs are drawn
with replacement, and two agents whose difference could be chance have the same rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from symbench.leaderboard.statistics import CONFIDENCE, LEAST_CLEAN_SCORE, UNDEFINED, Estimate, iqm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

REPETITIONS = 50_000
PROFILE_REPETITIONS = 2000  # as rliable draws for profiles: a band is looked at, not ranked by
_TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


class Profile(NamedTuple):
    """Share of scores above each of T thresholds with its pointwise 95% band, (T,) each; NaN where there is no band."""

    share: Array
    low: Array
    high: Array


def retention_matrix(clean: Array, perturbed: Array) -> Array | None:
    """The share of its clean score that each training run keeps under each condition.

    Args:
        clean: Normalised scores without perturbation, (R,).
        perturbed: Normalised scores of the same training runs under C conditions, (R, C).

    Returns:
        Shape (R, C); ``None`` if the clean score is hardly above random play, so that nothing could be lost.
    """
    if iqm(clean) < LEAST_CLEAN_SCORE:
        return None
    # One run that has failed must not turn into an infinite share.
    shares: Array = perturbed / np.maximum(clean, LEAST_CLEAN_SCORE)[:, None]
    return shares


def iqm_draws(units: Array, rng: np.random.Generator, repetitions: int = REPETITIONS) -> Array:
    """Bootstrap distribution of the interquartile mean, training runs drawn with replacement.

    Nothing is sorted again: values keep their order in every resample, only how often each occurs is drawn.

    Args:
        units: Scores, (R, C): the C scores of a training run are drawn together.
        rng: Draws the resamples.
        repetitions: How many, B.

    Returns:
        Shape (B,).
    """
    runs, conditions = units.shape
    order = np.argsort(units, axis=None, kind="stable")
    counts = _resamples(runs, rng, repetitions)
    rank = np.cumsum(counts[:, order // conditions], axis=1)  # (B, R C): of the last occurrence of each value
    cut = units.size // 4
    kept = np.clip(rank - cut, 0, units.size - 2 * cut)  # occurrences up to each value that are not cut off
    kept[:, 1:] -= kept[:, :-1].copy()
    draws: Array = kept @ units.ravel()[order] / (units.size - 2 * cut)
    return draws


def estimate(units: Array, draws: Array) -> Estimate:
    """Interquartile mean of scores (R, C) with its 95% percentile interval; no interval for a single training run."""
    value = float(iqm(units.ravel()))
    if len(units) == 1:
        return Estimate(value, *UNDEFINED[1:])
    low, high = np.quantile(draws, _TAILS)
    return Estimate(value, float(low), float(high))


def performance_profile(
    units: Array, taus: Array, rng: np.random.Generator, repetitions: int = PROFILE_REPETITIONS
) -> Profile:
    """P(score > tau): the share of training runs and conditions whose score is above tau (Agarwal et al. 2021, 4.3).

    The whole distribution of the scores at a glance: where the profile of one agent lies above that of another, more of
    its scores are that high.

    Args:
        units: Scores, (R, C): the C scores of a training run are drawn together, as in :func:`iqm_draws`.
        taus: Thresholds, (T,).
        rng: Draws the resamples.
        repetitions: How many, B.

    Returns:
        The profile; without a band for a single training run.
    """
    above = (units[:, :, None] > taus).sum(axis=1)  # (R, T), integers: the same on every machine to the last bit
    share = above.sum(axis=0) / units.size
    if len(units) == 1:
        return Profile(share, *np.full((2, len(taus)), np.nan))
    low, high = np.quantile(_resamples(len(units), rng, repetitions) @ above, _TAILS, axis=0) / units.size
    return Profile(share, low, high)


def ranks(draws: Sequence[Array]) -> list[int]:
    """Ranks of agents, best first, from their bootstrap distributions.

    An agent has the rank of the one before its group unless the 95% interval of the difference to the first of the
    group excludes zero; after a group of k, k ranks are used up (1, 1, 3).

    Args:
        draws: One distribution for each agent, (B,) each, drawn independently, in the order of the point estimates.
    """
    found: list[int] = []
    for place, own in enumerate(draws):
        first = found[-1] - 1 if found else place
        tied = np.quantile(draws[first] - own, _TAILS[0]) <= 0
        found.append(first + 1 if tied else place + 1)
    return found


def _resamples(runs: int, rng: np.random.Generator, repetitions: int) -> NDArray[np.int64]:
    """How often each training run occurs in each resample, (B, R)."""
    return rng.multinomial(runs, np.full(runs, 1 / runs), size=repetitions)
