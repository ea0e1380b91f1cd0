"""Agents that symbench's own wheel has no room for; they are installed as ``symbench-zoo``, of the same version.

``companion.json`` names the folders of ``weights`` that it holds; all others come with symbench. Both wheels are built
from one checkout, by ``hatch_build.py``, and a checkout holds all of them in place.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from symbench import __version__

NAME: Final = "symbench-zoo"
FOLDERS: Final = frozenset(json.loads((Path(__file__).parent / "companion.json").read_text(encoding="utf-8"))["tasks"])
"""Names of tasks whose agents the companion holds."""


def agents_folder(weights: Path, task: str) -> Path:
    """Where the agents of a task lie: in ``weights``, or in the companion; the folder need not exist.

    Args:
        weights: The folder that comes with symbench.
        task: Name of the task, which is that of the folder.
    """
    inside = weights / task
    elsewhere = _companion() if task in FOLDERS and not inside.is_dir() else None
    return elsewhere / task if elsewhere and not _other_version() else inside


def how_to_get(weights: Path, task: str) -> str:
    """What to do for the agents of a task, in one line; empty if they are here, or there are none anywhere."""
    if task not in FOLDERS or agents_folder(weights, task).is_dir():
        return ""
    found = _other_version()
    why = f"version {found} is installed beside symbench {__version__}" if found else "it is not installed"
    return f"agents of {task} come with {NAME}, and {why}: pip install {NAME}=={__version__}"


def _companion() -> Path | None:
    found = find_spec(NAME.replace("-", "_"))
    return Path(found.origin).parent / "weights" if found and found.origin else None


def _other_version() -> str:
    """The companion's version, if it is not that of symbench; empty if it is, or nothing is installed."""
    try:
        found = version(NAME)
    except PackageNotFoundError:
        return ""
    return "" if found == __version__ else found
