"""``symbench report``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from symbench.leaderboard import Report


@one_line_errors
def report(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="What --out of [cyan]symbench run[/cyan] was.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", metavar="TASK", help="What comes first; may be repeated.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Make the tables of a run again from its cells, and print them.

    Writes leaderboard.csv, leaderboard.md and episodes.csv into RUN_DIR.
    Works on a run that is unfinished, and on one that was made elsewhere:
    no agent is loaded.

    [bold]Examples[/bold]
      [cyan]symbench report runs/shuffle[/cyan]
      [cyan]symbench report runs/shuffle | less[/cyan]
    """
    from symbench.leaderboard import write_report

    show(write_report(run_dir, task or ()), run_dir)


def show(made: Report, directory: Path) -> None:
    """Print the tables of a run and where they are."""
    from rich.markup import escape

    from symbench.cli.console import console
    from symbench.leaderboard.terminal import render

    screen = console()
    screen.print(render(made, screen.width))
    for note in made.manifest.notes():
        screen.print(f"[dim]{escape(note)}[/dim]", highlight=False, soft_wrap=True)
    files = "leaderboard.csv, leaderboard.md, episodes.csv, run.json, cells/"
    screen.print(f"[dim]{escape(str(directory))}: {files}[/dim]", highlight=False, soft_wrap=True)
    if made.answer:
        screen.print(f"[bold]{escape(made.answer)}[/bold]", highlight=False, soft_wrap=True)
