"""Whatever is in the file of a cell or in run.json: it is right, or it is damaged, and the message says what to do."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.leaderboard import write_report
from symbench.runner import Cell, CorruptCell, Manifest, Record, Store, evaluate, load_manifest, run
from symbench.runner.cell import digest_of
from symbench.suites import Suite

TASK = "CartPole-v1"


@pytest.fixture
def record(cell: Callable[..., Cell]) -> Record:
    asked = cell()
    return Record(asked, (("environment", "x"),), evaluate(asked), {"policy_error": 0.5})


@pytest.fixture
def store(tmp_path: Path, record: Record) -> Store:
    store = Store(tmp_path / "run")
    store.prepare()
    store.write(record)
    return store


@pytest.fixture
def path(store: Store, record: Record) -> Path:
    return store.path(record.cell.id)


def seal(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what a file says and give it the checksum that it would have had: damage that no checksum shows."""
    data = json.loads(path.read_text())
    del data["checksum"]
    change(data)
    path.write_text(json.dumps(data | {"checksum": digest_of(data)}))


def is_damaged(store: Store, record: Record, message: str) -> bool:
    asked = {record.cell.id: record.cell.spec_hash}
    with pytest.raises(CorruptCell, match=message) as caught:
        store.records(asked)
    assert len(str(caught.value)) < 2000 and "\n" not in str(caught.value)
    assert "delete it and run again" in str(caught.value)
    return not store.holds(record.cell)


DEEP = "[" * 100_000
LONG = "1" * 5000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"checksum": "", "format": "symbench.cell/1", "id": NaN}', "not JSON compliant|not the file of a cell"),
        (b'{"checksum": "", "format": "symbench.cell/1", "id": Infinity}', "not JSON compliant|not the file of a cell"),
        (DEEP.encode(), "recursion"),
        (LONG.encode(), "digit"),
        (b'{"format": ' + LONG.encode() + b"}", "digit"),
        (b"\xff\xfe\x00", "not the file of a cell"),
        (b'"checksum"', "not the file of a cell"),
        (b"7", "not the file of a cell"),
        (b"null", "not the file of a cell"),
        (b"", "not the file of a cell"),
    ],
    ids=["NaN", "Infinity", "deep", "long", "long inside", "no UTF-8", "text", "number", "null", "empty"],
)
def test_a_file_that_is_anything_else_is_damaged(
    store: Store, record: Record, path: Path, content: bytes, message: str
) -> None:
    path.write_bytes(content)
    assert is_damaged(store, record, message)


def column(name: str, values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["episodes"].update({name: values})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (column("seed", [100, 101, 102, 103, 104.0]), "episodes.seed: a list of int is expected"),
        (column("seed", ["100", "101", "102", "103", "104"]), "episodes.seed: a list of int is expected"),
        (column("seed", [101, 102, 103, 104, 105]), "episodes.seed: 100 and the following are expected"),
        (column("seed", [100, 101, 103, 102, 104]), "episodes.seed: 100 and the following are expected"),
        (column("seed", 5), "episodes.seed: a list of int is expected"),
        (column("return", [1.0, 2.0, 3.0, 4.0]), "episodes.return: 5 values are expected, received 4"),
        (column("return", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), "episodes.return: 5 values are expected, received 6"),
        (column("return", [1.0, 2.0, 3.0, 4.0, 5]), "episodes.return: a list of float is expected"),
        (column("return", [1.0, 2.0, 3.0, 4.0, None]), "episodes.return: a list of float is expected"),
        (column("return", [[1.0], [2.0], [3.0], [4.0], [5.0]]), "episodes.return: a list of float is expected"),
        (column("return", {"0": 1.0}), "episodes.return: a list of float is expected"),
        (column("length", [1, 2, 3, 4, 2**63]), "too large|too big"),
        (column("length", [1, 2, 3, 4, True]), "episodes.length: a list of int is expected"),
        (column("terminated", [0, 1, 0, 1, 0]), "episodes.terminated: a list of bool is expected"),
        (lambda data: data["episodes"].pop("length"), "'length'"),
        (lambda data: data.update(episodes=[]), "not the file of a cell"),
        (lambda data: data["cell"].update(episodes=4), "other rules of evaluation"),
        (lambda data: data["cell"].update(episodes=None), "cell"),
        (lambda data: data.update(cell=None), "cell"),
        (lambda data: data.update(spec_hash="0" * 64), "other rules of evaluation"),
        (lambda data: data.update(id="tiny@3/a/b/c/d/s0"), "other rules of evaluation"),
        (lambda data: data.update(pipeline=[["environment"]]), "not the file of a cell"),
        (lambda data: data.update(pipeline=[["environment", 7]]), "not the file of a cell"),
        (lambda data: data.update(pipeline=None), "not the file of a cell"),
        (lambda data: data.update(measures={"policy_error": "much"}), "not the file of a cell"),
        (lambda data: data.update(measures=[1]), "not the file of a cell"),
        (lambda data: data.update(format="symbench.cell/9"), "changed after it was written"),
        (lambda data: data.pop("format"), "'format'"),
    ],
)
def test_what_no_checksum_shows_is_noticed(
    store: Store, record: Record, path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    seal(path, lambda data: None)
    assert store.holds(record.cell)
    seal(path, change)
    assert is_damaged(store, record, message)


@pytest.mark.parametrize("episodes", [0, 4, 6])
def test_the_number_of_episodes_is_that_of_the_cell(store: Store, record: Record, path: Path, episodes: int) -> None:
    """A file that is consistent in itself, but for what it holds."""
    other = record.cell.model_copy(update={"episodes": episodes})

    def change(data: dict[str, Any]) -> None:
        data["cell"]["episodes"], data["spec_hash"] = episodes, other.spec_hash
        if not episodes:
            data["episodes"] = {name: [] for name in data["episodes"]}

    seal(path, change)
    with pytest.raises(CorruptCell, match=f"episodes: {episodes} are expected, received {5 if episodes else 0}"):
        store.read(path)


def test_a_directory_in_the_place_of_a_cell_is_moved_and_the_cell_is_played(suite: Suite, tmp_path: Path) -> None:
    whole = run(suite, tmp_path / "run", tasks=[TASK], agents=["random"])
    path = Store(tmp_path / "run").path(next(iter(whole.cells)))
    path.unlink()
    path.mkdir()
    (path / "kept").touch()
    with pytest.raises(CorruptCell, match=r"cannot be read \(Is a directory\); delete it and run again"):
        write_report(tmp_path / "run")
    assert run(suite, tmp_path / "run", tasks=[TASK], agents=["random"]).invocations[-1].evaluated == 1
    assert path.is_file() and (path.with_suffix(".old") / "kept").exists()


def test_a_file_in_the_place_of_a_directory_is_named_before_anything_is_played(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "run" / "cells").mkdir(parents=True)
    (tmp_path / "run" / "cells" / TASK).touch()
    played: list[Any] = []
    with pytest.raises(SymbenchError, match=r"cells/CartPole-v1/.* cannot be written \(.*; remove what is there"):
        run(suite, tmp_path / "run", tasks=[TASK], agents=["random"], progress=lambda *seen: played.append(seen))
    assert played == [] and not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize("content", [b'{"suite": NaN}', DEEP.encode(), LONG.encode(), b"\xff", b"[]", b"7", b"null"])
def test_a_damaged_run_json_says_what_to_do_and_that_works(suite: Suite, tmp_path: Path, content: bytes) -> None:
    def start() -> Manifest:
        return run(suite, tmp_path / "run", tasks=[TASK], agents=["random"])

    start()
    (tmp_path / "run" / "run.json").write_bytes(content)
    with pytest.raises(SymbenchError, match=r"run\.json is damaged \(.*\); delete it and run again, which finds"):
        start()
    with pytest.raises(SymbenchError, match=r"run\.json is damaged"):
        write_report(tmp_path / "run")
    (tmp_path / "run" / "run.json").unlink()
    assert start().invocations[-1].evaluated == 0


@pytest.fixture
def manifest(suite: Suite, tmp_path: Path) -> Path:
    run(suite, tmp_path / "run", tasks=[TASK], agents=["random"])
    return tmp_path / "run" / "run.json"


def test_a_number_that_was_changed_in_run_json_is_noticed(manifest: Path) -> None:
    text = manifest.read_text()
    assert text.count('"reference_return": 500') == 1
    manifest.write_text(text.replace('"reference_return": 500', '"reference_return": 400'))
    with pytest.raises(SymbenchError, match=r"damaged \(changed after it was written\)"):
        load_manifest(manifest.parent)


def test_a_run_json_without_a_checksum_is_read(manifest: Path) -> None:
    """As earlier versions of symbench wrote it."""
    whole, data = load_manifest(manifest.parent), json.loads(manifest.read_text())
    del data["checksum"]
    manifest.write_text(json.dumps(data))
    assert load_manifest(manifest.parent) == whole


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(tasks={}), "tasks: the facts of CartPole-v1 are missing"),
        (lambda data: data.update(cells={"a/b": "hash"}), "is not a cell"),
        (lambda data: data.update(skipped={"tiny@3/T/p/l/a/s0": ""}), "tasks: the facts of T are missing"),
        (lambda data: data["tasks"][TASK].update(random_return="many"), "random_return"),
        (lambda data: data.update(suite=None), "suite"),
    ],
)
def test_a_run_json_must_hold_what_the_tables_need(
    manifest: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    seal(manifest, change)
    with pytest.raises(SymbenchError, match=message):
        load_manifest(manifest.parent)


def test_a_command_that_is_no_unicode_is_recorded(suite: Suite, tmp_path: Path) -> None:
    run(suite, tmp_path / "run", tasks=[TASK], agents=["random"], command="symbench run --out caf\udce9")
    assert load_manifest(tmp_path / "run").invocations[-1].command.startswith("symbench run --out caf")
    assert write_report(tmp_path / "run").rows


PIECES = [b"NaN", b"-", b"1e999", b"null", b"true", b"0", b"9" * 5000, b"\x00", b"\xff", *map(str.encode, '[]{}",:')]


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The same with one to four changes: bytes replaced, cut out, doubled, or pieces of JSON put in."""
    for _ in range(rng.integers(1, 5)):
        start, size = int(rng.integers(len(content) + 1)), int(rng.integers(1, 40))
        piece = PIECES[rng.integers(len(PIECES))]
        content = (
            content[:start] + bytes([rng.integers(256)]) + content[start + 1 :],
            content[:start] + content[start + size :],
            content[: start + size] + content[start:],
            content[:start] + piece + content[start + len(piece) :],
            content[:start] + piece + content[start:],
            content[:start],
        )[rng.integers(6)]
    return content


def test_no_change_of_bytes_passes_or_is_called_a_defect(store: Store, record: Record, path: Path) -> None:
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(1500):
        path.write_bytes(mutated(whole, rng))
        try:
            found = store.read(path)
        except CorruptCell:
            refused += 1
        else:  # white space
            assert found.episodes.columns() == record.episodes.columns() and found.cell == record.cell
    assert refused > 1450


def test_no_change_of_the_bytes_of_run_json_passes_or_is_called_a_defect(manifest: Path) -> None:
    whole, content, rng, refused = load_manifest(manifest.parent), manifest.read_bytes(), np.random.default_rng(1), 0
    for _ in range(1500):
        manifest.write_bytes(mutated(content, rng))
        try:
            found = load_manifest(manifest.parent)
        except SymbenchError:
            refused += 1
        else:
            assert found == whole
    assert refused > 1250


def test_no_change_of_an_old_run_json_is_called_a_defect(manifest: Path) -> None:
    """It has no checksum: only what it says can show the damage."""
    data, rng = json.loads(manifest.read_text()), np.random.default_rng(2)
    del data["checksum"]
    content = json.dumps(data).encode()
    for _ in range(1000):
        manifest.write_bytes(mutated(content, rng))
        with contextlib.suppress(SymbenchError):
            load_manifest(manifest.parent)
