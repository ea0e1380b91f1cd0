"""A board to attack: the repository's own submissions, and small ones that keep all rules."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbench.leaderboard.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "leaderboards" / "submissions"
sys.path.insert(0, str(ROOT / "tests" / "leaderboard"))

from submission_cases import SUITE, TASK, Files, field_of, hashed, key, metadata, raw, table, text  # noqa: E402

__all__ = [
    "BOARD",
    "SUITE",
    "TASK",
    "Files",
    "board_of",
    "complaints",
    "copied",
    "field_of",
    "hashed",
    "key",
    "metadata",
    "raw",
    "small_suite",
    "table",
    "text",
]


def small_suite(folder: Path, episodes: int = 3) -> Path:
    """A folder of suites that holds ``tiny@2`` only."""
    folder.mkdir()
    (folder / "tiny.toml").write_text(SUITE.replace("episodes = 3", f"episodes = {episodes}"))
    return folder


def board_of(folder: Path, *names: str) -> Path:
    """A copy of the board with these submissions."""
    folder.mkdir()
    for name in names:
        for suffix in (".csv", ".json"):
            shutil.copy(BOARD / f"{name}{suffix}", folder)
    return folder


def copied(
    board: Path,
    name: str,
    new: str,
    change: Callable[[dict[str, Any]], None] = lambda card: None,
    rows: Callable[[list[list[str]]], Sequence[Sequence[str]]] = lambda rows: rows,
) -> Path:
    """Submit the files of another submission again, under a new name, with changed metadata and episodes."""
    card = json.loads((BOARD / f"{name}.json").read_text())
    card["name"] = new
    change(card)
    header, *lines = (BOARD / f"{name}.csv").read_text().splitlines()
    changed = [header, *(",".join(row) for row in rows([line.split(",") for line in lines]))]
    (board / f"{new}.json").write_text(json.dumps(card))
    (board / f"{new}.csv").write_text("\n".join([*changed, ""]))
    return board / f"{new}.csv"


def complaints(*paths: Path, beside: bool = False) -> list[str]:
    """What is wrong, as lines; nothing if everything is accepted."""
    submissions, problems = validate(paths, beside=beside)
    assert submissions or problems
    return [str(problem) for problem in problems]
