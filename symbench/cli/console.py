"""The terminal: consoles, and a progress bar that is disabled when stderr is not a terminal."""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from symbench.runner import Outcome

_ETA_OVER = 24 * 3600.0  # seconds that the time left is estimated from: a cell can take many minutes
_NUMBER: Final = re.compile(r"\d+")  # seeds and steps, in which the same reason differs from cell to cell
_FILE_WIDTH = 140  # characters a line when the output goes to a file or a pipe


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Print nothing more: the reader, e.g. ``head``, has seen enough. The exit code stays what it would be."""
        with suppress(SystemExit):
            super().on_broken_pipe()


def console() -> Console:
    """The console for results."""
    found = _Console()
    return found if found.is_terminal else _Console(width=_FILE_WIDTH)


def show_list(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Print lines under columns, the first of which is what the user would type; nothing is cut off."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for position, column in enumerate(columns):
        table.add_column(column, style="cyan" if position == 0 else "", no_wrap=position == 0, overflow="fold")
    for line in lines:
        table.add_row(*map(Text, line))
    console().print(table)


@contextmanager
def cell_progress(debug: bool) -> Iterator[Callable[[Outcome | str | None, int], None]]:
    """A bar over cells with the time left, on standard error; nothing but failures when that is not a terminal.

    A cell that fails is named at once, others that fail for the same reason are counted at the end.

    Args:
        debug: Whether the traceback of such a first cell is printed.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    screen = Console(stderr=True)
    # What matters comes first and is never cut; the id of the latest cell takes what is left of the line.
    latest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    columns = (
        *(MofNCompleteColumn(), TextColumn("cells,"), TimeRemainingColumn(), TextColumn("left"), BarColumn(10)),
        TextColumn("[dim]{task.description}", table_column=latest),
    )
    options = {"console": screen, "disable": not screen.is_terminal, "transient": True, "expand": True}
    with Progress(*columns, **options, speed_estimate_period=_ETA_OVER) as bar:  # type: ignore[arg-type]
        task = bar.add_task("", total=None)

        announced, failed = "", dict[str, list[str]]()
        plain: Any = {"soft_wrap": True, "highlight": False}

        def advance(outcome: Outcome | str | None, total: int) -> None:
            nonlocal announced
            if outcome is None or isinstance(outcome, str):
                announced = outcome or ""
                bar.reset(task, total=total, description=escape(announced))
                bar.refresh()
                return
            bar.update(task, total=total, advance=1, description=escape(announced or outcome.cell.key.within_suite))
            if outcome.record is not None:
                return
            alike = failed.setdefault(_NUMBER.sub("0", outcome.error), [])
            alike.append(outcome.cell.id)
            if len(alike) > 1:
                return
            screen.print(f"[red]failed[/red] {escape(alike[0])}: {escape(outcome.error)}", **plain)
            if debug:
                screen.print(outcome.details, markup=False, highlight=False)  # takes minutes on a long word

        try:
            yield advance
        finally:
            for alike in failed.values():
                if len(alike) > 1:
                    screen.print(_counted(alike), markup=False, **plain)


def _counted(alike: Sequence[str]) -> str:
    """How many cells have failed for the reason that was given with the first of them."""
    return f"failed: {len(alike)} cells for the same reason, the first of them {alike[0]}; run.json has all"
