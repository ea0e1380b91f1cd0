"""Episodes that were submitted and the same ones played again: one by one, and what chance can make of them.

On a machine that computes as the submission's did, everything is the same to the last bit, or the numbers are others.
On another one an episode can take another course, upwards as likely as downwards. So there three things are asked: that
no cell is further off than the tolerance and chance allow; that an episode is more like the one of its seed than like
others; and of the clean and of the perturbed cells, that the differences are as often plus as minus, and that they add
up to nothing: of all together, and of each task, training run and condition, so that what is added to one is not made
up for by another. What chance allows is limited by how much the episodes played here vary. The submission has no say in
any of it; docs/security.md says how large a gain is found.

On CartPoleSwingUp, for example, MKL without AVX (``MKL_CBWR=COMPATIBLE``) leaves 27 to 35% of an MLP's episodes the
same to the last bit, and all scores within 0.001.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import bdtr, stdtr, stdtrit

from symbench.leaderboard.verify_cells import key_of
from symbench.runner.cell_id import CellId
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_rows import CellRows
    from symbench.leaderboard.submission_schema import Machine
    from symbench.leaderboard.validate import Submission
    from symbench.runner import Cell, Episodes

TOLERANCE: Final = 0.01  # of a cell's mean normalised score on another machine, beyond chance
_CHANCE: Final = 1 / 16_000  # so many honest cells are further off by chance: four errors of a normal distribution
_ROUNDING: Final = 1e-4  # smaller differences of an episode's score are no other course, and gain nothing
_PAIRINGS: Final = 199  # other ways to pair episodes
_FEWEST: Final = 20  # episodes of a cell that can tell whether pairs are alike
_FEW: Final = 2  # episodes; with one each, 1 in 100 honest submissions of rare successes was refused
_LEVEL: Final = 0.001  # one honest submission in 1000 fails one of the tests

# What must be equal for equal numbers, beside ``arithmetic``; a commit or a kernel may differ.
_VERSIONS: Final = ("symbench", "python", "packages", "cpu")


@dataclass(frozen=True)
class Comparison:
    """One cell, submitted and played again.

    Attributes:
        cell: Its id.
        submitted: Mean return in the submission.
        again: Mean return now.
        difference: Of the mean normalised scores, without sign.
        identical: Share of episodes with the same return, length and end to the last bit.
        problem: What is wrong with it; empty if nothing is.
        baseline: Whether it is a clean cell.
        scores: Submitted and again, (2, E).
    """

    cell: str
    submitted: float
    again: float
    difference: float
    identical: float
    problem: str
    baseline: bool
    scores: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def differences(self) -> NDArray[np.float64]:
        """Of the scores, submitted minus again, (E,)."""
        off: NDArray[np.float64] = self.scores[0] - self.scores[1]
        return off


def computes_alike(machines: Sequence[Machine], here: Mapping[str, Any]) -> bool:
    """Whether versions and what decides the last bits are here as on all machines of a submission.

    Args:
        machines: Of the submission.
        here: From :func:`symbench.runner.provenance.machine`.
    """
    return all(
        bool(each.arithmetic)  # format 1 does not say
        and each.arithmetic == here["arithmetic"]
        and all(getattr(each, name) == here[name] for name in _VERSIONS)
        for each in machines
    )


def compare_cell(submission: Submission, cell: Cell, again: Episodes, alike: bool, tolerance: float) -> Comparison:
    """Compare a cell episode by episode.

    Args:
        submission: What was submitted.
        cell: Which.
        again: What was played now.
        alike: From :func:`computes_alike`.
        tolerance: How far the mean normalised score may be off, beyond chance, if machines are not alike.
    """
    submitted = submission.cells[key_of(cell.key)]
    score = get_task(cell.task).metric.score
    scores = np.stack([score(submitted.returns), score(again.returns)])
    differences = scores[0] - scores[1]
    same = _same(submitted, again)
    problem = _other_episode(submitted, again, same) if alike else too_far(scores, tolerance)
    return Comparison(
        cell=cell.id,
        submitted=float(submitted.returns.mean()),
        again=float(again.returns.mean()),
        difference=float(abs(differences.mean())),
        identical=float(same.mean()),
        problem=problem,
        baseline=not cell.apply,
        scores=scores,
    )


def shifted(comparisons: Sequence[Comparison]) -> list[str]:
    """What is wrong with all cells together: signs or sums of differences that are no chance, pairs that are none."""
    groups = {name: [each for each in comparisons if each.baseline == of] for name, of in _GROUPS.items()}
    strange = [problem for name, group in groups.items() if group for problem in _strangers(name, group)]
    return shifts(comparisons) + strange


_GROUPS: Final = {"clean": True, "perturbed": False}


def shifts(comparisons: Sequence[Comparison]) -> list[str]:
    """Signs or sums of differences that are no chance, of all clean or perturbed cells, or of a part of them."""
    found = []
    for name, of in _GROUPS.items():
        group = [each for each in comparisons if each.baseline == of]
        parts = _parts(group)
        # Half of the level is for two tests of each whole, half for those of all parts.
        found += _shift(f"{name} cells", group, _LEVEL / 8) if group else []
        for part, cells in parts.items():
            found += _shift(f"{name} cells of {part}", cells, _LEVEL / (8 * len(parts)))
    return found


def _parts(group: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """The cells of each task, of each training run and of each condition; what is the whole again is left out."""
    parts: dict[str, list[Comparison]] = {}
    for each in group:
        cell = CellId.parse(each.cell)
        for part in (cell.task, f"{cell.task}, run {cell.run}", f"{cell.task}, {cell.condition}"):
            parts.setdefault(part, []).append(each)
    different = {tuple(each.cell for each in cells): part for part, cells in parts.items() if len(cells) < len(group)}
    return {part: parts[part] for part in different.values()}


def _shift(name: str, group: Sequence[Comparison], level: float) -> list[str]:
    scores = _by_seed(group)
    every = scores[0] - scores[1]
    moved = every[np.abs(every) > _ROUNDING]
    above, tests = int((moved > 0).sum()), {}
    tests["are higher or lower more often than chance"] = sign_test(above, len(moved))
    tests["do not cancel"] = _p_of_sum(scores) if len(moved) else 1.0
    told = f"of {name} {above} of the {len(moved)} seeds that differ are higher than they are played here"
    return [
        f"{told}, by {every.mean():+.2g} in the mean score of all: the differences {what} (p = {p:.1g})"
        for what, p in tests.items()
        if p < level
    ]


def _by_seed(group: Sequence[Comparison]) -> NDArray[np.float64]:
    """Scores submitted and again, (2, E): means over the cells of a task, of all tasks in a row.

    Under one seed cells have much in common.
    """
    tasks: dict[str, list[NDArray[np.float64]]] = {}
    for each in group:
        tasks.setdefault(CellId.parse(each.cell).task, []).append(each.scores)
    return np.concatenate([np.mean(scores, axis=0) for scores in tasks.values()], axis=1)


def _p_of_sum(scores: NDArray[np.float64]) -> float:
    """How likely differences add up to so much by chance: Student's test, two-sided, with :func:`_error`."""
    count, error = scores.shape[1], _error(scores)
    if count < 2 or not error:
        return 1.0
    return 2 * float(stdtr(count - 1, -abs((scores[0] - scores[1]).mean()) / error))


def _error(scores: NDArray[np.float64]) -> float:
    """Standard error of the mean difference, which wild episodes in a submission do not make as large as they like.

    Two courses of one agent differ by no more than the episodes played here vary, times the root of two. As these are
    few, and may lack what happens once in fifty, the best and the worst submitted count among them, twice each.
    """
    submitted, again = scores
    if len(again) < 2:
        return 0.0
    around = np.append(again, [submitted.min(), submitted.max()] * _FEW)
    spread = min(float((submitted - again).std(ddof=1)), 2**0.5 * float(around.std(ddof=1)))
    return float(spread / len(again) ** 0.5)


def _strangers(name: str, group: Sequence[Comparison]) -> list[str]:
    """Episodes that are no more like those of the same seeds than like any others were not played with these seeds."""
    rng, apart, others = np.random.default_rng(0), 0.0, np.zeros(_PAIRINGS)
    for submitted, again in (each.scores for each in group if each.scores.shape[1] >= _FEWEST):
        apart += float(np.abs(submitted - again).sum())
        others += [np.abs(rng.permutation(submitted) - again).sum() for _ in range(_PAIRINGS)]
    if apart <= others.min():
        return []
    return [
        f"episodes of {name} cells are no more like those that are played here with the same seeds than like any "
        "others; if that is the processor's doing, verify on one like the submission's"
    ]


def sign_test(above: int, count: int) -> float:
    """How likely so uneven a number of heads is in ``count`` throws of a coin, two-sided.

    Example:
        >>> sign_test(10, 10), sign_test(5, 10)
        (0.001953125, 1.0)
    """
    return min(1.0, 2.0 * float(bdtr(min(above, count - above), count, 0.5))) if count else 1.0


def _same(submitted: CellRows, again: Episodes) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (
        (again.returns == submitted.returns)
        & (again.lengths == submitted.lengths)
        & (again.terminated == submitted.terminated)
    )
    return same


def _other_episode(submitted: CellRows, again: Episodes, same: NDArray[np.bool_]) -> str:
    if same.all():
        return ""
    first = int(np.flatnonzero(~same)[0])
    return (
        f"{int((~same).sum())} of {len(same)} episodes are others, the first has seed {again.seeds[first]}: "
        f"return {submitted.returns[first]!s} in {submitted.lengths[first]} steps was submitted, it is "
        f"{again.returns[first]!s} in {again.lengths[first]}; this machine computes as the submission's did, so every "
        "episode must be the same to the last bit"
    )


def too_far(scores: NDArray[np.float64], tolerance: float) -> str:
    """What is wrong with the mean of a cell on another machine, submitted and again, (2, E); empty if nothing is."""
    degrees = max(scores.shape[1] - 1, 1)
    off, most = float((scores[0] - scores[1]).mean()), tolerance - stdtrit(degrees, _CHANCE / 2) * _error(scores)
    if abs(off) <= most:
        return ""
    return f"the mean score is off by {off:+.2g}; {most:.2g} is the tolerance of {tolerance:g} and chance"
