"""What boards rank by and show: which ranks are tied, performance profiles.

Agarwal et al. 2021 (arXiv 2108.13264): two agents whose difference could be chance have the same rank. No agent gains a
rank by playing worse anywhere, in any condition, training run or episode, nor by another submission, nor by its name;
docs/statistics.md says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from symbench.leaderboard.bootstrap import RANKED_FROM, RESAMPLES, crossed
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


class Contender(NamedTuple):
    """What an agent is ranked by in B draws of training runs and episodes, (B,) each.

    Two agents are compared in the same episodes and in runs that are drawn independently: so each has draws for being
    the better one of a pair, and others for being the worse one. Neither depends on its name, which its author chooses.

    Attributes:
        as_better: Its values where it is compared with one behind it.
        as_worse: Where it is compared with one before it.
    """

    as_better: Array
    as_worse: Array


def contender(scores: Array, seed: int, resamples: int = RESAMPLES) -> Contender:
    """Draws of the mean over conditions of the interquartile mean over training runs.

    Args:
        scores: Of C conditions, more is better, (C, R, E).
        seed: Decides what is drawn; the same for all agents of a board.
        resamples: How many, B.
    """
    return Contender(*(crossed(scores, seed, role, resamples=resamples).both for role in Contender._fields))


def ranks(agents: Sequence[Contender]) -> list[int]:
    """Ranks of agents, best first, each of at least :data:`~symbench.leaderboard.bootstrap.RANKED_FROM` runs.

    A rank is one more than the number of agents that are ahead: that stand before it, and are better in :data:`AHEAD`
    of the draws. None is better than that of an agent that stands before.

    What an agent stands by, and each of its draws, must not rise where one of its scores falls. Then neither can its
    place: those before it stay there, with their ranks, and who is ahead of it stays ahead. Nor can another agent
    lift it, whatever that plays: it is ahead of some and lowers them, or of none.

    Args:
        agents: In the order of the values that they are ranked by.
    """
    found: list[int] = []
    for place, own in enumerate(agents):
        ahead = sum(_is_ahead(other, own) for other in agents[:place])
        found.append(max([1 + ahead, *found[-1:]]))
    return found


def _is_ahead(better: Contender, worse: Contender) -> bool:
    """Whether it is no chance that one is better.

    Not by an interval of value plus and minus: one bad training run makes that wider on both sides, and would tie an
    agent with one that is better.
    """
    return bool(np.quantile(better.as_better - worse.as_worse, 1 - AHEAD) > _ROUNDING)
