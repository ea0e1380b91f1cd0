"""Whether the files that judge an agent stayed what they were while it played.

An agent's process has the rights of whoever starts it: it can write where they can, the installed package too. What was
imported before cannot change by that, but worker processes import later, and so does the next command. They import what
is installed, and what stands before it: a module in the folder of the program or the current one, in the user's own
packages, in a zip that was not there; and what starts them is a file too. Content alone would not tell of a file that
is changed, imported and put back, or made and removed again: so the time of its last change of any kind is compared
too, and that of its folder, which no program can set back (Windows has none).
"""

from __future__ import annotations

import compileall
import hashlib
import os
import re
import site
import sys
import sysconfig
from contextlib import contextmanager
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import TYPE_CHECKING, Final

import symbench
from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    Stamp = tuple[int | str, ...]

# Bytecode that another process is writing now: it has another name until it is whole, under which nobody imports it.
_UNFINISHED: Final = re.compile(r"\.pyc\.\d+$")
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_SUFFIXES: Final = tuple(all_suffixes())
_PACKAGE: Final = Path(symbench.__file__).resolve().parent


class Untouched:
    """How the files are that judge: symbench, all other packages, Python itself, and further ones.

    Of symbench and of further files contents are compared, too. New bytecode of others is no change, since any program
    that imports them may write it; symbench's is written here, so that none is new. Of other folders where modules are
    looked for only that is compared which could be imported in place of a module that is known.
    """

    def __init__(self, files: Sequence[Path] = ()) -> None:
        """Look at them now, a second's work.

        Args:
            files: Further ones, e.g. the submission and what is to be recorded in; they may be missing.
        """
        compileall.compile_dir(_PACKAGE, quiet=2)
        self._files = [file.resolve() for file in files]
        self._started = [*_interpreter(), *_loaded()]
        self._path = [os.path.realpath(folder) for folder in dict.fromkeys([str(Path.cwd()), *sys.path])]
        self._known = sys.stdlib_module_names | {name.partition(".")[0] for name in sys.modules}
        self._before = self._look()

    def changed(self) -> list[str]:
        """Paths of what is new, gone, or changed since, bytecode last; of a folder only where nothing else in it is."""
        now = self._look()
        paths = {path for path in now.keys() | self._before.keys() if now.get(path) != self._before.get(path)}
        paths -= {str(Path(path).parent) for path in paths}
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
            **{path: _stamp(path) for folder in self._path for path in _importable(folder, self._known)},
            **{path: _stamp(path) for path in self._started},
            **{path: _stamp(path) for folder in _folders() for path in _below(folder)},
            **{path: (*_stamp(path), _digest(path)) for path in _below(str(_PACKAGE))},
            **{str(file): (*_stamp(str(file)), _digest(str(file))) for file in self._files if file.is_file()},
        }


@contextmanager
def asked_to_stay(files: Sequence[Path]) -> Iterator[None]:
    """Ask that all these files are at the end what they were at the beginning.

    No bytecode is written meanwhile, here and in processes that begin: the first in a folder would change that.

    Args:
        files: As of :class:`Untouched`.

    Raises:
        SymbenchError: As of :meth:`Untouched.check`; not if the block raises something itself.
    """
    before, sys.dont_write_bytecode = (sys.dont_write_bytecode, os.environ.get(_NO_BYTECODE)), True
    os.environ[_NO_BYTECODE] = "1"
    try:
        untouched = Untouched(files)
        yield
        untouched.check()
    finally:
        sys.dont_write_bytecode = before[0]
        os.environ.pop(_NO_BYTECODE)
        os.environ.update({} if before[1] is None else {_NO_BYTECODE: before[1]})


def _folders() -> list[str]:
    """What is installed, programs and the user's own packages among it: no one of them within another."""
    known = sysconfig.get_paths()
    of_python = [known[name] for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")]
    folders = {os.path.realpath(folder) for folder in (*of_python, site.getusersitepackages())}
    return [each for each in folders if not any(each != of and Path(each).is_relative_to(of) for of in folders)]


def _interpreter() -> list[str]:
    """What starts another process of this one, and says where that looks for modules."""
    program = Path(sys.executable)
    settings = [folder / "pyvenv.cfg" for folder in (program.parent, program.parent.parent)]
    libraries = Path(sys.base_exec_prefix, "lib").glob("libpython*")
    return [str(file) for file in (program, program.resolve(), *settings, *libraries)]


def _loaded() -> list[str]:
    """The files of all modules, wherever they are."""
    return [file for module in list(sys.modules.values()) if isinstance(file := getattr(module, "__file__", None), str)]


def _importable(folder: str, known: Container[str]) -> Iterator[str]:
    """A folder, or what else stands on the path, the modules in it, and the folders there with names of modules."""
    yield folder
    for entry in _entries(folder):
        if entry.name.endswith(_SUFFIXES) or (entry.name in known and entry.is_dir()):
            yield entry.path


def _below(folder: str) -> Iterator[str]:
    """Files and folders, those of bytecode apart, and the folder itself."""
    yield folder
    for entry in _entries(folder):
        if not entry.is_dir(follow_symlinks=False):
            yield from () if _UNFINISHED.search(entry.name) else (entry.path,)
        elif entry.name == "__pycache__":
            yield from list(_below(entry.path))[1:]
        else:
            yield from _below(entry.path)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # there is no such folder, yet
        return []


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
