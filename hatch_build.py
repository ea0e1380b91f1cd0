"""Which agents a wheel holds: those that ``symbench/zoo/companion.json`` names are symbench-zoo's, others symbench's.

``zoo-package`` builds with this file too. Its wheel takes the agents from where they lie, so that there is one copy.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WEIGHTS = Path("symbench") / "zoo" / "weights"


def agents(companion: bool) -> list[str]:
    """The folders of agents that one of the two distributions holds."""
    elsewhere = set(json.loads((ROOT / "symbench" / "zoo" / "companion.json").read_text(encoding="utf-8"))["tasks"])
    found = sorted(each.name for each in (ROOT / WEIGHTS).iterdir() if each.is_dir())
    return [name for name in found if (name in elsewhere) == companion]


class CustomBuildHook(BuildHookInterface):
    """Adds the agents, of which ``exclude`` in pyproject.toml has left out all."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Nothing is added to an editable install, which finds them in the checkout."""
        if version == "editable":
            return
        companion = self.metadata.name == "symbench-zoo"
        inside = Path("symbench_zoo") / "weights" if companion else WEIGHTS
        for name in agents(companion):
            build_data["force_include"][str(ROOT / WEIGHTS / name)] = (inside / name).as_posix()
