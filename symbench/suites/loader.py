"""Finds suites by name or by file and reads them; every mistake becomes one line that names the file and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from symbench.errors import SymbenchError, unknown
from symbench.reading import TEXT_BYTES, brief, parse_toml, read
from symbench.suites.suite import Suite

_BUNDLED = Path(__file__).parent

# Where pydantic's own words are for programmers.
_PROBLEMS = {
    "string_pattern_mismatch": "a name holds letters, digits and + . _ - only",
    "extra_forbidden": "there is no such key",
    "missing": "this key is missing",
}


def bundled_suites() -> list[str]:
    """Names of the suites that come with symbench, sorted; earlier versions are loaded as ``"shuffle@1"``."""
    return sorted(path.stem for path in _BUNDLED.glob("*.toml") if "@" not in path.stem)


def load_suite(name_or_path: str | Path) -> Suite:
    """Read a suite.

    Args:
        name_or_path: A bundled name (``"shuffle"``), a name with its version (``"shuffle@1"``), or the path of a TOML
            file (``"my.toml"``).

    Raises:
        SymbenchError: The name is unknown, the version is another one, or the file is not a valid suite.

    Example:
        >>> load_suite("shuffle").tag
        'shuffle@3'
    """
    text = str(name_or_path)
    if text.endswith(".toml"):
        return _read(Path(text))
    name, _, version = text.partition("@")
    if name not in bundled_suites():
        raise SymbenchError(f"{unknown('suite', name, bundled_suites())}; learning curves: symbench study --help")
    earlier = _BUNDLED / f"{name}@{version}.toml"
    suite = _read(earlier if earlier.exists() else _BUNDLED / f"{name}.toml")
    if version not in ("", str(suite.version)):
        raise SymbenchError(f"suite {text!r} is not here; this version of symbench holds {suite.tag}")
    return suite


def parse_suite(data: dict[str, Any], source: str) -> Suite:
    """Validate data as a suite.

    Args:
        data: What a suite file holds.
        source: Named in the message when something is wrong.

    Raises:
        SymbenchError: The first mistake: its key, what is wrong and what was received.
    """
    try:
        suite = Suite.model_validate(data)
    except ValidationError as error:
        mistake = error.errors()[0]
        key = ".".join(map(str, mistake["loc"]))
        problem = _PROBLEMS.get(mistake["type"], mistake["msg"].removeprefix("Value error, "))
        received = f", received {brief(repr(mistake['input']))}" if key and mistake["type"] != "missing" else ""
        raise SymbenchError(f"suite {source}: {key + ': ' if key else ''}{problem}{received}") from error
    _check_tasks(suite, source)
    return suite


def _check_tasks(suite: Suite, source: str) -> None:
    # Not a part of the schema: the tables of a run can be made again where a task of its suite is unknown. What is
    # registered by a module is known once that has been imported, which is for `run` to do.
    from symbench.tasks import get_task
    from symbench.tasks.names import TaskName

    for task in suite.tasks:
        if TaskName.parse(task).module:
            continue
        try:
            get_task(task)
        except SymbenchError as error:
            raise SymbenchError(f"suite {source}: tasks: {error}") from error


def _read(path: Path) -> Suite:
    label = f"suite file {str(path)!r}"
    content = read(path, label, TEXT_BYTES, f"does not exist; bundled suites: {', '.join(bundled_suites())}")
    return parse_suite(parse_toml(content, label), str(path))
