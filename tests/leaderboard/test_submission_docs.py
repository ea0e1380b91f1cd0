"""What is written about submissions is what is done, and the check of pull requests runs nothing of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from symbench.leaderboard.submission_problems import RULES
from symbench.leaderboard.submission_schema import COLUMNS, MAX_CSV_BYTES, MAX_JSON_BYTES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "submit.md").read_text()


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "submissions.yml").read_text())
    return loaded


def test_the_page_lists_every_rule(page: str) -> None:
    listed = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    assert {rule.strip(" `"): text.strip() for rule, text in listed} == dict(RULES)


def test_the_page_knows_columns_and_sizes(page: str) -> None:
    assert f"`{','.join(COLUMNS)}`" in page
    assert f"{MAX_CSV_BYTES:,} bytes" in page and f"metadata {MAX_JSON_BYTES:,}" in page


def test_the_check_of_pull_requests_runs_the_base_branch(workflow: dict[Any, Any]) -> None:
    (event,) = workflow[True]  # YAML reads `on` as a boolean
    assert event == "pull_request_target"
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "permissions" not in job
    (checkout,) = [step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout")]
    assert checkout["with"] == {"persist-credentials": False}  # no ref: the base


def test_nothing_of_a_pull_request_is_executed(workflow: dict[Any, Any]) -> None:
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    (data,) = [index for index, command in enumerate(commands) if "git fetch" in command]
    assert all(command.startswith("symbench ") and "\n" not in command for command in commands[data + 1 :])
    assert commands[0].endswith(" .") and commands[0].startswith("pip install") and data == 1
    assert "core.symlinks=false" in commands[data]
    taken = commands[data].split("--")[-1].split()
    assert all(word.startswith("leaderboards/") for word in taken if word != "\\")
    # What a stranger can choose, a title or the name of a branch, is never part of a command.
    assert not any("${{" in command for command in commands)


def test_the_template_asks_for_what_cannot_be_checked() -> None:
    text = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text()
    assert text.count("- [ ]") >= 5 and "docs/submit.md" in text
