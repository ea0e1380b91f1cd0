"""docs/symmetries.md: its table is the catalogue's, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from symbench.symmetry import CATALOGUE
from symbench.symmetry.catalogue import registry

PAGE = (Path(__file__).parents[2] / "docs" / "symmetries.md").read_text(encoding="utf-8")


def test_the_table_is_the_catalogue() -> None:
    rows = [re.split(r" \| ", line[2:-2]) for line in PAGE.splitlines() if line.startswith("| `")]
    declared = [
        (f"`{env_id}`", f"`{each.pair.name}`", each.pair.group.name, each.pair.status, each.pair.note)
        for env_id, found in CATALOGUE.items()
        for each in found
    ]
    assert [(*row[:4], row[-1]) for row in rows] == declared


def test_examples_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(registry, "CATALOGUE", dict(CATALOGUE))
    names: dict[str, object] = {"observations": np.ones((3, 4)), "actions": np.array([0, 1, 1])}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "symmetries.md", "exec"), names)
    assert capsys.readouterr().out.split() == ["exact", "0.0"]
    assert len(CATALOGUE["CartPole-v1"]) == 1
