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
    (job,) = workflow["jobs"].values()
    assert workflow["permissions"] == {} and job["permissions"] == {"contents": "read"}
    assert job["timeout-minutes"] <= 15
    (checkout,) = [step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout")]
    assert checkout["with"] == {"persist-credentials": False, "fetch-depth": 0}  # no ref: the base


def test_nothing_of_a_pull_request_is_executed(workflow: dict[Any, Any]) -> None:
    (job,) = workflow["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    install, fetch, check = commands
    assert install.startswith("pip install") and install.endswith('".[site]"'), "before anything of theirs is here"
    assert "git -c transfer.fsckObjects=true fetch " in fetch and "--no-recurse-submodules" in fetch
    assert not any(word in fetch for word in ("checkout", "reset", "pull ", "merge", ";", "&&", "|"))
    assert check == 'symbench check-pull-request HEAD "$HEAD"'
    # What a stranger can choose, a title or the name of a branch, is never part of a command; a commit's id is hex.
    assert not any("${{" in command for command in commands)
    expressions = {value for step in job["steps"] for value in step.get("env", {}).values()}
    assert expressions == {"${{ github.event.pull_request.head.sha }}"}


def test_the_template_asks_for_what_cannot_be_checked() -> None:
    text = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text()
    assert text.count("- [ ]") >= 5 and "docs/submit.md" in text
