"""``symbench leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors


@one_line_errors
def leaderboard(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Holds submissions/. \\[leaderboards]", show_default=False)
    ] = Path("leaderboards"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the tables are stale.")] = False,
    debug: Debug = False,
) -> None:
    """Make the tables of a leaderboard again from its submissions.

    Writes LEADERBOARD.md and leaderboard.csv into FOLDER. The same
    submissions give the same bytes. Exit code of --check: 0 if the tables are
    up to date, 1 if not.

    [bold]Examples[/bold]
      [cyan]symbench leaderboard[/cyan]
      [cyan]symbench leaderboard --check[/cyan]   [dim]# what continuous integration does[/dim]
    """
    from symbench.leaderboard.board import stale_tables, write_tables

    if not check:
        boards = write_tables(folder)
        lines = sum(len(board.lines) for board in boards)
        typer.echo(f"{folder}/LEADERBOARD.md, leaderboard.csv: {len(boards)} boards, {lines} lines")
    elif stale := stale_tables(folder):
        typer.secho(f"error: {', '.join(stale)} in {folder}: stale; run symbench leaderboard", err=True, fg="red")
        raise typer.Exit(1)
    else:
        typer.echo(f"{folder}: up to date")
