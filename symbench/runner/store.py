"""Keeps what was computed: one file per cell, each written whole or not at all.

A run directory looks like this::

    runs/shuffle/
      run.json                                        what was run, with which versions, on which machine
      cells/CartPole-v1/none/in-order/mlp/s0.json     the episodes of one cell
      leaderboard.csv  leaderboard.md  episodes.csv   tables, derived from the cells at any time
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from pydantic import FiniteFloat, TypeAdapter

from symbench.errors import SymbenchError, one_line
from symbench.files import write_atomically
from symbench.runner.cell import Cell, digest_of
from symbench.runner.cell_id import CellId
from symbench.runner.evaluate import Episodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FORMAT = "symbench.cell/1"

# What reading a file of JSON can raise that holds anything at all: no JSON, too deep, numbers too long, other types.
DAMAGE = (ValueError, RecursionError, OverflowError, KeyError, TypeError, AttributeError)

_PIPELINE = TypeAdapter(tuple[tuple[str, str], ...])
_MEASURES = TypeAdapter(dict[str, FiniteFloat])
_MACHINE = TypeAdapter(dict[str, Any])


class CorruptCell(SymbenchError):
    """A cell's file is damaged: cut short, edited, or not a cell at all."""


@dataclass(frozen=True)
class Record:
    """A cell that has been evaluated.

    Attributes:
        cell: What was asked.
        pipeline: The steps from environment to agent as (role, what) pairs, for ``symbench describe``.
        episodes: What came out.
        measures: What else was measured, by name; see :mod:`symbench.runner.measures`.
        machine: What it was computed with; see :func:`symbench.runner.provenance.machine`. Empty in old files.
    """

    cell: Cell
    pipeline: tuple[tuple[str, str], ...]
    episodes: Episodes
    measures: dict[str, float] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)


class Store:
    """The cells of one run directory."""

    def __init__(self, directory: Path) -> None:
        """Refer to a run directory, which need not exist yet."""
        self.directory = directory

    @property
    def manifest(self) -> Path:
        """The file that describes the run."""
        return self.directory / "run.json"

    def prepare(self) -> None:
        """Create the directory and make sure that files can be written there.

        Raises:
            SymbenchError: They cannot; better known before hours of evaluation than after.
        """
        try:
            (self.directory / "cells").mkdir(parents=True, exist_ok=True)
            write_atomically(self.directory / ".writable", "")
            (self.directory / ".writable").unlink(missing_ok=True)
        except OSError as error:
            raise SymbenchError(
                f"cannot write into {str(self.directory)!r} ({error.strerror}); give another --out"
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing into the directory; the system frees the lock when a process ends.

        Raises:
            SymbenchError: Another process holds it.
        """
        lock = FileLock(self.directory / ".lock", timeout=0)
        with suppress(OSError, NotImplementedError):  # a file system without locks: nothing can be kept out
            try:
                lock.acquire()
            except (Timeout, PermissionError) as error:
                raise SymbenchError(
                    f"another symbench run is writing into {str(self.directory)!r}; wait for it or give another --out"
                ) from error
        try:
            yield
        finally:
            lock.release()

    def path(self, cell_id: str) -> Path:
        """The file of a cell; its name is the cell's id without the suite."""
        return self.directory / "cells" / CellId.parse(cell_id).path

    def make_room(self, cells: Iterable[Cell]) -> None:
        """Make sure that the files of these cells can be written. A directory that lies in their place is renamed.

        Raises:
            SymbenchError: They cannot.
        """
        for path in (self.path(cell.id) for cell in cells):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_dir():
                    path.rename(path.with_suffix(".old"))
            except OSError as error:
                raise SymbenchError(
                    f"{path} cannot be written ({error.strerror}); remove what is there or give another --out"
                ) from error

    def holds(self, cell: Cell, replacing: bool = False) -> bool:
        """Whether exactly this cell is there, whole.

        Damaged files count as absent: the cell is evaluated again and the file replaced.

        Args:
            cell: Which.
            replacing: Whether a file with other numbers counts as absent, too.

        Raises:
            SymbenchError: The file holds other numbers (another agent, another number of episodes, another suite).
        """
        path = self.path(cell.id)
        try:
            stored = self.read(path).cell
        except (FileNotFoundError, CorruptCell):
            return False
        if stored.spec_hash != cell.spec_hash and not replacing:
            raise SymbenchError(f"{path} holds another result ({_difference(stored, cell)}); {_WAY_OUT}")
        return stored.spec_hash == cell.spec_hash

    def read(self, path: Path) -> Record:
        """Read the file of a cell.

        Raises:
            FileNotFoundError: There is no such file.
            CorruptCell: The file is damaged.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            checksum = data.pop("checksum")
            if data["format"] != FORMAT or checksum != digest_of(data):
                raise CorruptCell(f"{path} was changed after it was written; delete it and run again")
            cell, episodes = Cell.model_validate(data["cell"]), Episodes.from_columns(data["episodes"], data)
            if (data["id"], data["spec_hash"]) != (cell.id, cell.spec_hash):
                raise CorruptCell(f"{path} was made by other rules of evaluation; delete it and run again")
            _check_seeds(cell, data["episodes"]["seed"])
            pipeline, measures = _PIPELINE.validate_python(data["pipeline"]), data.get("measures", {})
            machine = _MACHINE.validate_python(data.get("machine", {}))
            return Record(cell, pipeline, episodes, _MEASURES.validate_python(measures), machine)
        except (FileNotFoundError, CorruptCell):
            raise
        except OSError as error:
            raise CorruptCell(f"{path} cannot be read ({error.strerror}); delete it and run again") from error
        except DAMAGE as error:
            raise CorruptCell(
                f"{path} is not the file of a cell ({one_line(error)}); delete it and run again"
            ) from error

    def write(self, record: Record) -> None:
        """Write a cell's file, whole or not at all. Equal records give equal bytes.

        Raises:
            SymbenchError: The disk is full or the directory cannot be written; the cells written so far stay.
        """
        data: dict[str, Any] = {
            "format": FORMAT,
            "id": record.cell.id,
            "spec_hash": record.cell.spec_hash,
            "cell": record.cell.model_dump(mode="json"),
            "pipeline": record.pipeline,
            "episodes": record.episodes.columns(),
            **({"measures": record.measures} if record.measures else {}),
            **record.episodes.noticed(),
            **({"machine": record.machine} if record.machine else {}),
        }
        text = json.dumps(data | {"checksum": digest_of(data)}, allow_nan=False)
        path = self.path(record.cell.id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as error:
            raise SymbenchError(
                f"cannot write {path} ({error.strerror}); the cells written so far are kept, and the same command "
                "goes on from there, without --no-resume"
            ) from error

    def each(self, cells: Mapping[str, str]) -> Iterator[Record]:
        """The same as :meth:`records`, one after the other: a million do not fit into memory."""
        for path in map(self.path, cells):
            if path.exists() and cells.get((record := self.read(path)).cell.id) == record.cell.spec_hash:
                yield record

    def records(self, cells: Mapping[str, str]) -> list[Record]:
        """The cells that have been evaluated, among those asked for; other files are not looked at.

        Args:
            cells: Cell id -> spec hash. A file with another hash is left out: it belongs to another plan.

        Raises:
            CorruptCell: One of them is damaged.
        """
        return list(self.each(cells))


def _check_seeds(cell: Cell, seeds: list[int]) -> None:
    """Make sure that these are the episodes that the cell asks for; ValueError if they are not."""
    if not 0 < len(seeds) == cell.episodes:
        raise ValueError(f"episodes: {cell.episodes} are expected, received {len(seeds)}")
    if seeds != list(range(cell.seed, cell.seed + cell.episodes)):
        raise ValueError(f"episodes.seed: {cell.seed} and the following are expected")


_WAY_OUT = "give another --out, or --no-resume to compute it again"


def _difference(stored: Cell, asked: Cell) -> str:
    """What distinguishes two cells of the same id, in words."""
    old, new = stored.model_dump(mode="json"), asked.model_dump(mode="json")
    changed = [key for key in {**new, **old} if new.get(key) != old.get(key)]
    said = {
        "source": f"agent {asked.agent!r} was another file",
        "code": f"the code of environment {asked.task!r} has changed since",
    }
    return ", ".join(said.get(key, f"{key} {old.get(key)!r}, asked {new.get(key)!r}") for key in changed)
