"""Reads the table of a submission: one line per episode, checked field by field.

The table is plain CSV without quotes, so a line is split at its commas and nothing is ever interpreted: a field is a
known name or a decimal number, or it is refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.plain_text import FORMULA_STARTS
from symbench.leaderboard.spreadsheet_habits import Habits
from symbench.leaderboard.submission_problems import Problems, shown
from symbench.leaderboard.submission_schema import COLUMNS
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_schema import Scope
    from symbench.suites import Suite

Key = tuple[str, str, str, str]  # task, perturbation, severity, run: as the table writes them

_INTEGER = re.compile(r"0|[1-9][0-9]{0,14}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_BOOLEANS = {"0": False, "1": True}
_LONGEST = 10_000  # characters of a line, before it is looked at, and lines too many; good ones have a hundred
_ASKED = f"the columns are {', '.join(COLUMNS)}"


@dataclass
class CellRows:
    """The episodes of one cell; entry ``e`` has seed ``suite.seed + e``, ``lines`` is 0 where it is missing."""

    episodes: int
    lines: NDArray[np.int64] = field(init=False)
    returns: NDArray[np.float64] = field(init=False)
    lengths: NDArray[np.int64] = field(init=False)
    terminated: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.lines, self.lengths = np.zeros((2, self.episodes), np.int64)
        self.returns, self.terminated = np.zeros(self.episodes), np.zeros(self.episodes, bool)


def expected_cells(scope: Scope, suite: Suite) -> dict[Key, int]:
    """Cell -> number of episodes, for every cell that the table may hold, in the order of the suite."""
    return {
        (task, condition.name, condition.level, str(run)): suite.episodes or get_task(task).episodes
        for task, entry in scope.tasks.items()
        for condition in suite.conditions(get_task(task))
        if condition.id not in entry.cannot_act
        for run in range(len(entry.runs))
    }


def read_rows(text: str, scope: Scope, suite: Suite, problems: Problems) -> dict[Key, CellRows]:
    r"""Read a table and check it against its metadata and its suite.

    Args:
        text: The content of the CSV file; lines end with ``\n`` or ``\r\n``.
        scope: The metadata.
        suite: The suite that they name.
        problems: Receives everything that is wrong.

    Returns:
        The cells, complete if there are no problems.
    """
    if len(text) > _LONGEST and not re.search(r"[\r\n]", text[:_LONGEST]):
        problems.add("columns", f"the first line is longer than {_LONGEST:,} characters; {_ASKED}", 1)
        return {}
    return _Table(text, scope, suite, problems).read()


class _Table:
    def __init__(self, text: str, scope: Scope, suite: Suite, problems: Problems) -> None:
        self._habits = Habits(problems)
        self._lines = self._habits.lines_of(text)
        self._problems, self._scope, self._suite = problems, scope, suite
        self._expected = expected_cells(scope, suite)
        self._optional = {(task, id) for task in scope.tasks for id in suite.redundant(get_task(task))}
        self._levels: dict[str, dict[str, dict[str, None]]] = {}  # task -> perturbation -> levels
        for task, perturbation, level, _ in self._expected:
            self._levels.setdefault(task, {}).setdefault(perturbation, {})[level] = None
        self._cells: dict[Key, CellRows] = {}

    def read(self) -> dict[Key, CellRows]:
        header = self._line(1).split(self._habits.separator)
        if not self._check_header(header):
            return {}
        if not self._lines[-1]:
            self._lines.pop()  # the end of the last line
        if self._too_many():
            return {}
        self._order = [header.index(name) for name in COLUMNS]
        pick = itemgetter(*self._order)
        for number in range(2, len(self._lines) + 1):
            if len(self._line(number)) > _LONGEST:
                self._problems.add("fields", f"the line is longer than {_LONGEST:,} characters", number)
                continue
            fields = self._habits.fields_of(number, self._line(number), header)
            if len(fields) == len(header):
                self._row(number, pick(fields))
            else:
                self._problems.add("fields", f"{len(header)} fields are expected, received {len(fields)}", number)
        self._habits.report()
        self._check_ranges()
        if not self._habits.lossy:
            self._check_complete()
        return self._cells

    def _too_many(self) -> bool:
        """Whether there are so many more lines than episodes that it is no use to look at each."""
        received, most = len(self._lines) - 1, sum(self._expected.values())
        if received <= most + _LONGEST:
            return False
        self._problems.add("duplicate", f"at most {most:,} lines of episodes are expected, received {received:,}")
        return True

    def _line(self, number: int) -> str:
        return self._lines[number - 1].removesuffix("\r")

    def _check_header(self, header: Sequence[str]) -> bool:
        start, seen = 1, set()
        for name in header:
            if (name not in COLUMNS or name in seen) and not self._problems.full("columns"):
                known = name in COLUMNS
                what = f"column {name!r} is repeated" if known else f"unknown column {shown(name)}; {_ASKED}"
                self._problems.add("columns", what, 1, start)
            seen.add(name)
            start += len(name) + 1
        for name in COLUMNS:
            if name not in header:
                self._problems.add("columns", f"column {name!r} is missing", 1)
        return all(header.count(name) == 1 for name in COLUMNS)

    def _row(self, number: int, row: tuple[str, ...]) -> None:
        """Enter one episode."""
        *where, seed, value, length, ended = row
        key: Key = tuple(where)  # type: ignore[assignment]
        good = _INTEGER.fullmatch(seed) and _INTEGER.fullmatch(length) and _NUMBER.fullmatch(value)
        if key not in self._expected or not good or ended not in _BOOLEANS:
            undone = self._habits.undone(number, row, self._columns(number))
            if undone is not None:
                return None if self._habits.lossy else self._row(number, undone)
            return self._explain(number, row)
        if not math.isfinite(float(value)):
            return self._bad(number, "return", value, "a finite number", "not-finite")
        episode, count = int(seed) - self._suite.seed, self._expected[key]
        if not 0 <= episode < count:
            first = self._suite.seed
            return self._bad(number, "seed", seed, f"{first} to {first + count - 1}", "seed")
        if key not in self._cells:
            self._cells[key] = CellRows(count)
        cell = self._cells[key]
        if cell.lines[episode]:
            return self._bad(number, "seed", seed, f"no second line of it: line {cell.lines[episode]}", "duplicate")
        cell.lines[episode], cell.lengths[episode] = number, int(length)
        cell.returns[episode], cell.terminated[episode] = float(value), _BOOLEANS[ended]

    def _explain(self, number: int, row: tuple[str, ...]) -> None:
        """Say which fields of a line are wrong."""
        task, perturbation, level, run, seed, value, length, ended = row
        self._explain_names(number, task, perturbation, level, run)
        for name, text in (("seed", seed), ("length", length)):
            if not _INTEGER.fullmatch(text):
                self._bad(number, name, text, "a whole number")
        if not _NUMBER.fullmatch(value):
            rule = "not-finite" if _NOT_FINITE.fullmatch(value) else "value"
            self._bad(number, "return", value, "a decimal number", rule)
        if ended not in _BOOLEANS:
            self._bad(number, "terminated", ended, "0 or 1")

    def _explain_names(self, number: int, task: str, perturbation: str, level: str, run: str) -> None:
        perturbations = self._levels.get(task, {})
        levels = perturbations.get(perturbation, {})
        if task not in self._levels:
            self._bad(number, "task", task, " or ".join(self._scope.tasks))
        elif perturbation not in perturbations:
            self._bad(number, "perturbation", perturbation, " or ".join(perturbations))
        elif level not in levels:
            self._bad(number, "severity", level, " or ".join(levels))
        elif (task, perturbation, level, run) not in self._expected:
            self._bad(number, "run", run, f"0 to {len(self._scope.tasks[task].runs) - 1}", "run")

    def _bad(self, number: int, name: str, received: str, expected: str, rule: str = "value") -> None:
        if received.startswith(tuple(FORMULA_STARTS)) and rule in ("value", "run"):
            rule = "formula"
        if not self._problems.full(rule):
            message = f"{name}: {expected} is expected, received {shown(received)}"
            self._problems.add(rule, message, number, self._column(number, name))

    def _column(self, number: int, name: str) -> int:
        return self._columns(number)[COLUMNS.index(name)]

    def _columns(self, number: int) -> list[int]:
        """Where the fields of a line begin, in the order of the columns."""
        fields = self._line(number).split(self._habits.separator)
        starts = list(accumulate((len(text) + 1 for text in fields), initial=1))
        return [starts[place] for place in self._order]

    def _check_ranges(self) -> None:
        for (task, *_), cell in self._cells.items():
            limits, there = get_task(task).limits, cell.lines > 0
            if limits is None:
                raise SymbenchError(f"boards hold no {task}: what its episodes can be is not known")
            long = there & ((cell.lengths > limits.steps) | (cell.lengths < limits.least))
            for episode in np.flatnonzero(long):
                received, most = str(cell.lengths[episode]), f"{limits.least} to {limits.steps} steps"
                self._bad(int(cell.lines[episode]), "length", received, most, "length-limit")
            for episode in np.flatnonzero(there & ~long & ~cell.terminated & ~limits.can_be_cut(cell.lengths)):
                ended = f"1 after {cell.lengths[episode]} steps, for the time limit is {limits.steps},"
                self._bad(int(cell.lines[episode]), "terminated", "0", ended, "time-limit")
            low, high = limits.range_of(cell.lengths)
            for episode in np.flatnonzero(there & ~long & ((cell.returns < low) | (cell.returns > high))):
                between = f"{low[episode]:g} to {high[episode]:g} in {cell.lengths[episode]} steps"
                received = repr(float(cell.returns[episode]))
                self._bad(int(cell.lines[episode]), "return", received, between, "return-range")

    def _check_complete(self) -> None:
        for key, episodes in self._expected.items():
            task, perturbation, level, run = key
            name = f"{self._scope.suite}/{task}/{perturbation}/{level}/{self._scope.name}/s{run}"
            if key not in self._cells:
                if (task, f"{perturbation}/{level}") in self._optional:
                    continue  # another condition again in this task: submissions of before may hold it
                self._problems.add("missing-cell", f"{name} is missing: {episodes} episodes are expected")
            elif missing := np.flatnonzero(self._cells[key].lines == 0).tolist():
                first = self._suite.seed + missing[0]
                there = f"{name} has {episodes - len(missing)} of {episodes} episodes"
                self._problems.add("missing-episodes", f"{there}; the first that is missing has seed {first}")
