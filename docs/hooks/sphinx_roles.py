"""Docstrings as this package writes them, for mkdocstrings.

Roles of Sphinx, as ``:class:`~symbench.tasks.Task` ``, become links; what stands under ``Example:`` is shown as code.
"""

from __future__ import annotations

import re
from typing import Any, Final

import griffe

from symbench.wrappers.registry import TRANSFORMS

_ROLE: Final = re.compile(r":(?:class|func|meth|mod|data|attr|exc|obj):`(~?)([^`]+)`")
_LITERAL: Final = re.compile(r"``([^`]+)``")
_EXAMPLE: Final = re.compile(r"^( *)Example:$", re.MULTILINE)


class SphinxRoles(griffe.Extension):
    """Rewrites every docstring as it is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """An object was read."""
        if obj.docstring:
            text = _ROLE.sub(lambda found: _link(obj, *found.groups()), obj.docstring.value)
            obj.docstring.value = _EXAMPLE.sub(r"\1Examples:", _LITERAL.sub(r"`\1`", text))

    def on_module_members(self, *, mod: griffe.Module, **_: Any) -> None:
        """A module was read; names that a registry adds to ``__all__`` cannot be read, only run."""
        if isinstance(mod.exports, list):
            mod.exports = [name for name in mod.exports if not isinstance(name, griffe.ExprName) or "." in str(name)]


def _link(obj: griffe.Object, short: str, name: str) -> str:
    """A link if what is named is described anywhere, or else its name; autorefs sees which when all pages are there."""
    shown = name.rpartition(".")[2] if short else name
    return f'<autoref optional identifier="{_full(obj, name)}"><code>{shown}</code></autoref>'


def _full(obj: griffe.Object, name: str) -> str:
    if transform := TRANSFORMS.get(name.removeprefix("symbench.wrappers.")):
        return f"{transform.__module__}.{transform.__name__}"
    if name.startswith("symbench."):
        return name
    try:
        return obj.resolve(name)
    except griffe.NameResolutionError:
        return name
