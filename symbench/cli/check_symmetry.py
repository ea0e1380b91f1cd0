"""``symbench check-symmetry``."""

from __future__ import annotations

import math
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer

from symbench.cli.errors import Debug, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from symbench.symmetry import Declaration, PairReport

_SHOWN = 12  # components in a table; the others are summed up in one line


@one_line_errors
def check_symmetry(
    env_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENV_ID", help="Environments or tasks of the catalogue; arguments may follow, ?KEY=VALUE."
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All environments of the catalogue.")] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps to compare. \\[as declared]")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of episodes and actions.")] = 0,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write every component's error to this file.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Check declared symmetries against the simulators.

    A symmetry holds if the transformed action, in the transformed state,
    leads to the transformed observation and to the same reward. Without
    ENV_ID, the catalogue is listed. Exit code 1: a declaration is wrong.

    [bold]Examples[/bold]
      [cyan]symbench check-symmetry[/cyan]                      [dim]# what is declared[/dim]
      [cyan]symbench check-symmetry CartPole-v1[/cyan]
      [cyan]symbench check-symmetry Ant-v5 --steps 300[/cyan]
      [cyan]symbench check-symmetry "ParticleSpread?wind=1"[/cyan]    [dim]# is it broken?[/dim]
      [cyan]symbench check-symmetry --all --csv errors.csv[/cyan]
    """
    from symbench.cli.console import console, show_list
    from symbench.errors import SymbenchError
    from symbench.symmetry import CATALOGUE

    if env_ids and all_:
        raise SymbenchError(f"give either --all or environments, received both: --all {' '.join(env_ids)}")
    if not env_ids and not all_:
        show_list(*_listing())
        return
    asked = list(CATALOGUE) if all_ else list(dict.fromkeys(env_ids or ()))
    declarations = [declaration for env_id in asked for declaration in _declared(env_id)]
    screen, skipped = console(), list[tuple[str, str]]()
    reports: list[PairReport] = []
    for declaration, outcome in _checked(declarations, steps, seed):
        if isinstance(outcome, str):
            skipped.append((f"{declaration.env_id} {declaration.pair.name}", outcome))
        else:
            reports.append(outcome)
            _show(outcome)
    if len(reports) + len(skipped) > 1:
        show_list(_SUMMARY, [*map(_summary, reports), *((name, "", "", "", "", "", why) for name, why in skipped)])
    elif skipped:
        screen.print(skipped[0][1], markup=False)
    if csv:
        _write(csv, reports)
    if not all(report.reproduced for report in reports):
        raise typer.Exit(1)


_SUMMARY = ("symmetry", "observation", "reward", "ends", "initial law", "declared", "found")


def _declared(name: str) -> list[Declaration]:
    """What is declared for an environment; with arguments, what is declared for it without any, asked of it with them.

    Raises:
        SymbenchError: The catalogue has no such environment, or the name has another form.
    """
    from dataclasses import replace

    from symbench.symmetry import declarations_of
    from symbench.tasks.names import TaskName

    if "?" not in name:
        return list(declarations_of(name))
    parsed = TaskName.parse(name)
    found = [declaration for declaration in declarations_of(parsed.env_id) if not declaration.kwargs]
    return [replace(declaration, kwargs=parsed.kwargs) for declaration in found]


def _listing() -> tuple[Sequence[str], Iterator[Sequence[str]]]:
    from symbench.symmetry import CATALOGUE

    pairs = ((env_id, declaration.pair) for env_id, found in CATALOGUE.items() for declaration in found)
    lines = ((env_id, pair.name, pair.group.name, pair.status, pair.note) for env_id, pair in pairs)
    return ("environment", "symmetry", "group", "declared", "note"), lines


def _checked(
    declarations: list[Declaration], steps: int | None, seed: int
) -> Iterator[tuple[Declaration, PairReport | str]]:
    """Declarations and what was found, or why they were skipped."""
    from dataclasses import replace

    from gymnasium.error import DependencyNotInstalled

    from symbench.symmetry import check_pair
    from symbench.tasks.names import TaskName

    for declaration in declarations:
        try:
            report = check_pair(declaration.pair, declaration, steps=steps, seed=seed)
            yield declaration, replace(report, env_id=str(TaskName(None, declaration.env_id, declaration.kwargs)))
        except (DependencyNotInstalled, ImportError, OSError) as missing:  # OSError: a ROM cannot be read
            yield declaration, f"skipped: {' '.join(str(missing).split())}"


def _show(report: PairReport) -> None:
    from rich.text import Text

    from symbench.cli.console import console

    pair, screen = report.pair, console()
    screen.print(Text(f"{report.env_id}  ·  {pair.name} ({pair.group.name})  ·  {report.steps} steps", style="bold"))
    screen.print(_table(report))
    screen.print(Text(f"{pair.note}\n", style="dim"))


def _table(report: PairReport) -> Table:
    """Components and their errors, then reward, ends, initial law and status."""
    import numpy as np
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("component", style="cyan")
    table.add_column("error", justify="right")
    table.add_column("median", justify="right", style="dim")
    worst = np.sort(np.argsort(-report.errors, kind="stable")[:_SHOWN])
    for i in worst.tolist():
        table.add_row(Text(report.components[i]), f"{report.errors[i]:.1e}", f"{report.typical[i]:.1e}")
    if rest := len(report.errors) - len(worst):
        table.add_row(f"{rest} more, at most", f"{np.delete(report.errors, worst).max():.1e}")
    table.add_section()
    for name, value in zip(_SUMMARY[2:], _summary(report)[2:], strict=True):
        table.add_row(name, value)
    return table


def _summary(report: PairReport) -> tuple[str, ...]:
    declared, found = (
        f"{status}: {', '.join(sorted(holds)) or 'nothing'}"
        for status, holds in ((report.pair.status, report.pair.holds), (report.status, report.holds))
    )
    return (
        f"{report.env_id} {report.pair.name}",
        f"{report.observation:.1e}",
        f"{report.reward:.1e}",
        f"{report.endings} differ",
        "not tested" if math.isnan(report.initial) else f"p = {report.initial:.2g}",
        declared,
        found if report.reproduced else f"{found}  NOT AS DECLARED (in {report.steps} steps)",
    )


def _write(path: Path, reports: list[PairReport]) -> None:
    import pandas as pd

    rows = [
        (report.env_id, report.pair.name, report.pair.group.name, report.pair.status, report.status, *part)
        for report in reports
        for part in (
            *zip(report.components, report.errors, report.typical, strict=True),
            ("reward", report.reward, None),
            ("ends that differ", report.endings, None),
            ("initial law, p", report.initial, None),
        )
    ]
    columns = ["environment", "symmetry", "group", "declared", "found", "part", "error", "median"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
