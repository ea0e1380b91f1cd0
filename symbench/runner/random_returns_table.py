"""Measures random returns of bundled tasks: ``python -m symbench.runner.random_returns_table Hopper-v5 --out FILE``."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from symbench.runner.executors import execute
from symbench.runner.random_return import measure_random
from symbench.tasks import get_task

_HEADER = ("task", "environment", "random_return", "low", "high", "episodes")


def main(
    tasks: Annotated[list[str], typer.Argument(help="Names of tasks.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="CSV file; lines of other tasks are kept.")],
    run_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where the episodes are kept.")] = Path("runs/random"),
    workers: Annotated[int, typer.Option(help="Processes; numbers do not change.")] = 1,
) -> None:
    """Measure what random play reaches and write it as a table."""
    lines = {line[0]: line for line in _read(out)}
    for name in tasks:
        found = measure_random(name, run_dir, play=partial(execute, workers=workers))
        numbers = (f"{value:.6g}" for value in (found.mean, *found.interval))
        lines[name] = [name, get_task(name).spelling, *numbers, str(found.episodes)]
        typer.echo(f"{name}: {found}")
        with out.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([_HEADER, *lines.values()])


def _read(file: Path) -> list[list[str]]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


if __name__ == "__main__":
    typer.run(main)
