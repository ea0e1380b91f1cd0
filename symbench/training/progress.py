"""How far a training is, and how long it will take: a bar on a terminal, else a line for every tenth.

Processes that train side by side write lines.
"""

from __future__ import annotations

import multiprocessing
import sys
from datetime import timedelta
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_ETA_OVER: Final = 24 * 3600.0  # seconds that the time left is estimated from: a generation can take many minutes


class Meter:
    """Writes to stderr; use it as a context."""

    def __init__(self, label: str, form: str = "return {:.1f}") -> None:
        """``label`` says which training it is, ``form`` how its measure is written."""
        self._console = Console(stderr=True)
        self._label, self._form, self._tenths = label, form, 0
        beside_others = multiprocessing.parent_process() is not None  # bars would overwrite each other
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(
            *(*columns, TimeRemainingColumn(), TextColumn("left")),
            console=self._console,
            disable=beside_others or not sys.stderr.isatty(),
            speed_estimate_period=_ETA_OVER,
        )
        self._task = self._bar.add_task(label, total=None)

    def __enter__(self) -> Meter:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, done: int, total: int, value: float, seconds: float) -> None:
        """Show progress.

        Args:
            done: Steps, generations or epochs so far.
            total: Of how many.
            value: The measure, e.g. the mean return while training.
            seconds: Wall time so far.
        """
        done = min(done, total)
        if not self._bar.disable:
            self._bar.update(self._task, completed=done, total=total, description=self._form.format(value))
        elif 10 * done // total > self._tenths:
            self._tenths = 10 * done // total
            share = f"{done / total:.0%} ({done:,} of {total:,})"
            left = timedelta(seconds=round(seconds * (total - done) / done))
            line = f"{self._label}: {share}, {self._form.format(value)}, {seconds:.0f} s, {left} left"
            self._console.print(line, highlight=False, soft_wrap=True)
