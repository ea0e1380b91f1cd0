"""Prints, after the benchmarks, each measured ratio beside what is aimed for.

Nothing here fails because a machine was busy: ratios are shown, not asserted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


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
