"""``symbench plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    import pandas as pd


@one_line_errors
def plot(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="What --out of run was; for training that of train or study."),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="retention|bars|profile|training",
            help="\\[retention if the suite has severities in an order, else bars; training of a training]",
        ),
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", metavar="TASK", help="May be repeated. \\[all, a panel each]")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option("--agent", "-a", metavar="AGENT", help="May be repeated; arms of a training. \\[all]"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Ends with .pdf, .svg or .png. \\[KIND.pdf]")
    ] = None,
    width: Annotated[
        str, typer.Option(metavar="single|double|INCHES", help="3.25 or 6.75 inches, as columns of papers are.")
    ] = "single",
    debug: Debug = False,
) -> None:
    """Draw a figure of runs as a paper prints it, and print what belongs below it.

    The numbers are those of the tables. Several runs go into one figure: a
    panel for each task and suite, a look for each agent. Colours are for every
    eye, fonts embedded; the same data give the same bytes.

    [bold]Examples[/bold]
      [cyan]symbench plot runs/shuffle --out fig.pdf[/cyan]
      [cyan]symbench plot runs/shuffle runs/mine -t CartPole-v1 -a mlp -a mine[/cyan]
      [cyan]symbench plot runs/shuffle --kind profile --width double --out fig.svg[/cyan]
      [cyan]symbench plot runs/train/mlp --out curves.png[/cyan]   [dim]# what symbench train wrote[/dim]
    """
    from symbench import plot as figures
    from symbench.cli.console import console
    from symbench.extras import require
    from symbench.plot.save import format_of

    require("matplotlib", "figures")
    if out is not None:
        format_of(out)
    found, frame = _frame(runs, kind)
    chosen = figures.select(frame, task or (), agent or (), "arm" if found == "training" else "agent")
    drawn = figures.figure(chosen, found, width=width)
    written = figures.save(drawn, out or Path(f"{found}.pdf"))
    console().print(f"{written}\n{figures.caption(found, chosen)}", markup=False, highlight=False, soft_wrap=True)


def _frame(runs: list[Path], kind: str | None) -> tuple[str, pd.DataFrame]:
    """The kind of figure, and what it reads."""
    from symbench.errors import unknown
    from symbench.loading import load
    from symbench.plot import KINDS, default_kind

    if kind is not None and kind not in KINDS:
        raise unknown("kind of figure", kind, KINDS)
    if kind == "training" or (kind is None and _are_trainings(runs)):
        from symbench.training.curve_logs import read_curve_logs

        return "training", read_curve_logs(*runs)
    if kind == "profile":
        return kind, load(*runs, per="run")
    frame = load(*runs)
    return kind or default_kind(frame), frame


def _are_trainings(runs: list[Path]) -> bool:
    from symbench.training.curve_logs import has_curves

    return all(not (run / "run.json").exists() and has_curves(run) for run in runs)
