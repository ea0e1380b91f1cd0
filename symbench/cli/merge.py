"""``symbench merge``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, directory, one_line_errors

if TYPE_CHECKING:
    from symbench.runner import Manifest


@one_line_errors
def merge(
    out: Annotated[Path, typer.Argument(metavar="OUT", parser=directory, help="Where to; may hold a run already.")],
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run directories of one suite.")],
    debug: Debug = False,
) -> None:
    """Put the cells of several run directories into one, and print its tables.

    For the parts of [cyan]symbench run --shard[/cyan], or runs of different agents.
    Every file is checked; nothing is merged if two directories differ in the
    suite, in an agent of the same name or in a number.

    [bold]Examples[/bold]
      [cyan]symbench merge runs/shuffle runs/shuffle-*-of-16[/cyan]
    """
    from symbench import leaderboard, runner
    from symbench.cli.report import show

    manifest = runner.merge(out, directories)
    show(leaderboard.write_report(out), out)
    show_part(manifest, out)


def show_part(manifest: Manifest, directory: Path) -> None:
    """Say how much of a run a directory holds."""
    from symbench.cli.console import console
    from symbench.runner import Store

    store = Store(directory)
    there = sum(store.path(id).exists() for id in manifest.cells)
    failed = f", {len(manifest.failed)} failed" if manifest.failed else ""
    line = f"{directory}: {there} of {len(manifest.cells)} cells are there{failed}"
    console().print(line, markup=False, highlight=False, soft_wrap=True)
