"""Attacks by pull request: each changes what is not its own, and each must fail with a line that says so."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from maintainer_keys import NEEDS_SSH
from pull_request_attacks import ATTACKS, L
from pull_requests import Repository, found, open_honest, submit
from submission_cases import SUITE
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.leaderboard.pull_request import check_pull_request

pytestmark = [NEEDS_SSH, pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    root = tmp_path_factory.mktemp("honest")
    (root / "suites").mkdir()
    (root / "suites" / "tiny.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbench.suites.loader._BUNDLED", root / "suites")
        made = found(root)
        open_honest(made)
        yield made


@pytest.fixture
def repository(honest: Repository, tmp_path: Path) -> Repository:
    """A copy of its own; what it holds at first is honest."""
    shutil.copytree(honest.root, tmp_path / "repository", symlinks=True)
    return Repository(tmp_path / "repository")


def test_an_honest_submission_passes(repository: Repository) -> None:
    assert repository.problems() == []
    verified = (repository.board / "LEADERBOARD.md").read_text().partition("### Verified")[2]
    assert verified.index("first") < verified.index("### Not verified") < verified.index("mine")
    command = ["check-pull-request", "base", "head", "--repository", str(repository.root)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0 and "changes nothing else" in result.output


def test_several_honest_submissions_pass_and_so_do_branches_with_merges(repository: Repository) -> None:
    submit(repository.board, "another", 9)
    repository.make()
    repository.commit()
    repository.git("checkout", "--quiet", "base")
    (repository.root / "README.md").write_text("a better project\n")
    repository.commit()
    assert repository.problems() == [], "the base has gone on elsewhere"
    repository.git("checkout", "--quiet", "head")
    repository.git("merge", "--quiet", "--no-edit", "base")
    assert repository.problems() == [], "and was merged"


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_fails(repository: Repository, name: str) -> None:
    attack, line = ATTACKS[name]
    attack(repository)
    repository.seal()
    problems = repository.problems()
    assert any(re.search(line, problem) for problem in problems), problems
    assert all("\n" not in problem and problem.isprintable() for problem in problems)


def test_the_command_fails_and_says_how_many(repository: Repository) -> None:
    repository.put(f"{L}/site/CNAME", "evil.example.org")
    repository.put("setup.py", "x")
    repository.seal()
    result = CliRunner().invoke(app, ["check-pull-request", "base", "head", "--repository", str(repository.root)])
    assert result.exit_code == 1 and len(result.stdout.splitlines()) == 2
    assert result.stderr == "error: 2 problems; docs/submit.md says what a submission may change\n"


def test_a_submodule_is_no_file(repository: Repository) -> None:
    commit = repository.git("rev-parse", "base")
    for path in (f"{L}/site/module", f"{L}/submissions/module.csv"):
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
    repository.seal()
    assert len([problem for problem in repository.problems() if "received mode 160000" in problem]) == 2


def test_the_base_is_where_the_branch_began(repository: Repository) -> None:
    """What was merged since must be in the tables, and an old base must not bring back what was removed."""
    repository.git("checkout", "--quiet", "base")
    submit(repository.board, "third", 3)
    repository.make()
    repository.commit()
    (problem,) = repository.problems()
    assert "the leaderboard of the base branch has changed since this branch began" in problem
    repository.git("checkout", "--quiet", "head")
    repository.git("merge", "--quiet", "--strategy", "ours", "--no-edit", "base")
    problems = repository.problems()
    assert any("third.csv" in problem and "is removed" in problem for problem in problems), "it only says it merged"
    repository.git("checkout", "--quiet", "base", "--", f"{L}/submissions")
    repository.make()
    repository.commit()
    assert repository.problems() == []


def test_a_branch_without_common_history_fails(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "stranger")
    repository.commit()
    (problem,) = check_pull_request("base", "stranger", repository.root)
    assert "0 common ancestors" in problem


def test_nothing_is_no_submission(repository: Repository) -> None:
    assert check_pull_request("base", "base", repository.root) == ["leaderboards/: nothing is changed"]


def test_a_tree_that_git_would_not_make_is_refused(repository: Repository) -> None:
    """The same name twice: one for who checks, another for who checks out."""
    tree = f"head:{L}/submissions"
    blob = repository.git("hash-object", "-w", "--stdin", typed="other")
    entries = repository.git("ls-tree", tree).splitlines()
    twice = "\n".join([*entries, f"100644 blob {blob}\tmine.csv"]) + "\n"
    submissions = repository.git("mktree", typed=twice)
    room = replaced(repository, f"head:{L}", "submissions", submissions)
    root = replaced(repository, "head:", L, room)
    commit = repository.git("commit-tree", root, "-p", "head", "-m", "x")
    with pytest.raises(SymbenchError, match="twice in the tree"):
        check_pull_request("base", commit, repository.root)


@pytest.mark.parametrize("inside", ["site/submissions", "submissions", "site/static"])
def test_no_file_of_the_head_is_written_elsewhere(repository: Repository, tmp_path: Path, inside: str) -> None:
    """A tree can hold ``..``, which git refuses to check out but not to fetch."""
    blob = repository.git("hash-object", "-w", "--stdin", typed="{}")
    tree = repository.git("mktree", typed=f"100644 blob {blob}\tsettings.json\n")
    for part in reversed([*[".."] * 12, *tmp_path.parts[1:]]):
        tree = repository.git("mktree", typed=f"040000 tree {tree}\t{part}\n")
    *folders, last = [L, *inside.split("/")]
    for depth in range(len(folders), 0, -1):
        tree, last = replaced(repository, f"head:{'/'.join(folders[:depth])}", last, tree), folders[depth - 1]
    commit = repository.git("commit-tree", replaced(repository, "head:", last, tree), "-p", "head", "-m", "x")
    with pytest.raises(SymbenchError, match=r"settings\.json' leads elsewhere"):
        check_pull_request("base", commit, repository.root)
    assert not (tmp_path / "settings.json").exists()


def replaced(repository: Repository, tree: str, name: str, by: str) -> str:
    lines = repository.git("ls-tree", tree).splitlines()
    kept = [line for line in lines if not line.endswith(f"\t{name}")]
    return repository.git("mktree", typed="\n".join([*kept, f"040000 tree {by}\t{name}"]) + "\n")


def test_nothing_of_the_head_is_checked_out_or_run(repository: Repository, tmp_path: Path) -> None:
    """Hooks, filters and attributes that a checkout would obey."""
    ran = tmp_path / "ran"
    hook = repository.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    repository.git("config", "filter.x.smudge", f"touch {ran}")
    repository.git("config", "diff.x.textconv", f"touch {ran}")
    repository.put(f"{L}/site/.gitattributes", "* filter=x diff=x")
    repository.seal()
    before = sorted(path for path in repository.root.rglob("*") if ".git" not in path.parts)
    assert repository.problems() != []
    assert not ran.exists()
    assert sorted(path for path in repository.root.rglob("*") if ".git" not in path.parts) == before


@pytest.mark.parametrize("name", ["nowhere", "--output=/tmp/x", "", "head:README.md"])
def test_commits_that_are_none_end_in_one_line(repository: Repository, name: str) -> None:
    with pytest.raises(SymbenchError):
        check_pull_request("base", name, repository.root)


def test_what_is_replaced_locally_is_not_believed(repository: Repository) -> None:
    """``git replace`` shows other objects than those that would be merged."""
    repository.put(f"{L}/site/CNAME", "evil.example.org")
    repository.seal()
    repository.git("replace", repository.git("rev-parse", "head"), repository.git("rev-parse", "head~1"))
    assert any("CNAME" in problem for problem in repository.problems())
