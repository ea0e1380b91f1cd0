"""Imports code of the user's own, named as ``module:Name``; only ever asked for where the user said ``--trust``."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from symbench.errors import SymbenchError, one_line


def import_object(name: str) -> Any:
    """What ``"module:Name"`` names; the current directory is searched, too.

    Raises:
        SymbenchError: It has another form, the module does not exist or fails, or it holds no such name.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise SymbenchError(f"'module:Name' is expected, received {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last, so that no file in it replaces a library
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name not in (module, module.partition(".")[0]):
            raise SymbenchError(f"module {module!r} needs {error.name!r}, which is not installed") from error
        raise SymbenchError(f"there is no module {module!r} in {here} or among the installed ones") from error
    except AttributeError as error:
        if module in sys.modules and not hasattr(sys.modules[module], attribute):
            raise SymbenchError(f"module {module!r} has no {attribute!r}") from error
        raise _failed(module, error) from error
    except Exception as error:  # whatever the code of a user raises
        raise _failed(module, error) from error


def source_of(thing: type) -> bytes:
    """The content of the file that defines a class.

    Raises:
        SymbenchError: It was not read from a file.
    """
    try:
        return Path(inspect.getfile(thing)).read_bytes()
    except (OSError, TypeError) as error:
        raise SymbenchError(f"{thing.__module__}.{thing.__qualname__} must be defined in a file") from error


def _failed(module: str, error: Exception) -> SymbenchError:
    return SymbenchError(f"module {module!r} cannot be imported: {type(error).__name__}: {one_line(error)}")
