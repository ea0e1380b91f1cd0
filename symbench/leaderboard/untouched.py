"""Whether the files that judge an agent stayed what they were while it played.

An agent's process has the rights of whoever starts it: it can write where they can, the installed package too. What was
imported before cannot change by that, but worker processes import later, and so does the next command. Content alone
would not tell of a file that is changed, imported and put back: so the time of its last change of any kind is compared
too, which no program can set back (Windows has none).
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import symbench
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Stamp = tuple[int | str, ...]

# Bytecode that another process is writing now: it has another name until it is whole, under which nobody imports it.
_UNFINISHED: Final = re.compile(r"\.pyc\.\d+$")
_PACKAGE: Final = Path(symbench.__file__).resolve().parent


class Untouched:
    """How the files are that judge: symbench, all other packages, Python itself, and further ones.

    Of symbench and of further files contents are compared, too. New bytecode of others is no change, since any program
    that imports them may write it; symbench's is written here, so that none is new.
    """

    def __init__(self, files: Sequence[Path] = ()) -> None:
        """Look at them now, a second's work.

        Args:
            files: Further ones, e.g. the submission and what is to be recorded in; they may be missing.
        """
        compileall.compile_dir(_PACKAGE, quiet=2)
        self._files = [file.resolve() for file in files]
        self._before = self._look()

    def changed(self) -> list[str]:
        """Paths of what is new, gone, or changed since, bytecode last."""
        now = self._look()
        paths = {path for path in now.keys() | self._before.keys() if now.get(path) != self._before.get(path)}
        found = [path for path in paths if path in self._before or not _is_others_bytecode(path)]
        return sorted(found, key=lambda path: (path.endswith(".pyc"), path))

    def check(self) -> None:
        """Ask that nothing has changed.

        Raises:
            SymbenchError: Something has.
        """
        if changed := self.changed():
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise SymbenchError(
                f"{changed[0]}{more} changed while the agent was playing, so nothing is verified: if you did not do "
                "that, its code did, and nothing of this installation can be trusted any more"
            )

    def _look(self) -> dict[str, Stamp]:
        return {
            **{path: _stamp(path) for folder in _folders() for path in _below(folder)},
            **{path: (*_stamp(path), _digest(path)) for path in _below(str(_PACKAGE))},
            **{str(file): (*_stamp(str(file)), _digest(str(file))) for file in self._files if file.is_file()},
        }


def _folders() -> list[str]:
    """Where everything comes from that is imported: no one of them within another."""
    known = sysconfig.get_paths()
    folders = {os.path.realpath(known[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [each for each in folders if not any(each != of and Path(each).is_relative_to(of) for of in folders)]


def _below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            elif not _UNFINISHED.search(entry.name):
                yield entry.path


def _stamp(path: str) -> Stamp:
    try:
        of = os.lstat(path)
    except OSError:  # it is gone since its folder was read
        return ()
    return of.st_ino, of.st_mode, of.st_size, of.st_mtime_ns, of.st_ctime_ns


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def _is_others_bytecode(path: str) -> bool:
    """Of another package, or of another Python."""
    ours = path.endswith(f".{sys.implementation.cache_tag}.pyc") and Path(path).is_relative_to(_PACKAGE)
    return path.endswith(".pyc") and Path(path).parent.name == "__pycache__" and not ours
