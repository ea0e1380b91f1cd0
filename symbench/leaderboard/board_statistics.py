"""What boards rank by and show: which ranks are tied, performance profiles.

Agarwal et al. 2021 (arXiv 2108.13264): two agents whose difference could be chance have the same rank. No agent gains a
rank by playing worse anywhere, in any condition, training run or episode; docs/statistics.md says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from symbench.leaderboard.bootstrap import RANKED_FROM, Draws
from symbench.leaderboard.proportions import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AHEAD: Final = 0.99
"""The share of the draws in which one agent must be ahead of another for a rank of its own."""

_ROUNDING: Final = 1e-9  # a difference of scores that is none


class Profile(NamedTuple):
    """Share of scores above each of T thresholds with its pointwise 95% band, (T,) each; NaN where there is no band."""

    share: Array
    low: Array
    high: Array


def performance_profile(units: Array, taus: Array) -> Profile:
    """P(score > tau): the share of training runs and conditions whose score is above tau (Agarwal et al. 2021, 4.3).

    The whole distribution of the scores at a glance: where the profile of one agent lies above that of another, more of
    its scores are that high. The band is Wilson's for as many independent things as there are training runs: the
    conditions of one run are not independent, so it is rather too wide, and never without width.

    Args:
        units: Scores of R training runs under C conditions, (R, C).
        taus: Thresholds, (T,).

    Returns:
        The profile; without a band below :data:`~symbench.leaderboard.bootstrap.RANKED_FROM` training runs.
    """
    above = (units[:, :, None] > taus).sum(axis=(0, 1))  # integers: the same on every machine to the last bit
    share = above / units.size
    if len(units) < RANKED_FROM:
        return Profile(share, *np.full((2, len(taus)), np.nan))
    return Profile(share, *wilson(share, len(units)))


def ranks(agents: Sequence[Draws]) -> list[int]:
    """Ranks of agents, best first, each of at least :data:`~symbench.leaderboard.bootstrap.RANKED_FROM` runs.

    An agent has the rank of the group before it unless the first of the group is ahead of it in :data:`AHEAD` of the
    draws; after a group of k, k ranks are used up (1, 1, 3).

    What an agent is ranked by, and each of its draws, must not rise where one of its scores falls. Then neither can its
    place: who is before it stays there, and the group before it leads it in no fewer draws.

    Args:
        agents: What each is ranked by, in the order of the values, drawn in the same episodes.
    """
    found: list[int] = []
    for place, own in enumerate(agents):
        first = found[-1] - 1 if found else place
        found.append(first + 1 if _tied(agents[first], own) else place + 1)
    return found


def _tied(first: Draws, own: Draws) -> bool:
    """Whether the first could be ahead by chance.

    Not by an interval of value plus and minus: one bad training run makes that wider on both sides, and would lift an
    agent into the group above it.
    """
    return bool(np.quantile(first.both - own.both, 1 - AHEAD) <= _ROUNDING)
