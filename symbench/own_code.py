"""Code of the user that is named on the command line as ``module:Name``. It runs only if the user says ``--trust``."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import traceback
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError, one_line, unknown

if TYPE_CHECKING:
    from types import ModuleType

_NAMED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def is_named(spec: str) -> bool:
    """Whether a text has the form ``module:Name``; dots are allowed on both sides."""
    return _NAMED.fullmatch(spec) is not None


def load_named(spec: str, trust: bool) -> Any:
    """Import a module and return what has this name in it. The current directory is importable.

    Args:
        spec: ``"module:Name"``.
        trust: Whether the user allows its code to run.

    Raises:
        SymbenchError: It is not trusted, there is no such module or name, or the module fails to import.
    """
    _check_trust(spec, trust)
    if not is_named(spec):
        raise SymbenchError(f"'module:Name' is expected, received {spec!r}")
    name, _, attribute = spec.partition(":")
    found: Any = _module(name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [known for known in vars(found) if not known.startswith("_")]
            raise unknown("name", part, public, f"in {name}")
        found = getattr(found, part)
    return found


def load_module(name: str, needed_by: str, trust: bool) -> ModuleType:
    """Import a module of the user's for what it registers. One that is imported already needs no trust.

    Args:
        name: The module, with dots.
        needed_by: Who asks for it, e.g. ``"task my_envs:Walk-v0"``.
        trust: Whether the user allows its code to run.

    Raises:
        SymbenchError: It is not trusted, there is no such module, or it fails to import.
    """
    if name in sys.modules:
        return sys.modules[name]
    _check_trust(needed_by, trust, f"import {name} before")
    return _module(name)


def source_files(spec: str, trust: bool) -> dict[str, Path]:
    """The Python files that determine what ``module:Name`` is: its module's, or all those of its package.

    So are those that they import from the folder where it lies, and what these import. What comes from installed
    packages, and what is read from other files, is not among them.

    Returns:
        The files by their names, which are relative to the first one.

    Raises:
        SymbenchError: It is not trusted, or there is no such module.
    """
    _check_trust(spec, trust)
    name = spec.partition(":")[0]
    make_importable(Path.cwd(), first=True)
    origins = [_origin(part) for part in dict.fromkeys((name.partition(".")[0], name))]
    files = [Path(origin) for origin in origins if origin and Path(origin).is_file()]
    if not files:
        return {}
    folder = files[-1].parents[name.count(".") + (files[-1].name == "__init__.py")]
    packages = [file.parent for file in files if file.name == "__init__.py"]
    files = _with_imports(sorted(packages[0].rglob("*.py")) if packages else files, folder)
    return {Path(os.path.relpath(file, files[0].parent)).as_posix(): file for file in files}


def _with_imports(files: list[Path], folder: Path) -> list[Path]:
    """These files, and what they and these import that lies in the folder."""
    if "site-packages" in folder.parts:
        return files
    found = list(files)
    for file in found:  # grows
        beside = (each for top in sorted(_imports(file)) for each in _beside(folder, top))
        found += [each for each in beside if each not in found]
    return found


def _beside(folder: Path, name: str) -> list[Path]:
    if (folder / name / "__init__.py").is_file():
        return sorted((folder / name).rglob("*.py"))
    return [folder / f"{name}.py"] if (folder / f"{name}.py").is_file() else []


def _imports(file: Path) -> set[str]:
    """The first parts of the names that a file imports, anywhere in it; nothing if it is no Python."""
    try:
        nodes = list(ast.walk(ast.parse(file.read_bytes())))
    except (SyntaxError, ValueError):  # importing it says what is wrong
        return set()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level]
    return {name.partition(".")[0] for name in names} - {"symbench"}  # a run records its version


def source_of(thing: type) -> bytes:
    """The content of the file that defines a class.

    Raises:
        SymbenchError: It was not read from a file.
    """
    try:
        return Path(inspect.getfile(thing)).read_bytes()
    except (OSError, TypeError) as error:
        raise SymbenchError(f"{thing.__module__}.{thing.__qualname__} must be defined in a file") from error


def make_importable(folder: Path, first: bool = False) -> None:
    """Put a folder on the path on which Python looks for modules: last, or first, as Python does for a script's."""
    if str(folder) not in sys.path:
        sys.path.insert(0 if first else len(sys.path), str(folder))
    invalidate_caches()  # files that were written since Python last looked


def importable() -> list[str]:
    """The folders in which Python looks for modules here, for another process in another folder."""
    return [str(Path(each).absolute()) for each in sys.path if each]


def _check_trust(spec: str, trust: bool, otherwise: str = "the object") -> None:
    if not trust:
        raise SymbenchError(
            f"{spec} is code, which is executed: if you trust it, add --trust (in Python: trust=True, or {otherwise})"
        )


def _origin(name: str) -> str | None:
    """The file of a module, looked for as Python does, but without running the packages around it."""
    where, found = None, None
    for end in (*(match.start() for match in re.finditer(r"\.", name)), None):
        finders = (finder.find_spec(name[:end], where) for finder in sys.meta_path)
        found = next((spec for spec in finders if spec is not None), None)
        if found is None:
            raise _missing(name)
        where = found.submodule_search_locations
    return found.origin if found else None


def _module(name: str) -> ModuleType:
    make_importable(Path.cwd(), first=True)
    try:
        return import_module(name)
    except (Exception, SystemExit) as error:  # whatever the module raises
        raise _failed(name, error) from error


def _missing(name: str) -> SymbenchError:
    return SymbenchError(f"there is no module {name!r}, neither in {Path.cwd()} nor among the installed packages")


def _failed(name: str, error: BaseException) -> SymbenchError:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
        return _missing(name)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if isinstance(error, SyntaxError) else f" ({Path(frame.filename).name}, line {frame.lineno})"
    return SymbenchError(f"module {name!r} cannot be imported: {type(error).__name__}: {one_line(error)}{where}")
