"""Intervals of shares, none of which is without width, and the paired permutation test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import ndtri

from symbench.leaderboard.bootstrap import CONFIDENCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_Z: Final = float(ndtri((1 + CONFIDENCE) / 2))

EXACT_UP_TO: Final = 12  # paired episodes: all 4096 ways to swap them are tried
PERMUTATIONS: Final = 9999
_CHUNK: Final = 500  # of them at once


def newcombe(share: float, ours: int, theirs: int) -> tuple[float, float]:
    """95% interval of the probability that one of ours is better than one of theirs.

    Method 5 of Newcombe 2006 (Statistics in Medicine 25:559-573), which he recommends: the limits are the probabilities
    from which the observed share is 1.96 standard errors away, where the standard error is the one under that limit.

    Args:
        share: The Mann-Whitney statistic divided by the number of pairs.
        ours: Training runs on one side.
        theirs: On the other.

    Example:
        >>> [round(end, 2) for end in newcombe(1.0, 5, 5)]
        [0.64, 1.0]
    """
    from scipy.optimize import brentq  # late: it takes a fifth of a second to import

    pairs, more = ours * theirs, (ours + theirs) / 2 - 1

    def excess(limit: float, share: float) -> float:
        variance = limit * (1 - limit) * (1 + more * ((1 - limit) / (2 - limit) + limit / (1 + limit))) / pairs
        return (limit - share) ** 2 - _Z**2 * variance

    def lower(share: float) -> float:
        # At the observed share itself the excess is negative, or, for a share of 1, just below it.
        return 0.0 if share == 0 else float(brentq(excess, 0.0, min(share, 1 - 1e-12), args=(share,)))

    return lower(share), 1 - lower(1 - share)


def wilson(share: Any, count: int) -> tuple[Any, Any]:
    """95% interval of a share of ``count`` independent things (Wilson 1927), elementwise."""
    centre = share + _Z**2 / (2 * count)
    half = _Z * np.sqrt(share * (1 - share) / count + (_Z / (2 * count)) ** 2)
    scale = 1 + _Z**2 / count
    return np.maximum((centre - half) / scale, 0.0), np.minimum((centre + half) / scale, 1.0)


def paired_permutation(differences: Array, seed: int) -> float:
    """How likely two agents that are equally good in these episodes differ so much: the p value, two-sided.

    If they are equally good, each difference could as well have the other sign. All signs are tried for up to
    :data:`EXACT_UP_TO` episodes, else :data:`PERMUTATIONS` random ones, beside those observed.

    Args:
        differences: Ours minus theirs in each episode, (E,).
        seed: Draws the signs.
    """
    count = len(differences)
    # A sum in another order may differ in the last bits, of its terms, which says much where they cancel.
    observed = abs(differences.sum()) - 1e-12 * np.abs(differences).sum()
    if count <= EXACT_UP_TO:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        return float(np.mean(np.abs(signs @ differences) >= observed))
    rng, as_large = np.random.default_rng(seed), 1
    for start in range(0, PERMUTATIONS, _CHUNK):
        size = (min(_CHUNK, PERMUTATIONS - start), count)
        as_large += int(np.sum(np.abs((1 - 2 * rng.integers(2, size=size)) @ differences) >= observed))
    return as_large / (PERMUTATIONS + 1)
