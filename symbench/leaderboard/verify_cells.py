"""The cells of a submission, ready to be played again, after a look at where its agent can act at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError
from symbench.leaderboard.same_runs import check_tensors
from symbench.runner.agents import RANDOM, resolve
from symbench.runner.cell_id import CellId
from symbench.runner.plan import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.submission_rows import Key
    from symbench.leaderboard.validate import Submission
    from symbench.runner import AgentSource, Cell
    from symbench.runner.plan import Plan

# Kinds of agents that are data for symbench's own code. All others act from a process of their own.
_DATA: Final = ("random", "zoo", "solver")


def planned_cells(submission: Submission, agents: Sequence[str], trust: bool) -> list[Cell]:
    """All cells of a submission.

    Args:
        submission: What was submitted.
        agents: Where the agent's files are, as after ``--agent``; all training runs.
        trust: Whether code that they bring may be executed, in a process of its own.

    Raises:
        SymbenchError: The files are not those that were submitted, or the agent cannot act where episodes were
            submitted, or can where the submission says that it cannot.
    """
    sources = {task: _sources(submission, task, agents, trust) for task in submission.card.tasks}
    planned = plan(submission.suite, sources)
    _check_acts(submission, planned)
    _check_cannot_act(submission, planned)
    return [cell for cell in planned.cells if key_of(cell.key) in submission.cells]


def key_of(cell: CellId) -> Key:
    """What a submission's table calls a cell."""
    return cell.task, cell.perturbation, cell.level, str(cell.run)


def _check_acts(submission: Submission, planned: Plan) -> None:
    """Episodes that nobody can have played are not drawn among those that can: they are all looked for."""
    for skipped in planned.skipped:
        if key_of(CellId.parse(skipped.id)) in submission.cells:
            raise SymbenchError(
                f"{skipped.id}: episodes were submitted, but the agent cannot act there ({skipped.reason}); "
                "its place is in cannot_act"
            )


def _check_cannot_act(submission: Submission, planned: Plan) -> None:
    """A condition in which the agent fails is not left out by saying that it cannot act."""
    cannot = {(each.task, each.condition) for each in (CellId.parse(skipped.id) for skipped in planned.skipped)}
    for cell in planned.cells:
        where = cell.task, cell.key.condition
        if cell.key.condition in submission.card.tasks[cell.task].cannot_act and where not in cannot:
            raise SymbenchError(
                f"{cell.id}: cannot_act says that the agent cannot act there, but it can; "
                "its episodes there belong to the submission"
            )


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
        source, called = found[of.weights], {"name": submission.card.name, "run": run}
        sources.append(source.model_copy(update={**called, "apart": source.kind not in _DATA}))
    check_tensors(submission.card, task, sources)
    return sources
