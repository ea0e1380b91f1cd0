"""What spreadsheets do to a table when they save it. Each habit is named once, with its remedy, and undone.

Undone, so that everything else that is wrong is found in the same pass; a table with a habit is never accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from symbench.leaderboard.submission_problems import shown
from symbench.leaderboard.submission_schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.submission_problems import Problems

REMEDY: Final = "submit the file that symbench submit wrote"

_BOM: Final = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "bars"}
_WHOLE: Final = re.compile(r"([0-9]{1,15})[.,]0+")
_ROUNDED: Final = re.compile(r"[0-9]([.,][0-9]{1,15})?[eE]\+?[0-9]{1,2}")
_DECIMAL_COMMA: Final = re.compile(r"(-?[0-9]{1,15}),([0-9]{1,25}([eE][+-]?[0-9]{1,3})?)")
_QUOTED_COMMA: Final = re.compile(r'"(-?[0-9]{1,15}),([0-9]{1,25}(?:[eE][+-]?[0-9]{1,3})?)"')
_WORDS: Final = {
    **dict.fromkeys(("true", "wahr", "vrai", "verdadero", "vero"), "1"),
    **dict.fromkeys(("false", "falsch", "faux", "falso"), "0"),
}
_INTEGERS: Final = ("run", "seed", "length")


def decoded(content: bytes, problems: Problems) -> bytes:
    """The bytes of a table in UTF-8 without byte order mark, whatever a spreadsheet has made of them."""
    if content.startswith(b"\xef\xbb\xbf"):
        what = "UTF-8 without byte order mark is expected, received one, as spreadsheets write it"
        problems.add("encoding", f"{what}; save it without one, or {REMEDY}", 1, 1)
        return content[3:]
    if content.startswith(_BOM):
        what = "UTF-8 is expected, received UTF-16 with a byte order mark, as spreadsheets write 'Unicode text'"
        problems.add("encoding", f"{what}; save it as UTF-8, or {REMEDY}", 1, 1)
        return content.decode("utf-16", "replace").encode()
    return content


@dataclass
class _Seen:
    message: str
    line: int
    column: int
    count: int = 0


class Habits:
    """The habits of one table: those of all its lines, which are undone at once, and those of single fields.

    Attributes:
        separator: What stands between fields.
        lossy: Whether numbers were lost that nothing brings back.
    """

    def __init__(self, problems: Problems) -> None:
        """Start without habits."""
        self.separator, self.lossy = ",", False
        self._problems = problems
        self._seen: dict[str, _Seen] = {}

    def lines_of(self, text: str) -> list[str]:
        """The lines of a table, without the habits that concern all of them."""
        if "\n" not in text and "\r" in text:
            self._problems.add("columns", f"lines end with carriage returns alone; save as plain CSV, or {REMEDY}", 1)
            text = text.replace("\r", "\n")
        lines = text.split("\n")
        if lines[0].count('"') > 2:
            self._problems.add("columns", f"fields stand in quotes; save without quotes, or {REMEDY}", 1, 1)
            lines = [self._unquoted(number, line) for number, line in enumerate(lines, 1)]
        self.separator = _separator(lines[0])
        if self.separator in _SEPARATORS:
            what = f"fields are separated by {_SEPARATORS[self.separator]}, as spreadsheets do in some countries"
            self._problems.add("columns", f"{what}; save with commas and decimal points, or {REMEDY}", 1)
        return lines

    def fields_of(self, number: int, line: str, header: Sequence[str]) -> list[str]:
        """The fields of a line; a number that a decimal comma has cut in two is put together."""
        line = self._with_points(number, line) if self.separator == "," and '"' in line else line
        fields = line.split(self.separator)
        place = header.index("return")
        if self.separator == "," and len(fields) == len(header) + 1:
            number_in_two = ",".join(fields[place : place + 2])
            if _DECIMAL_COMMA.fullmatch(number_in_two):
                column = sum(len(field) + 1 for field in fields[:place]) + 1
                self._note("commas", "return", number_in_two, number, column)
                return [*fields[:place], number_in_two.replace(",", "."), *fields[place + 2 :]]
        return fields

    def undone(self, number: int, row: Sequence[str], columns: Sequence[int]) -> tuple[str, ...] | None:
        """A row without the habits of its fields; ``None`` if it has none.

        Args:
            number: Of its line.
            row: Its fields in the order of :data:`COLUMNS`.
            columns: Where each begins in the line.
        """
        fields = list(row)
        for index, (name, text) in enumerate(zip(COLUMNS, row, strict=True)):
            if (found := _habit(name, text)) is not None:
                kind, fields[index] = found
                self.lossy |= kind == "rounded"
                self._note(kind, name, text, number, columns[index])
        return None if fields == list(row) else tuple(fields)

    def report(self) -> None:
        """Say each habit of fields once."""
        for seen in self._seen.values():
            lines = f"; so in {seen.count} lines" if seen.count > 1 else ""
            self._problems.add("value", f"{seen.message}{lines}; write it so, or {REMEDY}", seen.line, seen.column)

    def _unquoted(self, number: int, line: str) -> str:
        return self._with_points(number, line).replace('"', "")

    def _with_points(self, number: int, line: str) -> str:
        """A line in which a number that stands in quotes for its decimal comma has a point."""
        if found := _QUOTED_COMMA.search(line):
            self._note("commas", "return", found[0].strip('"'), number, found.start() + 1)
        return _QUOTED_COMMA.sub(r"\1.\2", line)

    def _note(self, kind: str, name: str, received: str, line: int, column: int) -> None:
        key = f"{kind} {name}"
        if key not in self._seen:
            self._seen[key] = _Seen(_message(kind, name, received), line, column)
        self._seen[key].count += 1


def _separator(header: str) -> str:
    """A comma, unless another one separates names of columns."""
    counts = {each: sum(name in COLUMNS for name in header.rstrip("\r").split(each)) for each in (",", *_SEPARATORS)}
    return max(counts, key=lambda each: counts[each])


def _habit(name: str, text: str) -> tuple[str, str] | None:
    """Which habit a field shows, and the field without it."""
    if name == "terminated" and text.lower() in _WORDS:
        return "words", _WORDS[text.lower()]
    if name == "return" and _DECIMAL_COMMA.fullmatch(text):
        return "commas", text.replace(",", ".")
    if name in (*_INTEGERS, "terminated") and (found := _WHOLE.fullmatch(text)):
        return "decimals", found[1]
    if name in _INTEGERS and _ROUNDED.fullmatch(text):
        return "rounded", str(int(float(text.replace(",", "."))))
    return None


def _message(kind: str, name: str, received: str) -> str:
    kinds = {
        "words": "0 or 1 is expected, received {}, as spreadsheets write truth values",
        "commas": "a decimal number is expected, received {}, with the decimal comma of a spreadsheet",
        "decimals": "a whole number is expected, received {}, as spreadsheets and data frames write numbers",
        "rounded": "a whole number is expected, received {}, as spreadsheets shorten and thereby lose it",
    }
    return f"{name}: {kinds[kind].format(shown(received))}"
