"""Imports point one way: no module needs one that needs it, and no room needs one that needs it, not even late."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import symbench

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(symbench.__file__).parent
MODULES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}


def statements(body: list[ast.stmt], late: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Every statement that runs, and whether it does so only when a function is called."""
    for statement in body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield statement, late
        inside = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
        for field in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, field, []), late or inside)
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body, late or inside)


def imported(path: Path, late: bool) -> set[str]:
    """Modules of the package that a module imports; with ``late`` also those that its functions import."""
    found = set()
    for statement, when_called in statements(ast.parse(path.read_text()).body, False):
        if when_called and not late:
            continue
        if isinstance(statement, ast.ImportFrom) and statement.module:
            names = [f"{statement.module}.{alias.name}" for alias in statement.names]
            found |= {name if name in MODULES else statement.module for name in names}
        elif isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
    return found & MODULES.keys()


def room(module: str) -> str:
    """The part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else module


def test_no_module_needs_one_that_needs_it() -> None:
    graph = {module: imported(path, late=False) - {module} for module, path in MODULES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_no_room_needs_one_that_needs_it_not_even_late() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        own = room(module)
        others = {room(name) for name in imported(path, late=True) if name != "symbench"}
        graph.setdefault(own, set()).update(others - {own})
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("symmetry") < order.index("wrappers") < order.index("runner") < order.index("cli")
    assert order.index("policies") < order.index("zoo") < order.index("runner") < order.index("leaderboard")
