"""``symbench describe``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbench.runner import Record


@one_line_errors
def describe(
    cell_id: Annotated[str, typer.Argument(metavar="CELL_ID", help="SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN")],
    run_dir: Annotated[
        Path | None,
        typer.Option("--run", metavar="RUN_DIR", help="Look the cell up in a run: suites and agents of one's own."),
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option("--agent", "-a", metavar="AGENT", help="Where the agent is, if it is not a bundled one."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code in SB3 zips and in modules of your own.")
    ] = False,
    debug: Debug = False,
) -> None:
    r"""Print what a cell is made of, in order, from the environment to the agent.

    Cells have readable ids: suite and version, task, perturbation, level,
    agent, training run.

    [bold]Examples[/bold]
      [cyan]symbench describe shuffle@2/CartPoleSwingUp/none/in-order/mlp/s0[/cyan]
      [cyan]symbench describe --run runs/mine \
          shuffle@2/CartPole-v1/shuffle-sensors/every-100/mine/s0[/cyan]
      [cyan]symbench describe --agent mine=a2c:mine.zip --trust \
          shuffle@2/Pendulum-v1/none/in-order/mine/s0[/cyan]
    """
    from rich.table import Table
    from rich.text import Text

    from symbench.cli.console import console

    table = Table(title=Text(cell_id, style="bold"), title_justify="left", box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="dim")
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for number, (role, what) in enumerate(_steps(run_dir, cell_id, [agent] if agent else [], trust), 1):
        table.add_row(str(number), *map(Text, (role, what)))  # text: spaces are written with brackets
    console().print(table)


def _steps(run_dir: Path | None, cell_id: str, agents: list[str], trust: bool) -> tuple[tuple[str, str], ...]:
    from symbench.runner.find import planned_cell, stored_record
    from symbench.runner.pipeline import describe

    if run_dir is None:
        return describe(planned_cell(cell_id, agents, trust))
    record = stored_record(run_dir, cell_id)
    return (*record.pipeline, *_noticed(record))


def _noticed(record: Record) -> Iterator[tuple[str, str]]:
    """What was noticed while it was played; cells of earlier versions say less."""
    if (change := record.episodes.input_change) is not None:
        yield "what was moved", f"{change} (first 100 steps)"
    if record.episodes.outside:
        yield "outside its space", f"{record.episodes.outside} observations of the task"
    if machine := record.machine:
        yield "computed with", ", ".join(f"{name} {machine[name]}" for name in ("symbench", "commit", "python", "cpu"))
        yield "arithmetic", "; ".join(f"{name}: {what}" for name, what in machine["arithmetic"].items())
