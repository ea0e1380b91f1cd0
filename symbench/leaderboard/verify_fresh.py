"""Seeds that nobody could know, played beside those of the suite: scores must be of the same distribution.

An agent that knows the suite's episodes plays these as submitted, and others worse; a table of actions is enough, or
code that makes the suite's environments anew. The fresh ones are in no table, and the agent is not told them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.verify_cells import key_of
from symbench.runner.cell_id import CellId
from symbench.runner.seeds import keyed
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission
    from symbench.runner import Cell, Episodes

    Array = NDArray[np.float64]

CELLS: Final = 5
"""How many cells are played with fresh seeds too: a clean one, the others at random.

Of agents that bring code as many as are played again: code can know the suite's episodes in a few conditions only.
"""

LEVEL: Final = 0.001
"""One honest submission in 1000 fails by chance."""

_PERMUTATIONS: Final = 9999


@dataclass(frozen=True)
class Fresh:
    """One cell with its submitted episodes and fresh ones.

    Attributes:
        cell: Its id.
        submitted: Scores in the submission, (E,).
        played: Scores of fresh episodes, (E,).
        problem: What is wrong with it; empty if nothing is.
    """

    cell: str
    submitted: Array = field(repr=False, compare=False)
    played: Array = field(repr=False, compare=False)
    problem: str


def fresh_cells(cells: Sequence[Cell], secret: str, count: int = CELLS) -> list[Cell]:
    """Some cells with the seeds that a key draws: the first clean one, and others, which it draws too.

    Args:
        cells: All that the submission has.
        secret: The key, see :mod:`symbench.runner.seeds`.
        count: How many, if there are so many.
    """
    clean = [cell for cell in cells if not cell.apply][:1]
    others = [cell for cell in cells if cell not in clean]
    drawn = sorted(others, key=lambda cell: keyed(secret, f"draw {cell.id}", 64))[: count - len(clean)]
    return [cell.model_copy(update={"secret": secret}) for cell in [*clean, *drawn]]


def compare_fresh(submission: Submission, cell: Cell, episodes: Episodes, cells: int) -> Fresh:
    """Compare submitted and fresh scores of one of so many cells by the test of Kolmogorov and Smirnov."""
    score = get_task(cell.task).metric.score
    submitted, played = score(submission.cells[key_of(cell.key)].returns), score(episodes.returns)
    p = difference_of_distributions(submitted, played)
    problem = (
        f"on fresh seeds, of the key {cell.secret}, scores are others than were submitted, "
        f"on average {played.mean():.3g} and not {submitted.mean():.3g} (p = {p:.1g})"
    )
    return Fresh(cell.id, submitted, played, problem if p < LEVEL / (2 * cells) else "")


def difference_of_distributions(ours: Array, theirs: Array) -> float:
    """How likely two samples of one distribution differ so much anywhere: the test of Kolmogorov and Smirnov."""
    from scipy.stats import ks_2samp  # late: it takes a second to import

    with warnings.catch_warnings():
        # Of almost equal samples the exact p is 1 and, by rounding, a little more: SciPy warns, and falls back.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful", RuntimeWarning)
        return float(ks_2samp(ours, theirs).pvalue)


def others_on_average(fresh: Sequence[Fresh]) -> list[str]:
    """What is wrong with the means of all cells of a task together."""
    tasks = dict.fromkeys(CellId.parse(each.cell).task for each in fresh)
    groups = {task: [each for each in fresh if CellId.parse(each.cell).task == task] for task in tasks}
    return [problem for task, group in groups.items() if (problem := _means(task, group, LEVEL / (2 * len(tasks))))]


def _means(task: str, group: Sequence[Fresh], level: float) -> str:
    # Of all cells together, seed by seed: under one seed cells have much in common.
    ours, theirs = (
        np.mean(scores, axis=0) for scores in zip(*((each.submitted, each.played) for each in group), strict=True)
    )
    p, off = difference_of_means(ours, theirs), float(ours.mean() - theirs.mean())
    wrong = f"{task}: submitted scores are on average by {off:+.2g} others than on fresh seeds (p = {p:.1g})"
    return wrong if p < level else ""


def difference_of_means(ours: Array, theirs: Array) -> float:
    """How likely two samples of one distribution differ so much in their means: a permutation test, two-sided."""
    both, rng = np.concatenate([ours, theirs]), np.random.default_rng(0)
    both = both - both.mean()
    observed = abs(both[: len(ours)].sum()) - 1e-9 * np.abs(both).sum()
    as_large = sum(abs(rng.permutation(both)[: len(ours)].sum()) >= observed for _ in range(_PERMUTATIONS))
    return float(as_large + 1) / (_PERMUTATIONS + 1)
