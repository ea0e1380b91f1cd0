"""docs/symmetries.md: its table is the catalogue's."""

from __future__ import annotations

import re
from pathlib import Path

from symbench.symmetry import CATALOGUE

PAGE = (Path(__file__).parents[2] / "docs" / "symmetries.md").read_text(encoding="utf-8")


def test_the_table_is_the_catalogue() -> None:
    rows = [re.split(r" \| ", line[2:-2]) for line in PAGE.splitlines() if line.startswith("| `")]
    declared = [
        (f"`{env_id}`", f"`{each.pair.name}`", each.pair.group.name, each.pair.status, each.pair.note)
        for env_id, found in CATALOGUE.items()
        for each in found
    ]
    assert [(*row[:4], row[-1]) for row in rows] == declared
