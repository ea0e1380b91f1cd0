"""Crossed resampling of training runs and episodes, and the intervals made of it.

Scores form a matrix of training runs and episodes. Both are samples: other training seeds would give other runs, other
environment seeds other episodes, and every run plays the same episodes. So runs are drawn with replacement, and
episodes, the same ones for all runs and conditions (Owen 2007, the pigeonhole bootstrap). The variance of what is drawn
is split into that of the runs and that of the episodes; noise of single cells of the matrix is in both and is taken out
of one of them, without which intervals would be too wide. An interval is the value plus and minus Student's t times the
standard error, with degrees of freedom by Satterthwaite (1946). How often it holds the truth:
:mod:`symbench.leaderboard.coverage`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit  # scipy.stats takes a second to import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95
RANKED_FROM: Final = 5  # training runs: below it there are no ranks, and no intervals over training runs

_BLOCKS: Final = 1000  # more episodes than that are drawn in blocks, so that a million of them need no more memory
_OF_RUNS, _OF_EPISODES = 1, 2  # streams of random numbers


class Estimate(NamedTuple):
    """A number with its 95% interval; NaN are the ends where there is none, and all where the number means nothing."""

    value: float
    low: float
    high: float


UNDEFINED: Final = Estimate(float("nan"), float("nan"), float("nan"))


class Draws(NamedTuple):
    """A statistic of training runs and episodes, and how it varies when they are drawn anew.

    Attributes:
        value: The statistic.
        runs: Its variance when training runs are drawn; 0 if they are taken as they are.
        episodes: Its values when episodes are drawn, (B,).
        interaction: What it differs, when both are drawn, from the sum of the two effects, (B,).
        both: Its values when both are drawn, (B,); none of them rises where a score falls, if no unit and average does.
        shape: Number of training runs and of episodes.
    """

    value: float
    runs: float
    episodes: Array
    interaction: Array
    both: Array
    shape: tuple[int, int]


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


def mean(scores: Any) -> Any:
    """Mean along the last axis."""
    return np.mean(scores, axis=-1)


def interval_over(runs: int, episodes: int) -> Literal["runs and episodes", "episodes", ""]:
    """What an interval is over, given the numbers of training runs and episodes; empty where there is none."""
    if episodes < 2:
        return ""
    return "runs and episodes" if runs >= RANKED_FROM else "episodes"


def crossed(
    scores: Array,
    seed: int,
    name: str = "",
    *,
    units: Callable[[Array], Array] = lambda means: means,
    average: Callable[[Any], Any] = iqm,
    over_runs: bool | None = None,
    resamples: int = RESAMPLES,
) -> Draws:
    """A statistic in resamples of training runs and episodes.

    It is the mean over C columns of an average over training runs.

    Args:
        scores: K scores of each training run in each episode, (K, R, E).
        seed: Decides which episodes are drawn; the same for everything that is compared.
        name: With it, decides which training runs are drawn; runs of different agents are drawn independently.
        units: Maps means over episodes (K, ..., R) to what is averaged, (C, ..., R).
        average: Over training runs, (..., R) -> (...).
        over_runs: Whether training runs are drawn; if not given, from :data:`RANKED_FROM` runs on.
        resamples: How many, B.
    """
    _, runs, episodes = scores.shape
    plain, drawn = units(scores.mean(axis=-1)), units(_over_drawn_episodes(scores, seed, resamples))
    value, of_episodes = float(average(plain).mean()), average(drawn).mean(axis=0)
    if not (runs >= RANKED_FROM if over_runs is None else over_runs):
        return Draws(value, 0.0, of_episodes, np.zeros(resamples), of_episodes, (runs, episodes))
    index = np.random.default_rng([seed, _OF_RUNS, *name.encode()]).integers(runs, size=(resamples, runs))
    of_runs = average(plain[:, index]).mean(axis=0)
    both = average(np.take_along_axis(drawn, index[None], axis=-1)).mean(axis=0)
    # Drawing from n things shows (n - 1) / n of the variance of their mean, but all of that of an interquartile mean:
    # after trimming, what was drawn varies more. docs/statistics.md has the numbers.
    scale = runs / (runs - 1) if average is mean else 1.0
    variance = scale * float(of_runs.var())
    return Draws(value, variance, of_episodes, both - of_runs - of_episodes, both, (runs, episodes))


def estimate(draws: Draws) -> Estimate:
    """The statistic with its interval; without one for a single episode."""
    if not interval_over(*draws.shape):
        return Estimate(draws.value, *UNDEFINED[1:])
    half = half_width(components(draws))
    return Estimate(draws.value, draws.value - half, draws.value + half)


def difference(ours: Draws, theirs: Draws) -> Estimate:
    """Ours minus theirs, in the same episodes; without an interval for a single episode."""
    value = ours.value - theirs.value
    if not interval_over(*ours.shape):
        return Estimate(value, *UNDEFINED[1:])
    half = half_width(components(ours, theirs))
    return Estimate(value, value - half, value + half)


def components(ours: Draws, theirs: Draws | None = None) -> list[tuple[float, int]]:
    """Variances of a statistic, or of a difference of two in the same episodes, with their degrees of freedom."""
    parts, (_, count) = [ours, theirs] if theirs else [ours], ours.shape
    episodes = ours.episodes - theirs.episodes if theirs else ours.episodes
    interaction = ours.interaction - theirs.interaction if theirs else ours.interaction
    own = max(episodes.var() * count / (count - 1) - interaction.var(), 0.0)
    return [*((part.runs, part.shape[0] - 1) for part in parts), (float(own), count - 1)]


def half_width(parts: Iterable[tuple[float, int]]) -> float:
    """Half of the 95% interval of a sum of independent parts, from their variances and degrees of freedom."""
    found = [(variance, freedom) for variance, freedom in parts if variance > 0]
    total = sum(variance for variance, _ in found)
    if not total:
        return 0.0
    freedom = total**2 / sum(variance**2 / freedom for variance, freedom in found)
    return float(stdtrit(freedom, (1 + CONFIDENCE) / 2) * np.sqrt(total))


def estimate_over_runs(values: Array, statistic: Callable[[Any], Any], seed: int) -> Estimate:
    """A statistic of training runs that share no episodes; without an interval below :data:`RANKED_FROM` runs.

    Args:
        values: One of each training run, (R,).
        statistic: Maps (..., R) to (...).
        seed: Draws the resamples.
    """
    value, runs = float(statistic(values)), len(values)
    if runs < RANKED_FROM:
        return Estimate(value, *UNDEFINED[1:])
    index = np.random.default_rng([seed, _OF_RUNS]).integers(runs, size=(RESAMPLES, runs))
    half = half_width([(float(statistic(values[index]).var()), runs - 1)])
    return Estimate(value, value - half, value + half)


def _over_drawn_episodes(scores: Array, seed: int, resamples: int) -> Array:
    """Means over drawn episodes, (K, B, R)."""
    if scores.shape[-1] > _BLOCKS:
        scores = np.stack([part.mean(axis=-1) for part in np.array_split(scores, _BLOCKS, axis=-1)], axis=-1)
    count, runs, episodes = scores.shape
    drawn = _weights(episodes, seed, resamples) @ scores.reshape(-1, episodes).T  # one product: it is most of the time
    return np.ascontiguousarray(drawn.reshape(-1, count, runs).swapaxes(0, 1))


@lru_cache(maxsize=2)
def _weights(episodes: int, seed: int, resamples: int) -> Array:
    """What each episode weighs in each resample, (B, E); kept, since all numbers of a table draw the same episodes."""
    rng = np.random.default_rng([seed, _OF_EPISODES])
    drawn = rng.integers(episodes, size=(resamples, episodes))
    counts = np.stack([np.bincount(row, minlength=episodes) for row in drawn])
    weights: Array = counts / episodes
    weights.flags.writeable = False
    return weights
