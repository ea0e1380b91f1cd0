"""``symbench verify``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors
from symbench.errors import SymbenchError


@one_line_errors
def verify(
    submission: Annotated[Path, typer.Argument(metavar="SUBMISSION", help="Either of its files.")],
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent",
            "-a",
            metavar="AGENT",
            help="As for [cyan]symbench run[/cyan]; repeated for several training runs. \\[its name]",
        ),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run the code in SB3 zips and in modules of your own.")
    ] = False,
    cells: Annotated[int, typer.Option(help="How many random cells are played again.")] = 3,
    seed: Annotated[int | None, typer.Option(help="Draws the cells. \\[anew every time]")] = None,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Note success there: leaderboards/verified.json.")
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY", help="Sign what is recorded: an SSH key of a maintainer, listed in FILE's allowed_signers."
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    r"""Play random cells of a submission again and compare the scores.

    The files of the agent must be those that were submitted: their hashes
    are compared first. Exit code 0: every cell is within the tolerance that
    the submission declares; 1: one is not.

    [bold]Examples[/bold]
      [cyan]symbench verify leaderboards/submissions/mlp.csv[/cyan]   [dim]# a bundled agent[/dim]
      [cyan]symbench verify mine.csv --agent ppo:s0.zip --agent ppo:s1.zip --trust[/cyan]
      [cyan]symbench verify leaderboards/submissions/mlp.csv \
          --record leaderboards/verified.json --sign ~/.ssh/id_ed25519[/cyan]   [dim]# a maintainer[/dim]
    """
    from symbench.leaderboard import verify as module
    from symbench.leaderboard.signatures import check_key, sign_recorded
    from symbench.leaderboard.validate import read_submission

    def show(comparison: module.Comparison) -> None:
        verdict = "within" if comparison.within else "NOT within"
        typer.echo(
            f"{comparison.cell}: submitted {comparison.submitted:.4f}, again {comparison.again:.4f}, "
            f"{comparison.identical:.0%} of the episodes identical; "
            f"score off by {comparison.difference:.2g}, {verdict} {read.card.tolerance:g}"
        )

    if sign and not record:
        raise SymbenchError("--sign signs what is recorded: add --record leaderboards/verified.json")
    if sign:
        check_key(sign)  # now rather than after the cells
    read = read_submission(submission)
    specs = agent or [read.card.name]
    comparisons = module.verify(read, specs, trust=trust, cells=cells, seed=seed, progress=show)
    if not all(comparison.within for comparison in comparisons):
        typer.secho("error: not the numbers that were submitted", err=True, fg="red")
        raise typer.Exit(1)
    if record:
        module.record(record, read, comparisons)
    if record and sign:
        sign_recorded(record, read.card.name, sign)
    elif record:
        typer.echo(f"{record}: recorded without a signature, so it does not count yet; --sign KEY adds one", err=True)
