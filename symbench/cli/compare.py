"""``symbench compare``."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from symbench.leaderboard.compare import Difference
    from symbench.leaderboard.resampling import Estimate

_FOLDER = Path("leaderboards/submissions")


@one_line_errors
def compare(
    ours: Annotated[str, typer.Argument(metavar="A", help="A submission: its name on the board, or a file.")],
    theirs: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where submissions with a name are.")] = _FOLDER,
    debug: Debug = False,
) -> None:
    """Print paired differences of two submissions and the probability that A is better.

    Both have played the same episodes. Intervals are over training runs and
    episodes; with fewer than 5 training runs on a side over the episodes of
    these runs, and P has none. p is of the paired permutation test over the
    episode seeds: it is about these agents, not about other training runs.

    [bold]Examples[/bold]
      [cyan]symbench compare attention-neuron mlp[/cyan]
      [cyan]symbench compare mine.csv leaderboards/submissions/mlp.csv[/cyan]
    """
    from symbench.cli.console import show_list
    from symbench.leaderboard.compare import compare
    from symbench.leaderboard.validate import read_submission

    a, b = (read_submission(_file(text, folder)) for text in (ours, theirs))
    names = (a.card.name, b.card.name)
    header = ("task", "condition", *names, "difference [95%]", "over", "seeds won", "p", "P(A better) [95%]")
    show_list(header, map(_line, compare(a, b)))


def _file(text: str, folder: Path) -> Path:
    path = Path(text)
    return path if path.suffix in (".csv", ".json") else folder / f"{text}.csv"


def _line(of: Difference) -> list[str]:
    from symbench.leaderboard.text import NOTHING

    return [
        *(of.task, of.condition, f"{of.ours:.1f}", f"{of.theirs:.1f}", _interval(of.difference, "+.1f")),
        *(of.over or NOTHING, f"{of.better:.0%}", _p(of.p), _interval(of.improvement, ".2f")),
    ]


def _interval(estimate: Estimate, form: str) -> str:
    value, low, high = (format(number, form) for number in estimate)
    return value if isnan(estimate.low) else f"{value} [{low}, {high}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
