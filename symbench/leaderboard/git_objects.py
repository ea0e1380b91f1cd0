"""Reads commits, trees and blobs of a git repository without checking anything out."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from pathlib import Path

REGULAR: Final = "100644"
"""Mode of a file that is neither a link (120000), nor a submodule (160000), nor executable (100755)."""

_NOWHERE: Final = {"", ".", "..", ".git"}  # names in a tree that no git gives, and that lead out of it or into its own
_SECONDS: Final = 120


@dataclass(frozen=True)
class File:
    """A file in a commit.

    Attributes:
        mode: As git writes it, e.g. ``"100644"``.
        blob: Its object.
    """

    mode: str
    blob: str


@dataclass(frozen=True)
class Change:
    """A file that differs between two commits.

    Attributes:
        path: From the root of the repository. Bytes that are no UTF-8 are surrogates.
        old: The file before; ``None`` if it is new.
        new: The file after; ``None`` if it is removed.
    """

    path: str
    old: File | None
    new: File | None


class GitObjects:
    """The objects of a repository, read with git's plumbing, which obeys no attributes, filters, hooks or grafts."""

    def __init__(self, repository: Path) -> None:
        """Take any checkout, or a bare repository."""
        self._command = ["git", "--no-replace-objects", "-C", str(repository)]

    def commit(self, name: str) -> str:
        """The full id of a commit.

        Raises:
            SymbenchError: There is none of this name.
        """
        if name.startswith("-"):
            raise SymbenchError(f"the name of a commit is expected, received {name!r}")
        return self._text("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").strip()

    def merge_bases(self, one: str, other: str) -> list[str]:
        """All best common ancestors of two commits."""
        return self._text("merge-base", "--all", one, other, fine=(0, 1)).split()

    def tree(self, commit: str, folder: str) -> str:
        """The id of a folder's tree, which is the same if everything below is; empty if there is none."""
        listed = self._text("ls-tree", "-z", "--full-tree", commit, "--", folder)
        found = re.match(r"040000 tree ([0-9a-f]+)\t", listed)
        return found[1] if found else ""

    def files(self, commit: str, folder: str) -> dict[str, File]:
        """Path -> file, of everything below a folder.

        Raises:
            SymbenchError: A path is there twice or leads elsewhere, which no git makes.
        """
        files: dict[str, File] = {}
        for line in self._text("ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{folder}/").split("\0")[:-1]:
            facts, path = line.split("\t", 1)
            mode, _, blob = facts.split()
            if path in files or not _NOWHERE.isdisjoint(path.lower().split("/")):
                fault = "is twice" if path in files else "leads elsewhere"
                raise SymbenchError(f"{path!a} {fault} in the tree of {commit}: this is no tree that git made")
            files[path] = File(mode, blob)
        return files

    def changes(self, old: str, new: str, folder: str) -> list[Change]:
        """Files below a folder, or in its place, that two commits do not have in common, in the order of paths."""
        before, after = self.files(old, folder), self.files(new, folder)
        different = sorted(path for path in {**before, **after} if before.get(path) != after.get(path))
        return [Change(path, before.get(path), after.get(path)) for path in different]

    def changed_paths(self, old: str, new: str) -> list[str]:
        """Paths of all files that differ; a folder that becomes a file counts as both."""
        listed = self._text("diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new)
        return listed.split("\0")[:-1]

    def size(self, file: File) -> int:
        """Bytes of a file; 0 of what is no blob, e.g. a submodule."""
        found = self._text("cat-file", "--batch-check=%(objecttype) %(objectsize)", typed=f"{file.blob}\n").split()
        return int(found[1]) if found[:1] == ["blob"] else 0

    def content(self, file: File, limit: int) -> bytes:
        """The bytes of a file as they are stored.

        Raises:
            SymbenchError: It is larger than the limit.
        """
        if self.size(file) > limit:
            raise SymbenchError(f"the object {file.blob} is larger than {limit:,} bytes")
        return self._bytes("cat-file", "blob", file.blob)

    def _text(self, *arguments: str, typed: str = "", fine: tuple[int, ...] = (0,)) -> str:
        return self._bytes(*arguments, typed=typed, fine=fine).decode("utf-8", "surrogateescape")

    def _bytes(self, *arguments: str, typed: str = "", fine: tuple[int, ...] = (0,)) -> bytes:
        # Within a hook, git's variables point at another repository.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        try:
            done = subprocess.run(
                [*self._command, *arguments],
                input=typed.encode(),
                capture_output=True,
                timeout=_SECONDS,
                env={**kept, "LC_ALL": "C"},
            )
        except FileNotFoundError as error:
            raise SymbenchError("pull requests are read with git, which is not on the PATH: install git") from error
        except subprocess.TimeoutExpired as error:
            raise SymbenchError(f"git {arguments[0]} has not ended within {_SECONDS} s") from error
        if done.returncode not in fine:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[:200]
            raise SymbenchError(f"git {arguments[0]} has failed ({said})")
        return bytes(done.stdout)
