"""A repository with a leaderboard, an honest pull request to it, and the means to make dishonest ones."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from maintainer_keys import allow, entry_of, make_key
from submission_cases import Files, metadata, table

from symbench.leaderboard.board import write_tables
from symbench.leaderboard.in_toto import write_bundle
from symbench.leaderboard.pull_request import check_pull_request
from symbench.leaderboard.signatures import sign_recorded
from symbench.leaderboard.site import write_site
from symbench.leaderboard.validate import read_submission
from symbench.leaderboard.verified import read_verified, write_verified

_WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
_ENVIRONMENT = {**os.environ, **_WHO, **{key.replace("AUTHOR", "COMMITTER"): value for key, value in _WHO.items()}}


@dataclass
class Repository:
    """A checkout of the pull request's branch ``head``; ``base`` is what it would be merged into."""

    root: Path

    @property
    def board(self) -> Path:
        return self.root / "leaderboards"

    def git(self, *arguments: str, typed: str | bytes = "") -> str:
        """What git prints."""
        content = typed.encode() if isinstance(typed, str) else typed
        settings = ("-c", "core.autocrlf=false", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")
        command = ["git", "-C", str(self.root), *settings, *arguments]
        done = subprocess.run(command, input=content, capture_output=True, env=_ENVIRONMENT)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def commit(self) -> None:
        """Everything in the checkout."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")

    def make(self) -> None:
        """Tables, statements and site, as ``symbench leaderboard`` does."""
        boards = write_tables(self.board)
        write_bundle(self.board, boards)
        write_site(boards, self.board / "site")

    def put(self, path: str, content: str | bytes = "x", mode: str = "100644") -> None:
        """A file of the next commit, whatever its name and mode, past the file system; :meth:`seal` commits it."""
        blob = self.git("hash-object", "-w", "--stdin", typed=content)
        entry = f"{mode} {blob}\t{path}\0".encode("utf-8", "surrogateescape")
        self.git("update-index", "--add", "-z", "--index-info", typed=entry)

    def drop(self, path: str) -> None:
        """A file that the next commit removes."""
        self.git("update-index", "--force-remove", path)

    def seal(self) -> None:
        """A commit of what :meth:`put` and :meth:`drop` did."""
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")

    def problems(self) -> list[str]:
        return check_pull_request("base", "head", self.root)


def submit(folder: Path, name: str, seed: int = 0) -> None:
    card = metadata(name)
    Files(card, table(card, seed), name).write(folder / "submissions")


def found(root: Path) -> Repository:
    """The base: two submissions, one of them verified, and something that is no leaderboard."""
    made = Repository(root / "repository")
    made.root.mkdir(parents=True)
    made.git("init", "--quiet", "--initial-branch", "base")
    (made.root / "README.md").write_text("a project\n")
    for seed, name in enumerate(("first", "second")):
        submit(made.board, name, seed)
    (made.board / ".gitattributes").write_text("submissions/** -text\n")
    key = make_key(root / "keys")
    allow(made.board / "allowed_signers", key)
    _verify(made, "first", key)
    made.make()
    made.commit()
    return made


def open_honest(made: Repository) -> None:
    """A new submission, and everything made again."""
    made.git("checkout", "--quiet", "-B", "head", "base")
    submit(made.board, "mine", 7)
    made.make()
    made.commit()


def _verify(of: Repository, name: str, key: Path) -> None:
    submission = read_submission(of.board / "submissions" / f"{name}.csv")
    file = of.board / "verified.json"
    write_verified(file, {**read_verified(file), name: entry_of(submission)})
    sign_recorded(file, name, key)
