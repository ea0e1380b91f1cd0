"""``symbench compare``."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors
from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from symbench.leaderboard.bootstrap import Estimate
    from symbench.leaderboard.compare import Difference

_FOLDER = Path("leaderboards/submissions")


@one_line_errors
def compare(
    ours: Annotated[
        str, typer.Argument(metavar="A|RUN_DIR", help="A submission: its name on the board, or a file; or a run.")
    ],
    theirs: Annotated[str | None, typer.Argument(metavar="B", help="Another submission.")] = None,
    agents: Annotated[str | None, typer.Option(metavar="A,B", help="Two agents of RUN_DIR.")] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where submissions with a name are.")] = _FOLDER,
    debug: Debug = False,
) -> None:
    """Print paired differences of two submissions, or agents of a run, and the probability that A is better.

    Both have played the same episodes. Intervals are over training runs and
    episodes; with fewer than 5 training runs on a side over the episodes of
    these runs, and P has none. p is of the paired permutation test over the
    episode seeds: it is about these agents, not about other training runs.

    [bold]Examples[/bold]
      [cyan]symbench compare runs/shuffle --agents mine,mlp[/cyan]
      [cyan]symbench compare attention-neuron mlp[/cyan]
      [cyan]symbench compare mine.csv leaderboards/submissions/mlp.csv[/cyan]
    """
    from symbench.cli.console import show_list

    if agents is not None and theirs is None:
        names, found = _of_run(Path(ours), agents)
    elif agents is None and theirs is not None:
        names, found = _of_submissions(_file(ours, folder), _file(theirs, folder))
    else:
        raise SymbenchError("compare two submissions, A B, or two agents of a run, RUN_DIR --agents A,B")
    header = ("task", "condition", *names, "difference [95%]", "over", "seeds won", "p", "P(A better) [95%]")
    show_list(header, map(_line, found))


def _of_run(run_dir: Path, agents: str) -> tuple[list[str], list[Difference]]:
    from symbench.leaderboard.compare import compare_agents
    from symbench.runner import Store, load_manifest

    names = [name.strip() for name in agents.split(",")]
    if len(names) != 2:
        raise SymbenchError(f"--agents takes two names, e.g. mine,mlp; received {agents!r}")
    manifest = load_manifest(run_dir)
    return names, compare_agents(manifest, Store(run_dir).records(manifest.cells), *names)


def _of_submissions(ours: Path, theirs: Path) -> tuple[list[str], list[Difference]]:
    from symbench.leaderboard.compare import compare
    from symbench.leaderboard.validate import read_submission

    a, b = read_submission(ours), read_submission(theirs)
    return [a.card.name, b.card.name], compare(a, b)


def _file(text: str, folder: Path) -> Path:
    path = Path(text)
    if path.suffix in (".csv", ".json"):
        return path
    if not (found := folder / f"{text}.csv").exists():
        where = f"in {folder}" if folder.is_dir() else f"as {folder} is not here: give --folder, files, or a run"
        raise unknown("submission", text, (known.stem for known in folder.glob("*.csv")), where)
    return found


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
