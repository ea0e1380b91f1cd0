"""The notebook of first steps runs from beginning to end and prints what it shows."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from docs_cases import DOCS

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


def shown(notebook: Any) -> list[tuple[str, str]]:
    """Kind and text of each output. Numbers are left out: another processor may round to another episode."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [(each.output_type, re.sub(r"[-\d.\s]+", " ", each.get("text", ""))) for each in outputs]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_and_shows_what_is_stored(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install 'symbench[docs]'")
    pytest.importorskip("nbclient")
    monkeypatch.syspath_prepend(str(DOCS / "hooks"))
    again = importlib.import_module("run_notebook").executed(path, tmp_path)
    stored = nbformat.read(path, as_version=4)
    assert shown(again) == shown(stored) and len(shown(stored)) >= 4
    assert "image/png" in str(stored.cells), "a figure"
