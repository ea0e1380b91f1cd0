"""Blocks of code in the documentation, run as a reader runs them: as written, and each on its own.

Only training is cut short. Where a comment behind a line says what comes out, that must come out:
``net(x)  # (32, 5)`` of an array is its shape, ``print(x)  # 0.5: ...`` what is printed.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
_BLOCK = re.compile(r"^```([\w-]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """Code between two fences: where it is, and its first line in the file."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(language: str, *pages: Path) -> list[Block]:
    """Those in one language, of all pages or of these."""
    return [
        Block(page, text.count("\n", 0, found.start()) + 2, language, found[2])
        for page in pages or PAGES
        for text in [page.read_text(encoding="utf-8")]
        for found in _BLOCK.finditer(text)
        if found[1] == language
    ]


def the_block(language: str, page: Path, holds: str) -> Block:
    """The one block of a page that holds a text."""
    (found,) = [block for block in blocks(language, page) if holds in block.code]
    return found


def run(block: Block, steps: int = 16) -> dict[str, Any]:
    """Execute a block of Python in a namespace of its own, with so many steps of training.

    Returns:
        The namespace.
    """
    code = re.sub(r"learn\(\s*[\d_]+,?\s*\)", f"learn({steps})", block.code)
    lines = code.splitlines()
    names: dict[str, Any] = {"__name__": "__main__"}
    for statement in ast.parse(code).body:
        module = ast.Module([statement], type_ignores=[])
        exec(compile(ast.increment_lineno(module, block.line - 1), str(block.page), "exec"), names)
        _hold(statement, lines[(statement.end_lineno or 1) - block.line], names)
    return names


def _hold(statement: ast.stmt, line: str, names: dict[str, Any]) -> None:
    """Check what the comment behind a statement promises, if it is a value."""
    comment = line.partition("  # ")[2]
    said = next((part for part in (comment, comment.partition(": ")[0]) if _is_value(part)), None)
    shown = _shown(statement)
    if shown is None or (said is None and not (comment and _is_print(statement))):
        return
    value = eval(compile(ast.Expression(shown), "a promise", "eval"), names)
    if said is None:
        assert str(value) == comment.partition(": ")[0], f"{line.strip()}: prints {value}"
        return
    promised = ast.literal_eval(said)
    found = tuple(value.shape) if isinstance(promised, tuple) and hasattr(value, "shape") else value
    assert found == promised, f"{line.strip()}: is {found}"


def _is_value(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def _is_print(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and _called(statement.value) == "print"


def _called(expression: ast.expr) -> str:
    called = expression.func if isinstance(expression, ast.Call) else None
    return called.id if isinstance(called, ast.Name) else ""


def _shown(statement: ast.stmt) -> ast.expr | None:
    """What a comment behind a statement speaks of: the name that it gives a value, what it prints, or its value."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return ast.Name(statement.targets[0].id, ast.Load(), lineno=1, col_offset=0)
    if isinstance(statement, ast.Expr):
        inside = statement.value.args if isinstance(statement.value, ast.Call) and _is_print(statement) else []
        return inside[0] if len(inside) == 1 else statement.value
    return None
