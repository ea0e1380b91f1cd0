"""The examples import what exists, and the short one runs."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_imports_what_exists(path: Path) -> None:
    runpy.run_path(str(path), run_name="imported")


def test_a_perturbation_of_ones_own_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "my_wrapper")), run_name="__main__")
    assert "every promise holds" in capsys.readouterr().out
