"""Code that is not part of symbench: modules that the user names and trusts, and what packages announce."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_trusted(module: str, what: str, trust: bool) -> Any:
    """Import a module of the user's, also one that lies in the current directory.

    Args:
        module: Its name, with dots.
        what: Who needs it, e.g. ``"task 'my_envs:Walk-v0'"``; the message begins with it.
        trust: Whether it may be executed. A module that is there already needs none: nothing is executed again.

    Raises:
        SymbenchError: It is not trusted, or fails to import; the message shows its own error.
    """
    if module in sys.modules:
        return sys.modules[module]
    if not trust:
        raise SymbenchError(f"{what} imports the module {module!r}, which can execute any code; add --trust if you do")
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109  (sys.path holds text)
        sys.path.append(here)
    try:
        return importlib.import_module(module)
    except Exception as error:
        raise SymbenchError(
            f"{what}: module {module!r} cannot be imported ({type(error).__name__}: {one_line(error)})"
        ) from error


def announced(group: str) -> Iterator[tuple[str, Any]]:
    """What installed packages announce by entry points of a group, e.g. ``"symbench.tasks"``: name and object.

    Raises:
        SymbenchError: One of them cannot be loaded; the message names its package.
    """
    for point in entry_points(group=group):
        try:
            yield point.name, point.load()
        except Exception as error:
            package = point.dist.name if point.dist else point.value
            raise SymbenchError(
                f"package {package!r} announces {point.name!r} in {group}, which cannot be loaded "
                f"({type(error).__name__}: {one_line(error)}); repair or uninstall it"
            ) from error
