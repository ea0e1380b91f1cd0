"""``symbench sign-verified``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors
from symbench.errors import SymbenchError


@one_line_errors
def sign_verified(
    submission: Annotated[Path, typer.Argument(metavar="SUBMISSION", help="Either of its files.")],
    sign: Annotated[
        Path, typer.Option(metavar="KEY", help="An SSH key of a maintainer, in allowed_signers beside the entries.")
    ],
    record: Annotated[
        Path, typer.Option(metavar="FILE", help="Where symbench verify has recorded. \\[leaderboards/verified.json]")
    ] = Path("leaderboards/verified.json"),
    debug: Debug = False,
) -> None:
    """Sign what symbench verify has recorded, without playing anything.

    Verifying with --trust runs code of the agent and therefore signs
    nothing. Verify in a container, read the entry, copy it into the
    leaderboard, and sign it here, where that code has never run. The entry
    must be of exactly these files, of cells that they have, and of enough.

    [bold]Example[/bold]
      [cyan]symbench sign-verified leaderboards/submissions/mine.csv --sign ~/.ssh/id_ed25519[/cyan]
    """
    from symbench.leaderboard.signatures import check_key, sign_recorded
    from symbench.leaderboard.validate import read_submission
    from symbench.leaderboard.verified import doubt, read_verified

    check_key(sign)
    read = read_submission(submission)
    entry = read_verified(record).get(read.card.name)
    if entry is not None and entry.digest != read.digest:
        raise SymbenchError(
            f"{record}: the entry {read.card.name!r} is of other files than {submission}: verify it anew"
        )
    if entry is not None and (missing := doubt(entry, read)):
        raise SymbenchError(f"{record}: {missing}")
    sign_recorded(record, read.card.name, sign)
    typer.echo(f"{read.card.name}: signed, {len(read_verified(record)[read.card.name].cells)} cells")
