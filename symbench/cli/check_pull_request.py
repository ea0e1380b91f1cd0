"""``symbench check-pull-request``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

_SHOWN = 50


@one_line_errors
def check_pull_request(
    base: Annotated[str, typer.Argument(metavar="BASE", help="Commit it would be merged into.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Commit of the pull request.")],
    repository: Annotated[
        Path, typer.Option("--repository", metavar="DIR", help="A checkout that holds both. \\[.]", show_default=False)
    ] = Path(),
    debug: Debug = False,
) -> None:
    """Check a pull request with submissions to the leaderboard.

    It may add submissions, and the tables and pages made of them; nothing
    else, and nothing of anybody else. HEAD is read from git's objects and
    never checked out. Exit code 0: it may be merged; 1: it may not.

    [bold]Examples[/bold]
      [cyan]symbench check-pull-request origin/main HEAD[/cyan]   [dim]# before you open it[/dim]
      [cyan]git fetch origin pull/7/head && symbench check-pull-request main FETCH_HEAD[/cyan]
    """
    from symbench.leaderboard.pull_request import check_pull_request

    problems = check_pull_request(base, head, repository)
    for problem in problems[:_SHOWN]:
        typer.echo(problem)
    if problems:
        what = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        typer.secho(f"error: {what}; docs/submit.md says what a submission may change", err=True, fg="red")
        raise typer.Exit(1)
    typer.echo("a submission that changes nothing else, with the tables and pages that belong to it")
