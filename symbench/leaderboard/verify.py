"""Plays cells of a submission again and compares."""

from __future__ import annotations

from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.leaderboard.untouched import asked_to_stay
from symbench.leaderboard.verified import Verified, read_verified, write_verified
from symbench.leaderboard.verify_cells import planned_cells
from symbench.leaderboard.verify_differences import TOLERANCE, Comparison, compare_cell, computes_alike, shifted
from symbench.leaderboard.verify_draw import draw_of_each, least_confidence
from symbench.leaderboard.verify_fresh import CELLS, Fresh, compare_fresh, fresh_cells, others_on_average
from symbench.runner import agent_apart
from symbench.runner.executors import execute
from symbench.runner.executors.base import import_all
from symbench.runner.provenance import machine
from symbench.runner.seeds import check_secret, new_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from symbench.leaderboard.validate import Submission
    from symbench.runner import Cell, Episodes


@dataclass(frozen=True)
class Verification:
    """What came out.

    Attributes:
        comparisons: Of the cells that were played again, in the order of the suite.
        fresh: Of those that were played with fresh seeds too.
        fresh_key: What drew these seeds; see :mod:`symbench.runner.seeds`.
        replayed: Whether that was given, so that it may have been known.
        cells: Ids of all cells that the submission has.
        alike: Whether this machine computes as the submission's, so that only identity counts.
        problems: Everything that is wrong, one line each.
    """

    comparisons: list[Comparison]
    fresh: list[Fresh]
    fresh_key: str
    replayed: bool
    cells: Sequence[str]
    alike: bool
    problems: list[str]

    @property
    def confidence(self) -> float:
        """How likely one of 5% doctored cells was among those played, in each task (:func:`least_confidence`)."""
        return least_confidence((each.cell for each in self.comparisons), self.cells)


def verify(
    submission: Submission,
    agents: Sequence[str],
    *,
    trust: bool = False,
    cells: int | None = None,
    seed: int | None = None,
    fresh_key: str | None = None,
    tolerance: float = TOLERANCE,
    workers: int = 1,
    files: Sequence[Path] = (),
    progress: Callable[[Comparison], None] = lambda comparison: None,
) -> Verification:
    """Play random cells again, and some with fresh seeds.

    Args:
        submission: What was submitted.
        agents: Where the agent's files are, as after ``--agent`` of ``symbench run``; all training runs.
        trust: Whether code that the agent brings may be executed, in a process of its own. Then files that judge are
            compared before and after, and as many cells are played with fresh seeds as are played again.
        cells: How many cells, at most; ``None`` plays as many of each task as the least confidence needs.
        seed: Draws the cells; ``None`` draws anew each time, so that nobody can know which.
        fresh_key: Plays the fresh seeds again that another verification has told, which is then not recorded; ``None``
            has the operating system draw others.
        tolerance: How far the mean normalised score of a cell may be off beyond chance, on a machine that does not
            compute as the submission's did. What the submission says of tolerance is not asked.
        workers: Number of processes. Numbers do not depend on it.
        files: What must not change meanwhile, beside all that is installed.
        progress: Called with every comparison as it is made.

    Raises:
        SymbenchError: The files are not those that were submitted, the agent cannot act where episodes were submitted
            or can where they were left out, an episode cannot be played, or a file that judges has changed meanwhile.
    """
    key = new_secret() if fresh_key is None else check_secret(fresh_key)
    with _judging(files if trust else None):
        there = planned_cells(submission, agents, trust)
        chosen = [there[index] for index in draw_of_each([cell.task for cell in there], cells, seed)]
        fresh = fresh_cells(there, key, max(CELLS, len(chosen)) if trust else CELLS)
        alike = computes_alike(submission.card.machines, machine())
        again: dict[Cell, Comparison] = {}
        anew: dict[Cell, Fresh] = {}
        for cell, episodes in _played([*chosen, *fresh], workers):
            if cell in fresh:
                anew[cell] = compare_fresh(submission, cell, episodes, len(fresh))
                continue
            again[cell] = compare_cell(submission, cell, episodes, alike, tolerance)
            progress(again[cell])
    comparisons, compared = [again[cell] for cell in chosen], [anew[cell] for cell in fresh]
    problems = [f"{each.cell}: {each.problem}" for each in comparisons if each.problem]
    problems += [] if alike else shifted(comparisons)
    problems += [f"{each.cell}: {each.problem}" for each in compared if each.problem]
    problems += others_on_average(compared)
    return Verification(comparisons, compared, key, fresh_key is not None, [cell.id for cell in there], alike, problems)


@contextmanager
def _judging(files: Sequence[Path] | None) -> Iterator[None]:
    """What judges is imported before an agent's process begins; after all of them have ended, it is as it was.

    Args:
        files: Further ones that must not change, where code of an agent may run; otherwise ``None``.
    """
    import scipy.stats  # noqa: F401  (what is otherwise imported late)

    import_all()
    with nullcontext() if files is None else asked_to_stay(files):
        try:
            yield
        finally:
            agent_apart.end()


def record(file: Path, submission: Submission, verification: Verification) -> Verified:
    """Note in ``verified.json`` that a submission was verified, and with what confidence.

    Raises:
        SymbenchError: Something is wrong with it, its fresh seeds may have been known, or the file cannot be read or
            written.
    """
    if verification.replayed:
        raise SymbenchError("fresh seeds that are played again are secret no more: nothing was recorded")
    if verification.problems:
        raise SymbenchError(f"{verification.problems[0]}: nothing was recorded")
    comparisons = verification.comparisons
    entry = Verified(
        digest=submission.digest,
        date=datetime.now().astimezone().date().isoformat(),
        cells=[each.cell for each in comparisons],
        of=len(verification.cells),
        confidence=round(verification.confidence, 4),
        difference=max(each.difference for each in comparisons),
        identical=min(each.identical for each in comparisons),
        fresh_cells=[each.cell for each in verification.fresh],
        fresh_key=verification.fresh_key,
    )
    write_verified(file, {**read_verified(file), submission.card.name: entry})
    return entry


def _played(cells: Sequence[Cell], workers: int) -> Iterator[tuple[Cell, Episodes]]:
    """Play cells with the runner's executor, in any order."""
    with closing(execute(cells, workers)) as outcomes:
        for outcome in outcomes:
            if outcome.record is None:
                fresh = f" (on fresh seeds, of the key {outcome.cell.secret})" if outcome.cell.secret else ""
                raise SymbenchError(f"{outcome.cell.id}: {outcome.error}{fresh}")
            yield outcome.cell, outcome.record.episodes
