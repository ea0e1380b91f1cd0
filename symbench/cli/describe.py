"""``symbench describe``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from symbench.runner import Cell


@one_line_errors
def describe(
    cell_id: Annotated[str, typer.Argument(metavar="CELL_ID", help="SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN")],
    run_dir: Annotated[
        Path | None,
        typer.Option("--run", metavar="RUN_DIR", help="Look the cell up in a run: suites and agents of one's own."),
    ] = None,
    debug: Debug = False,
) -> None:
    r"""Print what a cell is made of, in order, from the environment to the agent.

    Cells have readable ids: suite and version, task, perturbation, level,
    agent, training run.

    [bold]Examples[/bold]
      [cyan]symbench describe shuffle@1/CartPoleSwingUp/none/in-order/mlp/s0[/cyan]
      [cyan]symbench describe --run runs/mine \
          shuffle@1/CartPole-v1/shuffle-sensors/every-100/mine/s0[/cyan]
    """
    from rich.table import Table
    from rich.text import Text

    from symbench.cli.console import console

    table = Table(title=Text(cell_id, style="bold"), title_justify="left", box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="dim")
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    steps = _stored(run_dir, cell_id) if run_dir else _planned(cell_id)
    for number, (role, what) in enumerate(steps, 1):
        table.add_row(str(number), *map(Text, (role, what)))  # text: spaces are written with brackets
    console().print(table)


def _stored(run_dir: Path, cell_id: str) -> tuple[tuple[str, str], ...]:
    from symbench.errors import SymbenchError, unknown
    from symbench.runner import Store, load_manifest

    manifest = load_manifest(run_dir)
    if cell_id in manifest.skipped:
        raise SymbenchError(f"{cell_id} is left out: {manifest.skipped[cell_id]}")
    if cell_id not in manifest.cells:
        raise unknown("cell", cell_id, [*manifest.cells, *manifest.skipped], f"in {run_dir}")
    if cell_id in manifest.failed:
        raise SymbenchError(f"{cell_id} failed: {manifest.failed[cell_id]}")
    found = Store(run_dir).records({cell_id: manifest.cells[cell_id]})
    if not found:
        raise SymbenchError(f"{cell_id} has not been evaluated yet; the command that made {run_dir} goes on from there")
    return found[0].pipeline


def _planned(cell_id: str) -> tuple[tuple[str, str], ...]:
    from symbench.runner.pipeline import describe

    return describe(_find(cell_id))


def _find(cell_id: str) -> Cell:
    from symbench.errors import SymbenchError, unknown
    from symbench.runner import make_plan
    from symbench.suites import load_suite

    parts = cell_id.split("/")
    if len(parts) != 6:
        raise SymbenchError(f"{cell_id!r} is not a cell: expected SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN")
    planned = make_plan(load_suite(parts[0]), tasks=[parts[1]], agents=[parts[4]])
    cells = {cell.id: cell for cell in planned.cells}
    skipped = {left.id: left.reason for left in planned.skipped}
    if cell_id in skipped:
        raise SymbenchError(f"{cell_id} is left out: {skipped[cell_id]}")
    if cell_id not in cells:
        raise unknown("cell", cell_id, cells)
    return cells[cell_id]
