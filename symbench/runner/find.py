"""From the id of a cell to the cell: planned anew, or as a run recorded it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symbench.errors import SymbenchError, unknown
from symbench.runner.agents import resolve
from symbench.runner.cell_id import CellId
from symbench.runner.manifest import load_manifest
from symbench.runner.run_suite import make_plan
from symbench.runner.store import Store
from symbench.suites import load_suite
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.runner.cell import AgentSource, Cell
    from symbench.runner.store import Record


def planned_cell(cell_id: str, agents: Sequence[str] = (), trust: bool = False) -> Cell:
    """The cell that ``symbench run`` would evaluate under this id.

    Args:
        cell_id: ``SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN``.
        agents: Where the agent comes from, as after ``--agent``; none looks among the bundled ones.
        trust: Whether SB3 zips and perturbations of the user's own may be loaded.

    Raises:
        SymbenchError: It is no id, there is no such cell, or it makes no sense.
    """
    asked = CellId.parse(cell_id)
    suite = load_suite(f"{asked.suite}@{asked.version}")
    planned = make_plan(suite, tasks=[asked.task], agents=agents or [asked.agent], trust=trust)
    cells = {cell.id: cell for cell in planned.cells}
    skipped = {left.id: left.reason for left in planned.skipped}
    if reason := planned.redundant.get(f"{asked.task}/{asked.condition}"):
        raise SymbenchError(f"{cell_id} is left out: {reason}")
    if cell_id in skipped:
        raise SymbenchError(f"{cell_id} is left out: {skipped[cell_id]}")
    if cell_id not in cells:
        raise unknown("cell", cell_id, cells)
    return cells[cell_id]


def stored_record(run_dir: Path, cell_id: str) -> Record:
    """The cell of a run directory with its episodes. It does not know where its agent's files are.

    Raises:
        SymbenchError: The directory holds no run or no such cell, or the cell was left out, failed, or is to come.
    """
    manifest = load_manifest(run_dir)
    if cell_id in manifest.skipped:
        raise SymbenchError(f"{cell_id} is left out: {manifest.skipped[cell_id]}")
    if cell_id not in manifest.cells:
        asked = CellId.parse(cell_id)
        if reason := manifest.redundant.get(f"{asked.task}/{asked.condition}"):
            raise SymbenchError(f"{cell_id} is left out: {reason}")
        raise unknown("cell", cell_id, [*manifest.cells, *manifest.skipped], f"in {run_dir}")
    if cell_id in manifest.failed:
        raise SymbenchError(f"{cell_id} failed: {manifest.failed[cell_id]}")
    found = Store(run_dir).records({cell_id: manifest.cells[cell_id]})
    if not found:
        raise SymbenchError(
            f"{cell_id} has not been evaluated yet; the command that made {run_dir} goes on from there, "
            "without --no-resume"
        )
    return found[0]


def stored_cell(run_dir: Path, cell_id: str, agents: Sequence[str] = (), trust: bool = False) -> Cell:
    """The cell of a run directory with the files of its agent, ready to be played again.

    Args:
        run_dir: The run directory.
        cell_id: The cell's id.
        agents: Where the agent comes from, as after ``--agent``; none looks among the bundled ones.
        trust: Whether SB3 zips and perturbations of the user's own may be loaded.

    Raises:
        SymbenchError: As :func:`stored_record`, or the agent's files are not the ones that were evaluated.
    """
    cell = stored_record(run_dir, cell_id).cell
    get_task(cell.task, trust)
    apply = tuple(step.trusting(trust) for step in cell.apply)
    source = _same_agent(cell, agents, trust)
    return cell.model_copy(update={"source": source, "apply": apply, "trust": trust})


def _same_agent(cell: Cell, agents: Sequence[str], trust: bool) -> AgentSource:
    try:
        found = resolve(agents or [cell.agent], cell.task, trust)
    except SymbenchError as error:
        if agents:
            raise
        raise SymbenchError(f"{error}; name its files: --agent PATH") from error
    same = next((source for source in found if source.digest == cell.source.digest), None)
    if same is None:
        raise SymbenchError(f"the files of {cell.agent!r} are not those that were evaluated; name them: --agent PATH")
    # Its name and number are those of the run, whatever it is called today.
    return same.model_copy(update={"name": cell.agent, "run": cell.run})
