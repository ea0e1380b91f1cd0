"""What can be wrong with a submission: named rules, and the places where they are broken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "file-name": "files are called NAME.csv and NAME.json, and lie in the folder itself",
        "file-pair": "each submission has both files",
        "file-kind": "they are regular files: no links, folders or devices",
        "file-size": "they are no larger than the limit",
        "compressed": "they are plain text; nothing compressed is ever opened",
        "encoding": "they are UTF-8 without byte order mark and without NUL",
        "json": "the metadata are JSON in which no key is repeated",
        "format": "the format is one that this version of symbench reads",
        "metadata": "the metadata have the keys and values of the format",
        "suite": "suite, version, tasks and conditions are ones that exist, and tasks have a reference return",
        "columns": "the table has the columns of the format, each once",
        "fields": "every line has as many fields as there are columns",
        "formula": "no cell begins with = + - @ or a control character, numbers and names of conditions apart",
        "value": "names are those of the suite, numbers are plain decimal numbers",
        "not-finite": "returns are finite",
        "return-range": "returns are ones that the task can give in so many steps",
        "length-limit": "episodes are neither shorter nor longer than the task allows",
        "time-limit": "an episode that did not end by itself is as long as the time limit",
        "seed": "seeds are those of the suite",
        "run": "training runs are those that the metadata list",
        "duplicate": "every episode is there once",
        "missing-cell": "every cell of the suite is there",
        "missing-episodes": "every cell has all its episodes",
        "same-run": "training runs differ in their tensors, and in their episodes where these can tell",
        "copy": "no other submission to a version of the suite has a training run of it",
        "look-alike": "no other submission has a name that reads the same: l for 1, o for 0, m for rn",
    }
)
"""Rule -> what it asks for."""

MOST_SHOWN: Final = 20  # places of one rule in one file


@dataclass(frozen=True)
class Problem:
    """A rule that is broken, and where.

    Attributes:
        rule: A key of :data:`RULES`.
        file: The file.
        message: What was received, what would be right.
        line: From 1; 0 if it is about the file as a whole.
        column: First character of the field, from 1; 0 if it is about the line as a whole.
    """

    rule: str
    file: str
    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """As compilers write it: ``mine.csv:12:40: return nan: ... [not-finite]``."""
        place = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return f"{':'.join(place)}: {self.message} [{self.rule}]"


class Problems:
    """Collects the problems of one file; of each rule only the first places are kept, the others are counted."""

    def __init__(self, file: str) -> None:
        """Start without problems."""
        self.file = file
        self._counts: Counter[str] = Counter()
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._counts)

    def add(self, rule: str, message: str, line: int = 0, column: int = 0) -> None:
        """Note one."""
        self._counts[rule] += 1
        if self._counts[rule] <= MOST_SHOWN:
            self._found.append(Problem(rule, self.file, message, line, column))

    def full(self, rule: str) -> bool:
        """Whether no further place of a rule would be shown; it is counted then."""
        if self._counts[rule] < MOST_SHOWN:
            return False
        self._counts[rule] += 1
        return True

    def listed(self) -> list[Problem]:
        """All that are kept, by line; then how many more there are of each rule."""
        more = [
            Problem(rule, self.file, f"and {count - MOST_SHOWN} more")
            for rule, count in self._counts.items()
            if count > MOST_SHOWN
        ]
        return sorted(self._found, key=lambda problem: (problem.line, problem.column)) + more


def shown(text: str, most: int = 40) -> str:
    """Text of a stranger as it can be printed: quoted, escaped, cut."""
    return ascii(text if len(text) <= most else text[:most] + "...")
