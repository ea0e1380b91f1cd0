"""One file per cell: whole or absent, and damage is noticed."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from filelock import Timeout

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.runner import Cell, CorruptCell, Record, Store, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def record(cell: Callable[..., Cell]) -> Record:
    asked = cell(task="CartPoleSwingUp", apply=({"wrapper": "ShuffleSensors", "resample": 10},))
    return Record(asked, (("environment", "x"),), evaluate(asked), {"input change": 0.25}, {"cpu": "a processor"})


@pytest.fixture
def store(tmp_path: Path, record: Record) -> Store:
    store = Store(tmp_path / "run")
    store.prepare()
    store.write(record)
    return store


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_read_is_what_was_written_bit_for_bit(store: Store, record: Record) -> None:
    again = store.read(store.path(record.cell.id))
    assert again.cell == record.cell
    assert again.pipeline == record.pipeline
    assert (again.measures, again.machine) == ({"input change": 0.25}, {"cpu": "a processor"})
    assert again.episodes.columns() == record.episodes.columns()


def test_the_path_reads_like_the_id(store: Store, record: Record) -> None:
    path = store.path(record.cell.id)
    assert path.relative_to(store.directory).as_posix() == "cells/CartPoleSwingUp/p/l/random/s0.json"
    assert store.records({record.cell.id: record.cell.spec_hash})[0].cell == record.cell


def test_only_what_is_asked_for_is_read(store: Store, record: Record) -> None:
    (store.directory / "cells" / "notes.json").write_text("[1, 2")
    assert store.records({}) == []
    assert store.records({record.cell.id: "another hash"}) == []
    assert len(store.records({record.cell.id: record.cell.spec_hash, "tiny@3/a/b/c/d/s0": "absent"})) == 1


def test_equal_records_give_equal_bytes(store: Store, record: Record) -> None:
    before = store.path(record.cell.id).read_bytes()
    store.write(record)
    assert store.path(record.cell.id).read_bytes() == before


def test_a_cell_is_held_if_everything_about_it_is_the_same(store: Store, record: Record) -> None:
    assert store.holds(record.cell)
    assert not store.holds(record.cell.model_copy(update={"level": "other"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"episodes": 50}, r"episodes 5, asked 50\); give another --out, or --no-resume"),
        ({"seed": 1}, "seed 100, asked 1"),
        ({"episodes": 50, "seed": 1}, r"\(episodes 5, asked 50, seed 100, asked 1\)"),
    ],
)
def test_another_result_in_its_place_is_never_overwritten_silently(
    store: Store, record: Record, change: dict[str, object], message: str
) -> None:
    with pytest.raises(SymbenchError, match=message):
        store.holds(record.cell.model_copy(update=change))


def test_what_is_to_be_replaced_counts_as_absent(store: Store, record: Record) -> None:
    assert store.holds(record.cell, replacing=True)
    assert not store.holds(record.cell.model_copy(update={"episodes": 50}), replacing=True)


def test_an_agent_that_was_another_file_is_named(store: Store, record: Record) -> None:
    source = record.cell.source.model_copy(update={"digest": "another"})
    with pytest.raises(SymbenchError, match=r"\(agent 'random' was another file\); give another --out"):
        store.holds(record.cell.model_copy(update={"source": source}))


def test_what_cannot_make_room_is_named(store: Store, record: Record) -> None:
    path = store.path(record.cell.id)
    store.make_room([record.cell])
    assert store.holds(record.cell)  # a file needs no room
    path.unlink()
    path.mkdir()
    path.with_suffix(".old").mkdir()
    (path.with_suffix(".old") / "kept").touch()
    with pytest.raises(SymbenchError, match=r"s0\.json cannot be written \(.*\); remove what is there or give another"):
        store.make_room([record.cell])


def test_a_file_system_without_locks_keeps_nothing_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def lock(_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("filelock.FileLock.acquire", lock)
    with store.lock():
        pass


@pytest.mark.parametrize("error", [Timeout("x"), PermissionError()])
def test_a_lock_that_is_taken_is_one_line(store: Store, monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def lock(_: Any) -> None:
        raise error

    monkeypatch.setattr("filelock.FileLock.acquire", lock)
    with pytest.raises(SymbenchError, match="another symbench run is writing into"), store.lock():
        pass


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_others_may_read_what_was_written(store: Store, record: Record) -> None:
    assert store.path(record.cell.id).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "\x00\x01",
        lambda text: json.dumps({"hello": 1}),
        lambda text: text.replace('"seed": 100', '"seed": 101'),
        lambda text: text.replace('"symbench.cell/1"', '"symbench.cell/9"'),
    ],
    ids=["half", "empty", "list", "binary", "foreign", "edited", "other format"],
)
def test_damage_is_noticed_and_the_cell_counts_as_absent(
    store: Store, record: Record, damage: Callable[[str], str]
) -> None:
    path = store.path(record.cell.id)
    path.write_text(damage(path.read_text()))
    with pytest.raises(CorruptCell, match=r"s0\.json .*run again"):
        store.records({record.cell.id: record.cell.spec_hash})
    assert not store.holds(record.cell)


def test_a_full_disk_is_one_clear_line_and_leaves_the_old_file_whole(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.path(record.cell.id)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(SymbenchError, match=r"No space left on device.*kept, and the same.*, without --no-resume"):
        store.write(record)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["s0.json"]


def test_a_place_that_cannot_be_written_is_known_before_anything_is_evaluated(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SymbenchError, match=r"cannot write into .*file.*give another --out"):
        Store(tmp_path / "file").prepare()
    with pytest.raises(SymbenchError, match="cannot write into"):
        Store(tmp_path / "file" / "below").prepare()


def test_a_reader_never_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever interrupts a write, also Ctrl-C, the name is only given to a complete file."""
    path = tmp_path / "file"
    write_atomically(path, "old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
