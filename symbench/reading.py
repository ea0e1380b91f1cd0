"""Reads files of users and strangers: each once, bounded, and whatever is wrong with one becomes one line."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

TEXT_BYTES: Final = 2**20
"""Largest JSON or TOML file that is read; those that come with the package have some thousand bytes."""

_DEEPEST: Final = 32  # lists and tables within each other
_LINE: Final = 200  # characters of a text that is quoted in a message


def read(file: Path, label: str, limit: int, missing: str = "does not exist") -> bytes:
    """The content of a file.

    Args:
        file: Its path.
        label: How messages call it.
        limit: Most bytes it may have.
        missing: What messages say if it does not exist.

    Raises:
        SymbenchError: It does not exist, is no regular file, cannot be read or is larger than that.
    """
    try:
        status = file.stat()
        regular, small = stat.S_ISREG(status.st_mode), status.st_size <= limit
        content = _beginning(file, status.st_size) if regular and small else b""
    except FileNotFoundError as error:
        raise SymbenchError(f"{label} {missing}") from error
    except (OSError, ValueError) as error:  # a ValueError for names that no file can have
        raise SymbenchError(f"{label} cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not regular:  # a folder; a pipe, of which one would wait for ever
        raise SymbenchError(f"{label} is not a file")
    if not small:
        raise SymbenchError(f"{label} has {status.st_size:,} bytes, at most {limit:,} are read")
    return content


def _beginning(file: Path, size: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(size)


def parse_json(content: bytes, label: str, expected: str) -> Any:
    """JSON data.

    Args:
        content: Of the file.
        label: How messages call it.
        expected: What the file should have been, e.g. ``"an agent's card"``.

    Raises:
        SymbenchError: It is not JSON, or its lists and objects are nested too deeply.
    """
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SymbenchError(f"{label} is not a JSON file ({brief(error)}); {expected} was expected") from error
    _check_depth(data, label)
    return data


def parse_toml(content: bytes, label: str) -> dict[str, Any]:
    """TOML data.

    Args:
        content: Of the file.
        label: How messages call it.

    Raises:
        SymbenchError: It is not TOML, or its arrays and tables are nested too deeply.
    """
    try:
        data: dict[str, Any] = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise SymbenchError(f"{label} is not TOML: {brief(error)}") from error
    _check_depth(data, label)
    return data


def brief(value: object) -> str:
    """A value's text in one line of at most some 200 characters, without those that cannot be printed."""
    line = " ".join(str(value)[: 10 * _LINE].split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _LINE else f"{line[:_LINE]} ..."


def _check_depth(data: Any, label: str) -> None:
    """Refuse what later code could not walk through with functions that call themselves."""
    level = [data]
    for _ in range(_DEEPEST):
        tables = [value.values() for value in level if isinstance(value, dict)]
        level = [child for part in (*tables, *(v for v in level if isinstance(v, list))) for child in part]
    if level:
        raise SymbenchError(f"{label} is nested deeper than {_DEEPEST} levels")
