"""Seeds that nobody could know, played beside those of the suite: scores must be of the same distribution.

An agent that knows the suite's episodes plays these as submitted, and others worse; a table of actions is enough.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.verify_cells import key_of
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission
    from symbench.runner import Cell, Episodes

    Array = NDArray[np.float64]

CELLS: Final = 5
"""How many cells are played with fresh seeds too, at most: a clean one, the others at random."""

LEVEL: Final = 0.001
"""One honest submission in 1000 fails by chance."""

# Suites, trainings and evaluations have small seeds; no one gets this far by counting.
_FIRST, _LAST = 2**30, 2**31 - 2**20

_PERMUTATIONS: Final = 9999


@dataclass(frozen=True)
class Fresh:
    """One cell with its submitted episodes and fresh ones.

    Attributes:
        cell: Its id.
        seed: First of the fresh seeds.
        submitted: Scores in the submission, (E,).
        played: Scores of fresh episodes, (E,).
        problem: What is wrong with it; empty if nothing is.
    """

    cell: str
    seed: int
    submitted: Array = field(repr=False, compare=False)
    played: Array = field(repr=False, compare=False)
    problem: str


def fresh_cells(cells: Sequence[Cell]) -> list[Cell]:
    """Some cells with seeds from the operating system, the same for all: the first clean one, and others."""
    seed = _FIRST + secrets.randbelow(_LAST - _FIRST)
    clean = [cell for cell in cells if not cell.apply][:1]
    others = [cell for cell in cells if cell not in clean]
    drawn = secrets.SystemRandom().sample(others, min(len(others), CELLS - len(clean)))
    return [cell.model_copy(update={"seed": seed}) for cell in [*clean, *drawn]]


def compare_fresh(submission: Submission, cell: Cell, episodes: Episodes, cells: int) -> Fresh:
    """Compare submitted and fresh scores of one of so many cells by the test of Kolmogorov and Smirnov."""
    from scipy.stats import ks_2samp  # late: it takes a second to import

    score = get_task(cell.task).metric.score
    submitted, played = score(submission.cells[key_of(cell.key)].returns), score(episodes.returns)
    p = float(ks_2samp(submitted, played).pvalue)
    problem = (
        f"on fresh seeds, from {cell.seed} on, scores are others than were submitted, on average {played.mean():.3g} "
        f"and not {submitted.mean():.3g} (p = {p:.1g})"
    )
    return Fresh(cell.id, cell.seed, submitted, played, problem if p < LEVEL / (2 * cells) else "")


def others_on_average(fresh: Sequence[Fresh]) -> list[str]:
    """What is wrong with the means of all cells together."""
    p = difference_of_means([(each.submitted, each.played) for each in fresh])
    if p >= LEVEL / 2:
        return []
    off = float(np.mean([each.submitted.mean() - each.played.mean() for each in fresh]))
    return [f"mean scores of {len(fresh)} cells are by {off:+.2g} others than on fresh seeds (p = {p:.1g})"]


def difference_of_means(samples: Sequence[tuple[Array, Array]]) -> float:
    """How likely pairs of samples, each of one distribution, differ so much in their means.

    A permutation test, two-sided: of the sum over pairs of the differences between the means.
    """
    rng, observed, permuted = np.random.default_rng(0), 0.0, np.zeros(_PERMUTATIONS)
    for ours, theirs in samples:
        both = np.concatenate([ours, theirs]) - np.mean(np.concatenate([ours, theirs]))
        observed += float(both[: len(ours)].sum())
        permuted += [rng.permutation(both)[: len(ours)].sum() for _ in range(_PERMUTATIONS)]
    return float(np.sum(np.abs(permuted) >= abs(observed) - 1e-9) + 1) / (_PERMUTATIONS + 1)
