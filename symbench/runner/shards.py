"""Runs in parts: which cells belong to a part, and the parts put together again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.runner.manifest import Manifest, load_manifest
from symbench.runner.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.runner.cell import Cell
    from symbench.runner.store import Record


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of a run.

    Attributes:
        number: Which, from 1.
        count: How many there are.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that is written ``3/16``.

        Raises:
            SymbenchError: It is none.
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text.strip(), re.ASCII)
        number, count = map(int, found.groups()) if found else (0, 0)
        if not 1 <= number <= count:
            raise SymbenchError(f"a shard is a number from 1 and how many there are, e.g. 3/16; received {text!r}")
        return cls(number, count)

    def __str__(self) -> str:
        """For example ``3/16``."""
        return f"{self.number}/{self.count}"

    def of(self, cells: Sequence[Cell]) -> list[Cell]:
        """The cells of this part: every ``count``-th in the order of ids, so that each part has some of every task."""
        mine = {cell.id for cell in sorted(cells, key=lambda cell: cell.id)[self.number - 1 :: self.count]}
        return [cell for cell in cells if cell.id in mine]


def merge(out: Path, directories: Sequence[Path]) -> Manifest:
    """Put the cells of several run directories into one.

    Args:
        out: Where to; new, or a run directory that is added to.
        directories: What :func:`symbench.runner.run_suite` has written, e.g. for each shard.

    Returns:
        What the ``run.json`` of ``out`` holds now.

    Raises:
        SymbenchError: They are not of one suite, agent or number of episodes, a cell is damaged, or two hold
            different numbers of one cell. Nothing has been written then.
    """
    store = Store(out)
    store.prepare()
    with store.lock():
        stores = [*([store] if store.manifest.exists() else []), *map(Store, directories)]
        manifests = [load_manifest(there.directory) for there in stores]
        merged, holders = _merged(stores, manifests), _holders(stores, manifests)
        for id, holder in holders.items():
            merged.failed.pop(id, None)
            _copy(id, holder, store)
        merged.save(store)
    return merged


def _merged(stores: Sequence[Store], manifests: Sequence[Manifest]) -> Manifest:
    """One manifest, of all that the others say."""
    merged = manifests[0].model_copy(deep=True)
    for store, manifest in zip(stores[1:], manifests[1:], strict=True):
        _check_same(stores[0], merged, store, manifest)
        for name in ("tasks", "cells", "skipped", "redundant", "outside", "failed", "tensors"):
            getattr(merged, name).update(getattr(manifest, name))
    calls = [call for manifest in manifests for call in manifest.invocations]
    merged.invocations = sorted(calls, key=lambda call: call.started)
    return merged


def _check_same(first: Store, merged: Manifest, store: Store, manifest: Manifest) -> None:
    """Two parts are of one run: what both name is the same."""
    where = f"{store.directory} and {first.directory} cannot be merged"
    if manifest.suite.protocol != merged.suite.protocol:
        raise SymbenchError(f"{where}: one is of {manifest.suite.tag}, the other of another {merged.suite.tag}")
    for what, ours, theirs in (
        ("the facts of task", merged.tasks, manifest.tasks),
        ("another agent or number of episodes in", merged.cells, manifest.cells),
    ):
        if different := [name for name in theirs if ours.get(name, theirs[name]) != theirs[name]]:
            raise SymbenchError(f"{where}: they differ in {what} {different[0]}")


def _holders(stores: Sequence[Store], manifests: Sequence[Manifest]) -> dict[str, Store]:
    """Where each cell is; each has been read, and is the same wherever it is."""
    holders: dict[str, Store] = {}
    for store, manifest in zip(stores, manifests, strict=True):
        for record in store.each(manifest.cells):
            id = record.cell.id
            if (other := holders.setdefault(id, store)) is not store:
                _check_equal(record, other.read(other.path(id)), store, other)
    return holders


def _check_equal(ours: Record, theirs: Record, here: Store, there: Store) -> None:
    if ours.episodes.columns() != theirs.episodes.columns():
        raise SymbenchError(
            f"{here.directory} and {there.directory} hold different numbers of {ours.cell.id}; were they computed "
            "on different machines? keep one of the two"
        )


def _copy(id: str, source: Store, target: Store) -> None:
    """Copy the file of a cell, unless it is there."""
    if source is target:
        return
    path = target.path(id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, source.path(id).read_text(encoding="utf-8"))
    except OSError as error:
        raise SymbenchError(f"cannot write {path} ({error.strerror}); the same command goes on from there") from error
