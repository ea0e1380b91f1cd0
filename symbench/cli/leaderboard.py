"""``symbench leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors
from symbench.extras import require

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbench.leaderboard.board import Board


@one_line_errors
def leaderboard(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Holds submissions/. \\[leaderboards]", show_default=False)
    ] = Path("leaderboards"),
    site: Annotated[
        Path | None,
        typer.Option(
            "--site", metavar="DIR", parser=directory, help="The static site: open DIR/index.html. \\[FOLDER/site]"
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if tables or site are stale.")] = False,
    debug: Debug = False,
) -> None:
    """Make the tables and the site of a leaderboard again from its submissions.

    Writes LEADERBOARD.md, leaderboard.csv and in-toto statements of their
    rows, leaderboard.intoto.jsonl, into FOLDER. The site needs no
    server, no network and no build step. Tables of tours in FOLDER/tours are
    drawn on it. The same files give the same bytes. Exit code of --check: 0 if everything is up to date, 1 if not.

    [bold]Examples[/bold]
      [cyan]symbench leaderboard[/cyan]   [dim]# and open leaderboards/site/index.html[/dim]
      [cyan]symbench leaderboard --check[/cyan]   [dim]# what continuous integration does[/dim]
    """
    from symbench.leaderboard.board import write_tables
    from symbench.leaderboard.gap_rows import read_tables
    from symbench.leaderboard.in_toto import write_bundle
    from symbench.leaderboard.site import write_site

    for fault in _unsigned(folder):
        typer.secho(f"not verified: {fault}", err=True, fg="yellow")
    if check:
        _check(folder, site or folder / "site")
        return
    require("jinja2", "the pages of the site")  # now rather than after the tables
    boards = write_tables(folder)
    for name, reason in _doubts(folder, boards).items():
        typer.secho(f"{name} does not count as verified: {reason}", err=True, fg="yellow")
    write_bundle(folder, boards)
    lines = sum(len(board.lines) for board in boards)
    typer.echo(f"{folder}/LEADERBOARD.md, leaderboard.csv: {len(boards)} boards, {lines} lines")
    write_site(boards, site or folder / "site", read_tables(folder))
    typer.echo(f"{site or folder / 'site'}/index.html")


def _unsigned(folder: Path) -> list[str]:
    """Why entries of what is verified do not count."""
    from symbench.leaderboard.signatures import SIGNERS, signature_fault
    from symbench.leaderboard.verified import VERIFIED, read_verified

    entries = read_verified(folder / VERIFIED).items()
    return list(filter(None, (signature_fault(name, entry, folder / SIGNERS) for name, entry in entries)))


def _doubts(folder: Path, boards: Iterable[Board]) -> dict[str, str]:
    """Of entries that are of a submission on a board, why they do not count, by its name."""
    from symbench.leaderboard.verified import VERIFIED, doubt, read_verified

    entries = read_verified(folder / VERIFIED)
    submissions = {line.submission.card.name: line.submission for board in boards for line in board.lines}
    reasons = {
        name: doubt(entries[name], submission)
        for name, submission in submissions.items()
        if name in entries and entries[name].digest == submission.digest
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _check(folder: Path, site: Path) -> None:
    """Exit with code 1 if anything is stale."""
    from symbench.leaderboard.board import read_boards, stale_tables
    from symbench.leaderboard.gap_rows import read_tables
    from symbench.leaderboard.in_toto import BUNDLE, is_stale
    from symbench.leaderboard.site import stale_pages

    boards = read_boards(folder)
    stale = {folder: stale_tables(folder), site: stale_pages(boards, site, read_tables(folder))}
    stale[folder] += [BUNDLE] if is_stale(folder, boards) else []
    command = "symbench leaderboard" if site == folder / "site" else f"symbench leaderboard --site {site}"
    for where, names in stale.items():
        if names:
            typer.secho(f"error: {', '.join(names)} in {where}: stale; run {command}", err=True, fg="red")
    if any(stale.values()):
        raise typer.Exit(1)
    typer.echo(f"{' and '.join(map(str, stale))}: up to date")
