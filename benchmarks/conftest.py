"""Prints, after the benchmarks, each measured ratio beside what is aimed for, and adds them to a file of data.

Nothing here fails because a machine was busy: ratios are shown, not asserted.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

COLUMNS = ("run", "benchmark", "measured", "aim")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--measured docs/data/benchmarks.csv``: what this run measured is added to the file."""
    parser.addoption("--measured", type=Path, metavar="CSV", help="add what is measured to this file, as one more run")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """One line for each benchmark that measured itself against something."""
    session = getattr(config, "_benchmarksession", None)
    rows = [(bench.name, bench.extra_info) for bench in session.benchmarks] if session is not None else []
    rows = [(name, info) for name, info in rows if "measured" in info]
    if rows:
        terminalreporter.section("measured, and what is aimed for")
    for name, info in rows:
        terminalreporter.write_line(f"{info['measured']:>14}   aim {info['aim']:<12} {name}")
    if rows and config.getoption("measured"):
        _add(config.getoption("measured"), [(name, info["measured"], info["aim"]) for name, info in rows])


def _add(path: Path, rows: list[tuple[str, str, str]]) -> None:
    """The runs of a file are numbered from 0."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    run = 1 + max((int(row["run"]) for row in csv.DictReader(lines)), default=-1)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([] if lines else [COLUMNS])
        writer.writerows((run, *row) for row in rows)
