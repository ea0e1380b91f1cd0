"""Plays cells of a submission again and compares."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.leaderboard.verified import Verified, read_verified, write_verified
from symbench.leaderboard.verify_cells import planned_cells
from symbench.leaderboard.verify_differences import TOLERANCE, Comparison, compare_cell, computes_alike, shifted
from symbench.leaderboard.verify_draw import confidence, draw
from symbench.leaderboard.verify_fresh import Fresh, compare_fresh, fresh_cells, others_on_average
from symbench.runner.executors import execute
from symbench.runner.provenance import machine

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
        cells: How many cells the submission has.
        alike: Whether this machine computes as the submission's, so that only identity counts.
        problems: Everything that is wrong, one line each.
    """

    comparisons: list[Comparison]
    fresh: list[Fresh]
    cells: int
    alike: bool
    problems: list[str]

    @property
    def confidence(self) -> float:
        """How likely one of 5% doctored cells was among those played; see :mod:`symbench.leaderboard.verify_draw`."""
        return confidence(len(self.comparisons), self.cells)


def verify(
    submission: Submission,
    agents: Sequence[str],
    *,
    trust: bool = False,
    cells: int | None = None,
    seed: int | None = None,
    tolerance: float = TOLERANCE,
    workers: int = 1,
    progress: Callable[[Comparison], None] = lambda comparison: None,
) -> Verification:
    """Play random cells again, and some with fresh seeds.

    Args:
        submission: What was submitted.
        agents: Where the agent's files are, as after ``--agent`` of ``symbench run``; all training runs.
        trust: Whether code that the agent brings may be executed, in a process of its own.
        cells: How many cells, at most; ``None`` plays as many as the least confidence needs.
        seed: Draws the cells; ``None`` draws anew each time, so that nobody can know which. Fresh seeds are always
            drawn by the operating system.
        tolerance: How far the mean normalised score of a cell may be off beyond chance, on a machine that does not
            compute as the submission's did. What the submission says of tolerance is not asked.
        workers: Number of processes. Numbers do not depend on it.
        progress: Called with every comparison as it is made.

    Raises:
        SymbenchError: The files are not those that were submitted, the agent cannot act where episodes were submitted
            or can where they were left out, or an episode cannot be played.
    """
    there = planned_cells(submission, agents, trust)
    chosen, fresh = [there[index] for index in draw(len(there), cells, seed)], fresh_cells(there)
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
    return Verification(comparisons, compared, len(there), alike, problems + others_on_average(compared))


def record(file: Path, submission: Submission, verification: Verification) -> Verified:
    """Note in ``verified.json`` that a submission was verified, and with what confidence.

    Raises:
        SymbenchError: Something is wrong with it, or the file cannot be read or written.
    """
    if verification.problems:
        raise SymbenchError(f"{verification.problems[0]}: nothing was recorded")
    comparisons = verification.comparisons
    entry = Verified(
        digest=submission.digest,
        date=datetime.now().astimezone().date().isoformat(),
        cells=[each.cell for each in comparisons],
        of=verification.cells,
        confidence=round(verification.confidence, 4),
        difference=max(each.difference for each in comparisons),
        identical=min(each.identical for each in comparisons),
        fresh_cells=[each.cell for each in verification.fresh],
        fresh_seed=verification.fresh[0].seed,
    )
    write_verified(file, {**read_verified(file), submission.card.name: entry})
    return entry


def _played(cells: Sequence[Cell], workers: int) -> Iterator[tuple[Cell, Episodes]]:
    """Play cells with the runner's executor, in any order."""
    with closing(execute(cells, workers)) as outcomes:
        for outcome in outcomes:
            if outcome.record is None:
                raise SymbenchError(f"{outcome.cell.id}: {outcome.error}")
            yield outcome.cell, outcome.record.episodes
