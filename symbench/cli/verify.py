"""``symbench verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from symbench.leaderboard.verify import Verification
    from symbench.leaderboard.verify_differences import Comparison


_WORKERS = min(2, os.cpu_count() or 1)


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
        bool,
        typer.Option("--trust", help="Run the code that the agent brings, in a process of its own: in a container."),
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="Play all cells again: for small agents.")] = False,
    cells: Annotated[
        int | None,
        typer.Option(help="How many random cells are played again. \\[enough to find 5% doctored ones]"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the cells. \\[anew every time]")] = None,
    fresh_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Plays the fresh seeds of an earlier call again. \\[anew every time]"),
    ] = None,
    tolerance: Annotated[
        float,
        typer.Option(min=0, help="Of mean scores, beyond chance, on a machine that computes otherwise. \\[0.01]"),
    ] = 0.01,
    workers: Annotated[int, typer.Option("--workers", "-w", help="Processes; numbers do not change.")] = _WORKERS,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Note success there: leaderboards/verified.json.")
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY",
            help="Sign what is recorded: an SSH key of a maintainer, in FILE's allowed_signers. Not with --trust.",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    r"""Play random cells of a submission again and compare every episode.

    The files of the agent must be those that were submitted: their hashes
    are compared first. Then where the agent can act is compared with where
    the submission has episodes. So many cells of each task are drawn that
    5% doctored ones are found with a confidence of 95%; fewer (--cells) are
    recorded with less, which no board takes for verified. On a machine that computes
    as the submission's did every episode must be the same to the last bit;
    on another one differences must be chance. A few cells are played with
    secret seeds too, which the agent is not told, and must have the same
    distribution of scores.

    What is not safetensors acts from a process of its own, which returns
    actions only. With --trust it runs code of its author, with your rights:
    as many cells are played on secret seeds as again on the suite's,
    nothing is verified if a file that judges has changed meanwhile, and
    nothing is signed; symbench sign-verified does that afterwards.
    Exit code 0: nothing is wrong; 1: the numbers are others.

    [bold]Examples[/bold]
      [cyan]symbench verify leaderboards/submissions/mlp.csv[/cyan]   [dim]# a bundled agent[/dim]
      [cyan]symbench verify mine.csv --agent ppo:s0.zip --agent ppo:s1.zip --all[/cyan]
      [cyan]symbench verify leaderboards/submissions/mlp.csv \
          --record leaderboards/verified.json --sign ~/.ssh/id_ed25519[/cyan]   [dim]# a maintainer[/dim]
    """
    from symbench.leaderboard import verify as module
    from symbench.leaderboard.signatures import SIGNERS, sign_recorded
    from symbench.leaderboard.validate import read_submission
    from symbench.leaderboard.verified import too_little

    def show(comparison: Comparison) -> None:
        typer.echo(
            f"{comparison.cell}: submitted {comparison.submitted:.4f}, again {comparison.again:.4f}, "
            f"{comparison.identical:.0%} of the episodes identical" + (", NOT the same" if comparison.problem else "")
        )

    _check(trust, every, cells, fresh_key, record, sign)
    read = read_submission(submission)
    specs = agent or [read.card.name]
    chosen = sys.maxsize if every else cells
    found = module.verify(
        read,
        specs,
        trust=trust,
        cells=chosen,
        seed=seed,
        fresh_key=fresh_key,
        tolerance=tolerance,
        workers=workers,
        files=[*_both(submission), *([record, record.with_name(SIGNERS)] if record else [])],
        progress=show,
    )
    _tell(found)
    if found.problems:
        typer.secho("error: not the numbers that were submitted", err=True, fg="red")
        raise typer.Exit(1)
    if record:
        missing = too_little(module.record(record, read, found))
        if sign:
            sign_recorded(record, read.card.name, sign)
        elif not missing:
            missing = "its entry has no signature, so it does not count yet; symbench sign-verified adds one"
        if missing:
            typer.secho(f"{record}: not verified yet: {missing}", err=True, fg="yellow")


def _check(
    trust: bool, every: bool, cells: int | None, fresh_key: str | None, record: Path | None, sign: Path | None
) -> None:
    """Whether these options go together."""
    from symbench.leaderboard.signatures import check_key

    if sign and not record:
        raise SymbenchError("--sign signs what is recorded: add --record leaderboards/verified.json")
    if sign and trust:
        raise SymbenchError(
            "--trust runs code of the agent, which could reach the key, so nothing is signed: record now, and sign "
            "later with symbench sign-verified, where that code has never run"
        )
    if fresh_key and record:
        raise SymbenchError("fresh seeds that are played again (--fresh-key) are secret no more: leave out --record")
    if sign:
        check_key(sign)  # now rather than after the cells
    if every and cells is not None:
        raise SymbenchError("--all or --cells, not both")


def _both(submission: Path) -> list[Path]:
    return [submission.with_suffix(suffix) for suffix in (".csv", ".json")]


def _tell(found: Verification) -> None:
    """What was found beyond the single cells."""
    for problem in found.problems:
        typer.echo(problem)
    alike = "as the submission's did" if found.alike else "otherwise than the submission's did, or may"
    typer.echo(
        f"{len(found.comparisons)} of {len(found.cells)} cells: 5% doctored ones of a task are found with a confidence "
        f"of {found.confidence:.1%}; {len(found.fresh)} also on fresh seeds, of the key {found.fresh_key}; "
        f"this machine computes {alike}"
    )
