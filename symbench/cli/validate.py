"""``symbench validate``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors


@one_line_errors
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Submissions, or folders of submissions.")],
    debug: Debug = False,
) -> None:
    """Say everything that is wrong with submissions, with line and column.

    Either file of a submission stands for both. Nothing is executed and
    nothing is unpacked. What lies beside a file is looked at for copies of
    it. Exit code 0: all rules are kept; 2: one is broken.

    [bold]Examples[/bold]
      [cyan]symbench validate leaderboards/submissions/my-agent.csv[/cyan]
      [cyan]symbench validate leaderboards/submissions[/cyan]   [dim]# what continuous integration does[/dim]
    """
    from symbench.leaderboard.validate import validate

    submissions, problems = validate(files, beside=True)
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        typer.secho(f"error: {len(problems)} problems; the rules are in docs/submit.md", err=True, fg="red")
        raise typer.Exit(2)
    for submission in submissions:
        cells = len(submission.cells)
        typer.echo(f"{submission.card.name}: {cells} cells of {submission.card.suite}, all rules are kept")
        for note in submission.notes:
            typer.echo(f"note: {note}")
