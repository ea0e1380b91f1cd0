"""The examples import what exists, and the short one runs."""

from __future__ import annotations

import inspect
import runpy
import textwrap
from pathlib import Path

import pytest

from symbench.tasks import get_task

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_imports_what_exists(path: Path) -> None:
    runpy.run_path(str(path), run_name="imported")


def test_a_perturbation_of_ones_own_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "my_wrapper")), run_name="__main__")
    assert "every promise holds" in capsys.readouterr().out


def test_the_grid_worlds_best_policy_is_worth_what_the_task_says() -> None:
    example = runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "grid_world_plateaus")))
    task, value, blindly = get_task("GridWorld"), example["value"], example["blindly"]
    assert value(lambda actions: actions.max(axis=0)) == pytest.approx(task.metric.reference_return, abs=0.005)
    assert blindly(*[0.2] * 5) == pytest.approx(task.metric.random_return, abs=0.005)
    assert value(lambda actions: actions[[1, 2]].max(axis=0)) == pytest.approx(0.390, abs=0.001)


def test_the_documentation_shows_the_snippets_that_were_measured() -> None:
    example = runpy.run_path(str(next(path for path in EXAMPLES if path.stem == "train_with_sb3")))
    pages = "".join(page.read_text() for page in (EXAMPLES[0].parents[1] / "docs").glob("train-*.md"))
    for snippet in example["SNIPPETS"]:
        lines = inspect.getsource(snippet).splitlines()[2:]
        assert textwrap.dedent("\n".join(lines)).replace("return ", "model = ") in pages, snippet.__name__
