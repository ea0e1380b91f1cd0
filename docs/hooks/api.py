"""A page of reference for each package of symbench that says what is public (``__all__``), made by mkdocstrings.

An object is described once, on the page of the outermost package that names it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import posixpath
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from mkdocs.structure.files import File

import symbench
from symbench.tasks import TASKS
from symbench.wrappers.registry import TRANSFORMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

FOLDER: Final = "api"
_APART: Final = ("symbench.cli", "symbench.wrappers.generated", "symbench.__main__")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages in the navigation, where ``mkdocs.yml`` has the first one only."""
    for section in config.nav or []:
        for title, pages in section.items():
            if pages == f"{FOLDER}/index.md":
                modules = ({module.__name__: _uri(module)} for module in public_modules())
                section[title] = [{"Overview": pages}, *modules]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, and what the gallery leads to."""
    described: set[str] = set()
    lines = ["# API reference\n", "What can be imported from where.\n", "| | |", "|---|---|"]
    for module in public_modules():
        objects = [each for each in dict.fromkeys(_objects(module)) if each not in described]
        described.update(objects)
        files.append(File.generated(config, _uri(module), content=_page(module.__name__, objects)))
        lines.append(f"| [`{module.__name__}`]({posixpath.basename(_uri(module))}) | {_first_line(module)} |")
    files.append(File.generated(config, f"{FOLDER}/index.md", content="\n".join(lines) + "\n"))
    return files


def _uri(module: ModuleType) -> str:
    return f"{FOLDER}/{module.__name__.removeprefix('symbench.')}.md"


@cache
def public_modules() -> list[ModuleType]:
    """Modules that say what is public, parents first."""
    names = ["symbench", *(found.name for found in pkgutil.walk_packages(symbench.__path__, "symbench."))]
    names = sorted((name for name in names if not name.startswith(_APART)), key=lambda name: (name.count("."), name))
    modules = map(importlib.import_module, names)
    return [module for module in modules if hasattr(module, "__all__")]


def _objects(module: ModuleType) -> Iterator[str]:
    """Where what is public here is defined."""
    for name in module.__all__:
        found = TRANSFORMS.get(name) if module.__name__ == "symbench.wrappers" else None
        yield _path(found or getattr(module, name), f"{module.__name__}.{name}")
    if module.__name__ == "symbench.tasks":
        yield from dict.fromkeys(where_declared(name) for name in TASKS)


def where_declared(task: str) -> str:
    """What describes a task best: the class of its environment if it is symbench's, or else its family of tasks."""
    import gymnasium as gym

    entry = gym.spec(TASKS[task].env_id).entry_point
    if isinstance(entry, str) and entry.startswith("symbench."):
        return entry.replace(":", ".")
    return next(name for name, family in _families().items() if TASKS[task] in family.TASKS)


def _families() -> dict[str, Any]:
    modules = importlib.import_module("symbench.tasks.registry")._FAMILIES
    return {module.__name__: module for module in modules}


def _path(found: Any, otherwise: str) -> str:
    if inspect.isclass(found) or inspect.isfunction(found):
        return f"{found.__module__}.{found.__qualname__}"
    return found.__name__ if inspect.ismodule(found) else otherwise


def _page(module: str, objects: list[str]) -> str:
    parts = [f"# `{module}`", _directive(module, members=False, show_root_heading=False, show_root_toc_entry=False)]
    for path in objects:
        parts.append(_directive(path, heading_level=2, **({"members": False} if path in sys.modules else {})))
    return "\n\n".join(parts) + "\n"


def _directive(path: str, **options: Any) -> str:
    lines = (f"      {name}: {str(value).lower()}" for name, value in options.items())
    return "\n".join([f"::: {path}", "    options:", *lines])


def _first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().split("\n")[0].replace("``", "`")
