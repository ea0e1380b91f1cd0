"""How a task is written: ``[MODULE:]ID[?KEY=VALUE[&KEY=VALUE ...]]``."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from symbench.errors import SymbenchError

_FORM = "expected [MODULE:]ID[?KEY=VALUE&KEY=VALUE], e.g. 'LunarLander-v3?continuous=true'"
_ID = re.compile(r"((?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):)?(?P<id>([\w:-]+/)?[\w.-]+)")
_KEY = re.compile(r"[A-Za-z_]\w*")
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_LONGEST = 200  # characters of a directory's name; file systems take 255


class TaskName(NamedTuple):
    """The parts of a task's name.

    Attributes:
        module: What registers the environment when it is imported, or ``None``.
        env_id: Gymnasium id.
        kwargs: Arguments of ``gymnasium.make``.
    """

    module: str | None
    env_id: str
    kwargs: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> TaskName:
        """Read a name.

        Raises:
            SymbenchError: It has another form.

        Example:
            >>> TaskName.parse("LunarLander-v3?continuous=true")
            TaskName(module=None, env_id='LunarLander-v3', kwargs={'continuous': True})
        """
        head, asked, query = text.partition("?")
        match = _ID.fullmatch(head)
        if match is None or (asked and not query):
            raise SymbenchError(f"task {text[:100]!r}: {_FORM}")
        name = cls(match["module"], match["id"], _arguments(text, query) if query else {})
        if len(quote(str(name), safe="")) > _LONGEST:
            raise SymbenchError(f"task {text[:40]!r}...: the name is too long to be that of a directory")
        return name

    def __str__(self) -> str:
        """The one way to write it: arguments in the order of their names, values as JSON."""
        head = self.env_id if self.module is None else f"{self.module}:{self.env_id}"
        arguments = "&".join(f"{key}={_written(self.kwargs[key])}" for key in sorted(self.kwargs))
        return f"{head}?{arguments}" if arguments else head


def _arguments(text: str, query: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for part in query.split("&"):
        key, equals, value = part.partition("=")
        if not equals or not value or not _KEY.fullmatch(key):
            raise SymbenchError(f"task {text[:100]!r}: {part[:40]!r} is no argument; {_FORM}")
        if key in arguments:
            raise SymbenchError(f"task {text[:100]!r}: {key} is given twice")
        arguments[key] = _value(value)
    return arguments


def _value(text: str) -> Any:
    """A JSON value; Python's True, False and None; anything else is a text and needs no quotes."""
    try:
        return json.loads(_PYTHON.get(text, text))
    except ValueError:
        return text


def _written(value: Any) -> str:
    bare = isinstance(value, str) and value not in _PYTHON and _value(value) == value and "&" not in value
    return value if bare and value else json.dumps(value, separators=(",", ":"))
