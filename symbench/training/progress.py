"""How far a training is: a bar on a terminal, a line for every tenth where there is none, so that logs show life."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Meter:
    """Writes to stderr; use it as a context."""

    def __init__(self, label: str, form: str = "return {:.1f}") -> None:
        """``label`` says which training it is, ``form`` how its measure is written."""
        self._console = Console(stderr=True)
        self._label, self._form, self._tenths = label, form, 0
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, TimeRemainingColumn(), console=self._console, disable=not sys.stderr.isatty())
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
            line = f"{self._label}: {share}, {self._form.format(value)}, {seconds:.0f} s"
            self._console.print(line, highlight=False, soft_wrap=True)
