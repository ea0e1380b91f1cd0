"""Files of users and strangers: suites, recipes, studies, and what training leaves on the disk."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hostile_cases import mutated, refused

from symbench.errors import SymbenchError
from symbench.reading import brief, parse_json, parse_toml, read
from symbench.suites import load_suite
from symbench.training import load_recipe
from symbench.training.session import CURVE, OWNER, Session
from symbench.training.study.run_study import read_run
from symbench.training.study.study_schema import load_study

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).parents[1] / "symbench"
LOADERS: dict[str, tuple[Callable[[str], Any], Path]] = {
    "suite": (load_suite, PACKAGE / "suites" / "shuffle.toml"),
    "recipe": (load_recipe, PACKAGE / "training" / "recipes" / "pong-cnn.toml"),
    "study": (load_study, next((PACKAGE / "training" / "study").rglob("*.toml"))),
}
HOSTILE = [
    b"a = " + b"[" * 50_000,
    b"a = " + b"[" * 40 + b"]" * 40,
    b"a." * 100 + b"a = 1",
    b"a = " + b"9" * 5_000,
    b"a = \xff",
    b"a = nan\nb = inf",
    b"\x00" * 100,
    b"name = 5\ntasks = 7",
    b"a = '" + b"x" * 10_000 + b"'",
]


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_toml_is_refused_in_one_line(kind: str, content: bytes, tmp_path: Path) -> None:
    load, whole = LOADERS[kind]
    (tmp_path / "mine.toml").write_bytes(content)
    assert refused(load, str(tmp_path / "mine.toml"))
    (tmp_path / "mine.toml").write_bytes(whole.read_bytes().split(b"\n[")[0] + b"\n" + content)
    assert refused(load, str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("kind", LOADERS)
def test_damaged_toml_loads_or_one_line_says_why(kind: str, tmp_path: Path) -> None:
    load, whole = LOADERS[kind]
    rng, file = np.random.default_rng(0), tmp_path / "mine.toml"
    messages = []
    for _ in range(300):
        file.write_bytes(mutated(whole.read_bytes(), rng))
        messages.append(refused(load, str(file)))
    assert sum(message is not None for message in messages) > 100
    shutil.copy(whole, file)
    load(str(file))


@pytest.mark.parametrize("kind", LOADERS)
def test_folders_and_large_files_are_refused(kind: str, tmp_path: Path) -> None:
    load, _ = LOADERS[kind]
    (tmp_path / "folder.toml").mkdir()
    assert refused(load, str(tmp_path / "folder.toml"))
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(2**31)
    assert "2,147,483,648 bytes" in str(refused(load, str(tmp_path / "large.toml")))


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 50_000, "[]", "7", '{"a": 1}', "9" * 5_000, '{"steps": [1], "returns": 7}']
)
def test_damaged_runs_of_a_study_are_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "s0.json").write_text(text)
    assert "is not the file of a training run" in str(refused(read_run, tmp_path / "s0.json"))


@pytest.mark.parametrize("text", ["", "{", "[" * 50_000, "[]", "7", '{"recipe_digest": 7}', "9" * 5_000])
def test_a_damaged_owner_of_a_folder_is_another_training(text: str, tmp_path: Path) -> None:
    (tmp_path / OWNER).write_text(text)
    with pytest.raises(SymbenchError, match="holds another training"):
        Session(tmp_path, 0, "digest")


def test_damaged_checkpoints_are_used_or_refused_in_one_line(tmp_path: Path) -> None:
    network = torch.nn.Linear(3, 2)
    optimizer, session = torch.optim.Adam(network.parameters()), Session(tmp_path, 0)
    session.save(network, optimizer, 70)
    rng, whole, messages = np.random.default_rng(0), (tmp_path / "checkpoint.pt").read_bytes(), []
    for _ in range(300):
        (tmp_path / "checkpoint.pt").write_bytes(mutated(whole, rng))
        messages.append(refused(Session(tmp_path, 0).restore, network, optimizer))
    assert sum(message is not None for message in messages) > 100
    (tmp_path / "checkpoint.pt").write_bytes(whole)
    assert Session(tmp_path, 0).restore(network, optimizer) == 70
    (tmp_path / CURVE).write_text("[" * 50_000)
    assert "cannot resume" in str(refused(Session(tmp_path, 0).restore, network, optimizer))


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SymbenchError, match="pipe is not a file"):
        read(tmp_path / "pipe", "pipe", 100)


def test_a_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read(tmp_path / "file", "it", 5) == b"12345"
    with pytest.raises(SymbenchError, match="it has 5 bytes, at most 4 are read"):
        read(tmp_path / "file", "it", 4)
    with pytest.raises(SymbenchError, match="it does not exist"):
        read(tmp_path / "none", "it", 4)
    with pytest.raises(SymbenchError, match="it is nowhere"):
        read(tmp_path / "none", "it", 4, "is nowhere")


def test_depth_is_limited_however_it_is_made() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        inner = "1" if opening != "[" else ""
        assert parse_json((opening * 30 + inner + closing * 30).encode(), "it", "data") is not None
        with pytest.raises(SymbenchError, match="it is nested deeper than 32 levels"):
            parse_json((opening * 33 + (inner or "1") + closing * 33).encode(), "it", "data")
    assert parse_toml(b"a.b.c = [[1]]", "it") == {"a": {"b": {"c": [[1]]}}}
    with pytest.raises(SymbenchError, match="it is nested deeper than 32 levels"):
        parse_toml(b"a." * 40 + b"a = 1", "it")


def test_brief_texts_have_one_printable_line() -> None:
    assert brief("a\nb\tc") == "a b c"
    assert brief(json.loads('"\\ud800\\u0007"')) == "??"
    assert brief("x" * 200) == "x" * 200
    assert brief("x" * 100_000) == "x" * 200 + " ..."
