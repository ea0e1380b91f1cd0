"""``symbench compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from symbench.leaderboard.compare import Difference
    from symbench.leaderboard.statistics import Estimate

_FOLDER = Path("leaderboards/submissions")


@one_line_errors
def compare(
    ours: Annotated[str, typer.Argument(metavar="A", help="A submission: its name on the board, or a file.")],
    theirs: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where submissions with a name are.")] = _FOLDER,
    debug: Debug = False,
) -> None:
    """Print paired differences of two submissions and the probability that A is better.

    Both have played the same episodes. Intervals are over training runs; over
    paired episodes if either has a single training run.

    [bold]Examples[/bold]
      [cyan]symbench compare attention-neuron mlp[/cyan]
      [cyan]symbench compare mine.csv leaderboards/submissions/mlp.csv[/cyan]
    """
    from symbench.cli.console import show_list
    from symbench.leaderboard.compare import compare
    from symbench.leaderboard.validate import read_submission

    a, b = (read_submission(_file(text, folder)) for text in (ours, theirs))
    names = (a.card.name, b.card.name)
    header = ("task", "condition", *names, "difference [95%]", "seeds won", "P(A better) [95%]", "over")
    show_list(header, map(_line, compare(a, b)))


def _file(text: str, folder: Path) -> Path:
    path = Path(text)
    return path if path.suffix in (".csv", ".json") else folder / f"{text}.csv"


def _line(of: Difference) -> list[str]:
    return [
        *(of.task, of.condition, f"{of.ours:.1f}", f"{of.theirs:.1f}", _interval(of.difference, "+.1f")),
        *(f"{of.better:.0%}", _interval(of.improvement, ".2f"), of.over),
    ]


def _interval(estimate: Estimate, form: str) -> str:
    value, low, high = (format(number, form) for number in estimate)
    return f"{value} [{low}, {high}]"
