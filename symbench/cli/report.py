"""``symbench report``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from symbench.leaderboard import Report

_ENDINGS = {"latex": "tex", "html": "html", "csv": "csv"}  # of the files of each format


@one_line_errors
def report(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="What --out of [cyan]symbench run[/cyan] was.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", metavar="TASK", help="What comes first; may be repeated.")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option("--agent", "-a", metavar="AGENT", help="Of --latex, --html, --csv; may be repeated. \\[all]"),
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="A tabular with booktabs, ready for \\input.")] = False,
    html: Annotated[
        bool, typer.Option("--html", help="One page with tables and figures, which needs no network.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The lines of leaderboard.csv.")] = False,
    format_: Annotated[
        str | None, typer.Option("--format", metavar="latex|html|csv", help="The same as one of these three.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Of one of the three; - prints. \\[RUN_DIR/leaderboard.*]"),
    ] = None,
    debug: Debug = False,
) -> None:
    r"""Make the tables of a run again from its cells, and print them.

    Writes leaderboard.csv, leaderboard.md and episodes.csv into RUN_DIR.
    Works on a run that is unfinished, and on one that was made elsewhere:
    no agent is loaded. With --latex, --html or --csv only that is written, of
    the tasks and agents that are named; names are escaped.

    [bold]Examples[/bold]
      [cyan]symbench report runs/shuffle[/cyan]
      [cyan]symbench report runs/shuffle | less[/cyan]
      [cyan]symbench report runs/shuffle --latex -t CartPole-v1[/cyan]  [dim]# \input{...}[/dim]
      [cyan]symbench report runs/shuffle --html --out page.html[/cyan]
      [cyan]symbench report runs/shuffle --csv --out - | column -ts,[/cyan]
    """
    from symbench.leaderboard import write_report

    flags = {"latex": latex, "html": html, "csv": csv}
    _check_format(format_, flags)
    forms = [_ENDINGS[name] for name, asked in flags.items() if asked or name == format_]
    if forms:
        _export(run_dir, forms, (task or [], agent or []), out)
        return
    _refuse(agent, out)
    _check_tasks(task or [], run_dir)
    show(write_report(run_dir, task or ()), run_dir)


def _check_format(name: str | None, known: Iterable[str]) -> None:
    from symbench.errors import unknown

    if name is not None and name not in known:
        raise unknown("format", name, known)


def _check_tasks(tasks: list[str], run_dir: Path) -> None:
    from symbench.errors import unknown
    from symbench.runner import load_manifest

    for name in tasks:
        if name not in (known := load_manifest(run_dir).tasks):
            raise unknown("task", name, known, f"of {run_dir}")


def _refuse(agent: list[str] | None, out: Path | None) -> None:
    """Options that would have no effect."""
    from symbench.errors import SymbenchError

    if agent or out is not None:
        name = "--agent" if agent else "--out"
        raise SymbenchError(f"{name} is for --latex, --html or --csv; give one of them, or leave {name} out")


def _export(run_dir: Path, forms: list[str], chosen: tuple[list[str], list[str]], out: Path | None) -> None:
    from symbench.cli.console import console
    from symbench.errors import SymbenchError
    from symbench.exports import FORMS, write_export
    from symbench.leaderboard import read_report

    if out is not None and len(forms) > 1:
        raise SymbenchError("--out names one file, so give one of --latex, --html and --csv")
    made = read_report(run_dir, *chosen)
    for form in forms:
        if str(out) == "-":
            typer.echo(FORMS[form](made), nl=False)
            continue
        written = write_export(made, form, out or run_dir / f"leaderboard.{form}")
        console().print(str(written), markup=False, highlight=False, soft_wrap=True)


def show(made: Report, directory: Path) -> None:
    """Print the tables of a run and where they are."""
    from rich.markup import escape

    from symbench.cli.console import console
    from symbench.leaderboard.terminal import render

    screen = console()
    screen.print(render(made, screen.width))
    for note in made.manifest.notes():
        screen.print(f"[dim]{escape(note)}[/dim]", highlight=False, soft_wrap=True)
    files = "leaderboard.csv, leaderboard.md, episodes.csv, run.json, cells/"
    screen.print(f"[dim]{escape(str(directory))}: {files}[/dim]", highlight=False, soft_wrap=True)
    if made.answer:
        screen.print(f"[bold]{escape(made.answer)}[/bold]", highlight=False, soft_wrap=True)
