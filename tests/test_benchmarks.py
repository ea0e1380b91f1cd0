"""The benchmarks themselves, which `make test` does not run: they meet every perturbation, and their data are kept."""

from __future__ import annotations

import csv
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from symbench.wrappers import PERTURBATIONS, wrapper_of

FOLDER = Path(__file__).parents[1] / "benchmarks"


def benchmarks(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module(name)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_there_is_an_environment_for_every_perturbation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    env, parameters = benchmarks(monkeypatch, "test_wrappers").world_for(name)
    for severity in (0, 3):
        wrapped = wrapper_of(name)(env, severity=severity, **parameters)
        wrapped.reset(seed=0)
        assert wrapped.observation_space.contains(wrapped.step(0)[0])


def test_the_speeds_of_the_documentation_are_of_benchmarks_that_exist() -> None:
    with (FOLDER.parent / "docs" / "data" / "benchmarks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["run"] for row in rows} == {"0", "1", "2"}
    code = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("test_*.py"))
    assert all(f"def {row['benchmark'].split('[')[0]}(" in code for row in rows)
