"""Checks submissions: everything that is wrong, in one pass, without running or unpacking anything.

The same code checks a file on one's own machine, a folder in continuous integration, and what a board is made of.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import ValidationError

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.gaps import ranked_by_gap
from symbench.leaderboard.same_runs import clones, copies
from symbench.leaderboard.submission_files import LIMITS, Broken, decode, read_bytes
from symbench.leaderboard.submission_problems import Problem, Problems, shown
from symbench.leaderboard.submission_rows import read_rows
from symbench.leaderboard.submission_schema import Card, Scope, check_name, upgrade
from symbench.suites import Suite, load_suite

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_rows import CellRows, Key
    from symbench.leaderboard.submission_schema import TaskEntry

MOST_AHEAD: Final = timedelta(days=1)
"""How far the clock of an author may be ahead of the one here."""

_DIGITS: Final = 4_300  # of a number; Python reads no longer one, and says so in words for programmers


@dataclass(frozen=True)
class Submission:
    """A submission that keeps all rules.

    Attributes:
        card: The metadata.
        suite: The suite that they name.
        cells: The episodes of every cell.
        digest: SHA-256 over both files.
        notes: What is not wrong and yet worth knowing.
    """

    card: Card
    suite: Suite
    cells: Mapping[Key, CellRows]
    digest: str
    notes: tuple[str, ...] = ()

    def returns(self, task: str, condition: str) -> NDArray[np.float64]:
        """Returns of all training runs, (R, E), under a condition written as ``"shuffle-sensors/every-25"``."""
        name, level = condition.split("/")
        runs = range(len(self.card.tasks[task].runs))
        return np.stack([self.cells[task, name, level, str(run)].returns for run in runs])


def validate(
    paths: Iterable[Path], beside: bool = False, new: Container[str] = ()
) -> tuple[list[Submission], list[Problem]]:
    """Check files and folders of submissions, each by itself and for copies of one another.

    Args:
        paths: Files, each of which stands for the pair it belongs to, and folders, everything in which must be a
            submission.
        beside: Whether files are compared with the other submissions in their folders too, which are then the older.
        new: Names of submissions that are younger than all others. Among these, and where none is named, dates decide,
            which are the word of their authors.

    Returns:
        The submissions that keep all rules, and everything that is wrong with the others.
    """
    paths = list(paths)
    problems: list[Problem] = []
    found: dict[str, Submission] = {}
    for stem in dict.fromkeys(stem for path in paths for stem in _stems(path, problems)):
        submission, wrong = check(stem)
        found |= {str(stem): submission} if submission else {}
        problems += wrong
    others = _beside(paths, found) if beside else {}
    newest = {stem for stem, of in found.items() if others or of.card.name in new}
    late = [*_of_the_future(found, newest), *copies({**found, **others}, found, newest)]
    refused = {name for name, _ in late}
    return [found[name] for name in found if name not in refused], problems + [problem for _, problem in late]


def read_submission(path: Path) -> Submission:
    """Read one submission, given either of its files.

    Raises:
        SymbenchError: It is a folder, or breaks a rule; then the message is the first problem and the number of the
            others.
    """
    if path.is_dir():
        raise SymbenchError(f"one submission is expected, its NAME.csv or NAME.json; {path} is a folder")
    submissions, problems = validate([path])
    if problems:
        more = f" (and {len(problems) - 1} more; symbench validate lists them)" if len(problems) > 1 else ""
        raise SymbenchError(f"{problems[0]}{more}")
    return submissions[0]


def check(stem: Path) -> tuple[Submission | None, list[Problem]]:
    """Check one submission.

    Args:
        stem: Path of its files without suffix.

    Returns:
        The submission, or ``None`` and everything that is wrong with it.
    """
    table, metadata = (stem.with_name(stem.name + suffix) for suffix in (".csv", ".json"))
    of_table, of_metadata = Problems(str(table)), Problems(str(metadata))
    raw_metadata, raw_table = read_bytes(metadata, of_metadata), read_bytes(table, of_table)
    card, scope, suite = None, None, None
    with _as_problems(of_metadata):
        text = decode(raw_metadata, of_metadata)
        data = _metadata(text, of_metadata)
        card = _card(data, text, stem.name, of_metadata)
        scope = card or _scope(data)
        suite = _suite(scope, of_metadata)
    cells: Mapping[Key, CellRows] = {}
    with _as_problems(of_table):
        text = decode(raw_table, of_table)
        if scope and suite:
            cells = read_rows(text, scope, suite, of_table)
    problems = of_metadata.listed() + of_table.listed()
    if problems or card is None or suite is None or raw_metadata is None or raw_table is None:
        return None, problems
    digest = hashlib.sha256(raw_metadata + b"\0" + raw_table).hexdigest()
    submission = Submission(card, suite, cells, digest)
    wrong, notes = clones(submission)
    for message in wrong:
        of_table.add("same-run", message)
    return (None if wrong else replace(submission, notes=tuple(notes))), of_table.listed()


def _stems(path: Path, problems: list[Problem]) -> list[Path]:
    """The submissions that a file or a folder stands for."""
    if path.is_dir() and not path.is_symlink():
        return list(dict.fromkeys(stem for file in sorted(path.iterdir()) for stem in _stem_of(file, problems)))
    return _stem_of(path, problems)


def _beside(paths: Iterable[Path], known: Mapping[str, Submission]) -> dict[str, Submission]:
    """The good submissions that lie in the same folders as files."""
    folders = dict.fromkeys(path.parent for path in paths if path.is_file())
    stems = [stem for folder in folders for stem in _stems(folder, [])]
    return {str(stem): good for stem in stems if str(stem) not in known and (good := check(stem)[0]) is not None}


def _of_the_future(found: Mapping[str, Submission], newest: Iterable[str]) -> list[tuple[str, Problem]]:
    """New submissions that say they were made later than now. What lies on a board is judged by no clock."""
    latest = datetime.now(timezone.utc) + MOST_AHEAD
    text = "date: a time that has come is expected; this one is more than a day ahead of the clock here"
    return [(stem, Problem("metadata", f"{stem}.json", text)) for stem in newest if found[stem].card.instant > latest]


def _stem_of(file: Path, problems: list[Problem]) -> list[Path]:
    try:
        if file.suffix not in LIMITS:
            raise ValueError(f"NAME.csv or NAME.json is expected, received {shown(file.name)}")
        check_name(file.stem)
    except ValueError as error:
        problems.append(Problem("file-name", shown(str(file), 200)[1:-1], str(error)))
        return []
    return [file.with_name(file.stem)]


@contextmanager
def _as_problems(problems: Problems) -> Iterator[None]:
    """Nothing more to say after what is in the list already."""
    try:
        yield
    except Broken:
        assert problems


def _metadata(text: str, problems: Problems) -> dict[str, Any]:
    try:
        return upgrade(_json(text, problems))
    except SymbenchError as error:
        problems.add("format", str(error), *_key_place(text, ["format"]))
        raise Broken from error


def _card(data: dict[str, Any], text: str, name: str, problems: Problems) -> Card | None:
    try:
        card = Card.model_validate(data)
    except ValidationError as error:
        for mistake in error.errors():
            if problems.full("metadata"):
                continue
            message = f"{_key(mistake['loc'])}: {mistake['msg'].removeprefix('Value error, ')}"
            problems.add("metadata", shown(message, 400)[1:-1], *_key_place(text, mistake["loc"]))
        return None
    if card.name != name:
        message = f"name: {name!r}, as the file, is expected, received {card.name!r}"
        problems.add("metadata", message, *_key_place(text, ["name"]))
    return card


def _scope(data: dict[str, Any]) -> Scope:
    """What the table can be checked with although other metadata are wrong."""
    try:
        return Scope.model_validate({key: data[key] for key in Scope.model_fields if key in data})
    except ValidationError as error:
        raise Broken from error


def _json(text: str, problems: Problems) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key {shown(key)} is repeated")
            found[key] = value
        return found

    def no_constant(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    def short(digits: str) -> int:
        if len(digits) > _DIGITS:
            raise ValueError(f"a whole number of at most {_DIGITS} digits is expected, received one of {len(digits)}")
        return int(digits)

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant, parse_int=short)
    except json.JSONDecodeError as error:
        problems.add("json", f"this is not JSON: {error.msg}", error.lineno, error.colno)
    except RecursionError:
        problems.add("json", "this is nested too deeply")
    except ValueError as error:
        problems.add("json", str(error)[:200])
    raise Broken


def _suite(card: Scope, problems: Problems) -> Suite:
    """The suite, if it exists and has what the metadata name."""
    from symbench.wrappers.severity import SEVERITIES

    before = len(problems.listed())
    try:
        suite = load_suite(card.suite)
    except SymbenchError as error:
        problems.add("suite", f"suite: {error}")
        raise Broken from error
    if card.severities not in SEVERITIES:
        problems.add("suite", f"severities: version {' or '.join(map(str, SEVERITIES))} is expected")
    for task, entry in card.tasks.items():
        if task not in suite.tasks:
            problems.add("suite", f"tasks: {shown(str(unknown('task', task, suite.tasks)), 300)[1:-1]}")
            continue
        if fault := without_board(task):
            problems.add("suite", f"tasks: {fault}")
            continue
        _check_conditions(suite, task, entry.cannot_act, problems)
        _check_parameters(task, entry, problems)
    if len(problems.listed()) > before:
        raise Broken
    return suite


def without_board(task: str) -> str:
    """Why a task of a suite has no board; empty if it has one."""
    from symbench.tasks import get_task

    if get_task(task).metric.normalised:
        return ""
    return f"{task} has no reference return, so that nothing says what a good score is: it has no board"


def _check_conditions(suite: Suite, task: str, cannot_act: Iterable[str], problems: Problems) -> None:
    from symbench.tasks import get_task

    perturbed = [each.id for each in suite.conditions(get_task(task)) if not each.baseline]
    for condition in cannot_act:
        if condition not in perturbed:
            text = f"tasks.{task}.cannot_act: {' or '.join(perturbed)} is expected, received {shown(condition)}"
            problems.add("suite", text)


def _check_parameters(task: str, entry: TaskEntry, problems: Problems) -> None:
    """Solvers of tours have none; anything else that was trained has."""
    if not entry.parameters and entry.runs[0].weights is not None and not ranked_by_gap(task):
        text = f"tasks.{task}.parameters: at least 1 is expected, received 0: only random play has none"
        problems.add("metadata", f"{text}; of rules written by hand count the constants")


def _key(path: Sequence[int | str]) -> str:
    return ".".join(map(str, path))[:200] or "the file"


def _key_place(text: str, path: Sequence[int | str]) -> tuple[int, int]:
    """Line and column where a key stands, as far as one can tell by looking for the keys one after the other."""
    position = 0
    for key in (key for key in path if isinstance(key, str)):
        found = re.compile(re.escape(json.dumps(key)) + r"\s*:").search(text, position)
        if found is not None:  # a key of the present format may be missing in a file of an earlier one
            position = found.start()
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")
