"""Checks submissions: everything that is wrong, in one pass, without running or unpacking anything.

The same code checks a file on one's own machine, a folder in continuous integration, and what a board is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.submission_problems import Problem, Problems, shown
from symbench.leaderboard.submission_rows import read_rows
from symbench.leaderboard.submission_schema import MAX_CSV_BYTES, MAX_JSON_BYTES, Card, Scope, check_name, upgrade
from symbench.suites import Suite, load_suite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_rows import CellRows, Key

_LIMITS = {".csv": MAX_CSV_BYTES, ".json": MAX_JSON_BYTES}

# First bytes of gzip, bzip2, xz, zstandard, zip and 7z.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf")


@dataclass(frozen=True)
class Submission:
    """A submission that keeps all rules.

    Attributes:
        card: The metadata.
        suite: The suite that they name.
        cells: The episodes of every cell.
        digest: SHA-256 over both files.
    """

    card: Card
    suite: Suite
    cells: Mapping[Key, CellRows]
    digest: str

    def returns(self, task: str, condition: str) -> NDArray[np.float64]:
        """Returns of all training runs, (R, E), under a condition written as ``"shuffle-sensors/every-25"``."""
        name, level = condition.split("/")
        runs = range(len(self.card.tasks[task].runs))
        return np.stack([self.cells[task, name, level, str(run)].returns for run in runs])


class _Broken(Exception):
    """Nothing more can be found out about a file."""


def validate(paths: Iterable[Path]) -> tuple[list[Submission], list[Problem]]:
    """Check files and folders of submissions.

    Args:
        paths: Files, each of which stands for the pair it belongs to, and folders, everything in which must be a
            submission.

    Returns:
        The submissions that keep all rules, and everything that is wrong with the others.
    """
    submissions: list[Submission] = []
    problems: list[Problem] = []
    for stem in dict.fromkeys(stem for path in paths for stem in _stems(path, problems)):
        submission, found = check(stem)
        submissions += [submission] if submission else []
        problems += found
    return submissions, problems


def read_submission(path: Path) -> Submission:
    """Read one submission, given either of its files.

    Raises:
        SymbenchError: It breaks a rule; the message is the first problem and the number of the others.
    """
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
    raw_metadata, raw_table = _bytes(metadata, of_metadata), _bytes(table, of_table)
    card, scope, suite = None, None, None
    with _as_problems(of_metadata):
        text = _text(raw_metadata, of_metadata)
        data = _metadata(text, of_metadata)
        card = _card(data, text, stem.name, of_metadata)
        scope = card or _scope(data)
        suite = _suite(scope, of_metadata)
    cells: Mapping[Key, CellRows] = {}
    with _as_problems(of_table):
        text = _text(raw_table, of_table)
        if scope and suite:
            cells = read_rows(text, scope, suite, of_table)
    problems = of_metadata.listed() + of_table.listed()
    if problems or card is None or suite is None or raw_metadata is None or raw_table is None:
        return None, problems
    digest = hashlib.sha256(raw_metadata + b"\0" + raw_table).hexdigest()
    return Submission(card, suite, cells, digest), problems


def _stems(path: Path, problems: list[Problem]) -> list[Path]:
    """The submissions that a file or a folder stands for."""
    if path.is_dir() and not path.is_symlink():
        return list(dict.fromkeys(stem for file in sorted(path.iterdir()) for stem in _stem_of(file, problems)))
    return _stem_of(path, problems)


def _stem_of(file: Path, problems: list[Problem]) -> list[Path]:
    try:
        if file.suffix not in _LIMITS:
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
    except _Broken:
        assert problems


def _bytes(file: Path, problems: Problems) -> bytes | None:
    """The content of a regular file that is not too large; a link is never followed, a pipe never waited for."""
    try:
        mode = file.lstat().st_mode
        if not stat.S_ISREG(mode):
            problems.add("file-kind", "a regular file is expected, received a link, a folder or a device")
            return None
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(file, flags), "rb") as opened:
            content = opened.read(_LIMITS[file.suffix] + 1)
    except FileNotFoundError:
        problems.add("file-pair", "this file is missing; a submission is NAME.csv and NAME.json")
        return None
    except OSError as error:
        problems.add("file-kind", f"the file cannot be read ({error.strerror})")
        return None
    return content


def _text(content: bytes | None, problems: Problems) -> str:
    if content is None:
        raise _Broken
    limit = _LIMITS[".json" if problems.file.endswith(".json") else ".csv"]
    if content.startswith(_COMPRESSED):
        problems.add("compressed", "plain text is expected, received a compressed file; it was not opened")
    elif len(content) > limit:
        problems.add("file-size", f"the file is larger than {limit:,} bytes")
    elif content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        problems.add("encoding", "UTF-8 without byte order mark is expected, received one", 1, 1)
    elif (place := content.find(b"\0")) >= 0:
        problems.add("encoding", "received a NUL byte", *_place(content, place))
    else:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            received = f"UTF-8 is expected, received the byte 0x{content[error.start]:02x} ({error.reason})"
            problems.add("encoding", received, *_place(content, error.start))
    raise _Broken


def _place(content: bytes, position: int) -> tuple[int, int]:
    """Line and column of a byte, from 1."""
    return content.count(b"\n", 0, position) + 1, position - content.rfind(b"\n", 0, position)


def _metadata(text: str, problems: Problems) -> dict[str, Any]:
    try:
        return upgrade(_json(text, problems))
    except SymbenchError as error:
        problems.add("format", str(error), *_key_place(text, ["format"]))
        raise _Broken from error


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
        raise _Broken from error


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

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        problems.add("json", f"this is not JSON: {error.msg}", error.lineno, error.colno)
    except RecursionError:
        problems.add("json", "this is nested too deeply")
    except ValueError as error:
        problems.add("json", str(error)[:200])
    raise _Broken


def _suite(card: Scope, problems: Problems) -> Suite:
    """The suite, if it exists and has what the metadata name."""
    from symbench.wrappers.severity import SEVERITIES

    before = len(problems.listed())
    try:
        suite = load_suite(card.suite)
    except SymbenchError as error:
        problems.add("suite", f"suite: {error}")
        raise _Broken from error
    if card.severities not in SEVERITIES:
        problems.add("suite", f"severities: version {' or '.join(map(str, SEVERITIES))} is expected")
    for task, entry in card.tasks.items():
        if task not in suite.tasks:
            problems.add("suite", f"tasks: {shown(str(unknown('task', task, suite.tasks)), 300)[1:-1]}")
            continue
        _check_conditions(suite, task, entry.cannot_act, problems)
    if len(problems.listed()) > before:
        raise _Broken
    return suite


def _check_conditions(suite: Suite, task: str, cannot_act: Iterable[str], problems: Problems) -> None:
    from symbench.tasks import get_task

    perturbed = [each.id for each in suite.conditions(get_task(task)) if not each.baseline]
    for condition in cannot_act:
        if condition not in perturbed:
            text = f"tasks.{task}.cannot_act: {' or '.join(perturbed)} is expected, received {shown(condition)}"
            problems.add("suite", text)


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
