"""Plays random cells of a submission again and compares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.same_runs import check_tensors
from symbench.leaderboard.verified import Verified, read_verified, write_verified
from symbench.runner.agents import RANDOM, resolve
from symbench.runner.evaluate import evaluate
from symbench.runner.plan import plan
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from symbench.leaderboard.validate import Submission
    from symbench.runner import AgentSource, Cell


@dataclass(frozen=True)
class Comparison:
    """One cell, submitted and played again.

    Attributes:
        cell: Its id.
        submitted: Mean return in the submission.
        again: Mean return now.
        difference: Of the mean normalised scores, without sign.
        identical: Share of episodes with the same return and length to the last bit.
        within: Whether the difference is within the submission's tolerance.
    """

    cell: str
    submitted: float
    again: float
    difference: float
    identical: float
    within: bool


def verify(
    submission: Submission,
    agents: Sequence[str],
    *,
    trust: bool = False,
    cells: int = 3,
    seed: int | None = None,
    progress: Callable[[Comparison], None] = lambda comparison: None,
) -> list[Comparison]:
    """Play random cells again.

    Args:
        submission: What was submitted.
        agents: Where the agent's files are, as after ``--agent`` of ``symbench run``; all training runs.
        trust: Whether SB3 zips may be loaded, which executes code in them.
        cells: How many cells, at most.
        seed: Draws the cells; ``None`` draws anew each time, so that nobody can know which.
        progress: Called with every comparison as it is made.

    Raises:
        SymbenchError: The files are not those that were submitted.
    """
    if cells < 1:
        raise SymbenchError(f"cells must be at least 1, received {cells}")
    there = _cells(submission, agents, trust)
    chosen = np.random.default_rng(seed).permutation(len(there))[:cells]
    comparisons = []
    for index in sorted(chosen.tolist()):
        comparisons.append(_compare(submission, there[index]))
        progress(comparisons[-1])
    return comparisons


def record(file: Path, submission: Submission, comparisons: Sequence[Comparison]) -> None:
    """Note in ``verified.json`` that a submission was verified.

    Raises:
        SymbenchError: A comparison is not within the tolerance, or the file cannot be read or written.
    """
    if outside := [each.cell for each in comparisons if not each.within]:
        raise SymbenchError(f"{outside[0]} is not within the tolerance: nothing was recorded")
    entry = Verified(
        digest=submission.digest,
        date=datetime.now().astimezone().date().isoformat(),
        cells=[each.cell for each in comparisons],
        difference=max(each.difference for each in comparisons),
    )
    write_verified(file, {**read_verified(file), submission.card.name: entry})


def _cells(submission: Submission, agents: Sequence[str], trust: bool) -> list[Cell]:
    """All cells of a submission, ready to be played."""
    sources = {task: _sources(submission, task, agents, trust) for task in submission.card.tasks}
    return [cell for cell in plan(submission.suite, sources).cells if _key(cell) in submission.cells]


def _sources(submission: Submission, task: str, agents: Sequence[str], trust: bool) -> list[AgentSource]:
    """The agent's files in the order of the submission's training runs, found by their digest."""
    found = {source.digest: source for spec in agents for source in resolve([spec], task, trust)}
    found[None] = RANDOM
    sources = []
    for run, of in enumerate(submission.card.tasks[task].runs):
        if of.weights not in found:
            raise SymbenchError(
                f"none of the files given is training run {run} of {submission.card.name!r} in {task}: "
                f"one with SHA-256 {str(of.weights)[:12]}... is expected"
            )
        sources.append(found[of.weights].model_copy(update={"name": submission.card.name, "run": run}))
    check_tensors(submission.card, task, sources)
    return sources


def _key(cell: Cell) -> tuple[str, str, str, str]:
    return cell.task, cell.perturbation, cell.level, str(cell.run)


def _compare(submission: Submission, cell: Cell) -> Comparison:
    submitted, again = submission.cells[_key(cell)], evaluate(cell)
    normalise = get_task(cell.task).metric.normalise
    difference = abs(float(normalise(again.returns).mean() - normalise(submitted.returns).mean()))
    same = (again.returns == submitted.returns) & (again.lengths == submitted.lengths)
    return Comparison(
        cell=cell.id,
        submitted=float(submitted.returns.mean()),
        again=float(again.returns.mean()),
        difference=difference,
        identical=float(same.mean()),
        within=difference <= submission.card.tolerance,
    )
