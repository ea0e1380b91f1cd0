"""A small suite, a submission that keeps all rules, and ways to break each of them."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.leaderboard.submission_schema import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUITE = """
name = "tiny"
version = 2
description = "three conditions"
tasks = ["CartPoleSwingUp", "CartPole-v1"]
seed = 100
episodes = 3

[[perturbations]]
name = "none"
level = "in-order"
baseline = true

[[perturbations]]
name = "shuffle-sensors"
level = "per-episode"
apply = [{ wrapper = "ShuffleSensors", resample = "episode" }]

[[perturbations]]
name = "add-noise-channels"
level = "+5"
apply = [{ wrapper = "AddNoiseChannels", n = 5 }]
"""

CONDITIONS = ["none,in-order", "shuffle-sensors,per-episode", "add-noise-channels,+5"]
TASK = "CartPoleSwingUp"


def hashed(text: str) -> str:
    """A SHA-256 that no other text has."""
    return hashlib.sha256(text.encode()).hexdigest()


def metadata(name: str = "mine", runs: int = 2, task: str = TASK, **changes: Any) -> dict[str, Any]:
    """The content of a JSON file that keeps all rules."""
    listed = [
        {"seed": run, "weights": hashed(f"{name}/{run}"), "tensors": hashed(f"{name}/{run}, tensors")}
        for run in range(runs)
    ]
    machine = {
        **{"symbench": "0.1.0", "commit": None, "python": "3.11.2"},
        **{"packages": {"numpy": "2.4.6"}, "platform": "Linux", "cpu": "a processor", "cores": 2},
        **{"arithmetic": {"torch": "AVX2, mkl", "ATEN_CPU_CAPABILITY": "avx2"}, "cells": 6},
    }
    return {
        **{"format": 3, "name": name, "description": "an agent", "authors": ["A. Name"], "licence": "MIT"},
        **{"paper": "https://example.org/paper", "code": None, "training_data": "the task in order"},
        **{"suite": "tiny@2", "severities": 1, "tolerance": 0.01},
        **{"tasks": {task: {"runs": listed, "parameters": 4609, "cannot_act": {}}}},
        **{"date": "2026-01-02T03:04:05+00:00", "machines": [machine]},
        **changes,
    }


def table(card: dict[str, Any], seed: int = 0, keep: float = 0.5) -> str:
    """The content of a CSV file that keeps all rules; perturbed returns are about ``keep`` of the clean ones."""
    rng = np.random.default_rng(seed)
    lines = [",".join(COLUMNS)]
    for task, entry in card["tasks"].items():
        for condition in CONDITIONS:
            if condition.replace(",", "/") in entry["cannot_act"]:
                continue
            share = 1.0 if condition == CONDITIONS[0] else keep
            for run in range(len(entry["runs"])):
                for episode in range(3):
                    value = float(share * rng.uniform(300, 480))
                    length = 500
                    if task == "CartPole-v1":
                        length = int(value)
                        value = float(length)
                    lines.append(f"{task},{condition},{run},{100 + episode},{value!r},{length},1")
    return "\n".join(lines) + "\n"


@dataclass
class Files:
    """The two files of a submission before they are written."""

    card: dict[str, Any] = field(default_factory=metadata)
    table: str = ""
    name: str = "mine"
    raw: dict[str, bytes] = field(default_factory=dict)  # suffix -> bytes that replace the file

    def __post_init__(self) -> None:
        self.table = self.table or table(self.card)

    def write(self, folder: Path) -> Path:
        """Write both and return the path of the table."""
        folder.mkdir(parents=True, exist_ok=True)
        contents = {".csv": self.table.encode(), ".json": json.dumps(self.card, indent=2).encode(), **self.raw}
        for suffix, content in contents.items():
            (folder / f"{self.name}{suffix}").write_bytes(content)
        return folder / f"{self.name}.csv"


def field_of(line: int, column: str, value: str) -> Callable[[Files], None]:
    """Replaces one field of the table; lines count from 1."""

    def change(files: Files) -> None:
        lines = files.table.split("\n")
        fields = lines[line - 1].split(",")
        fields[COLUMNS.index(column)] = value
        lines[line - 1] = ",".join(fields)
        files.table = "\n".join(lines)

    return change


def key(*path: str | int, to: Any) -> Callable[[Files], None]:
    """Sets one key of the metadata; the value ``...`` deletes it."""

    def change(files: Files) -> None:
        files.card = copy.deepcopy(files.card)
        *parents, last = path
        holder: Any = files.card
        for parent in parents:
            holder = holder[parent]
        if to is ...:
            del holder[last]
        else:
            holder[last] = to

    return change


def text(old: str, new: str, count: int = 1) -> Callable[[Files], None]:
    """Replaces text of the table."""

    def change(files: Files) -> None:
        assert old in files.table
        files.table = files.table.replace(old, new, count)

    return change


def raw(suffix: str, content: Callable[[bytes], bytes]) -> Callable[[Files], None]:
    """Changes the bytes of one file."""

    def change(files: Files) -> None:
        current = files.table.encode() if suffix == ".csv" else json.dumps(files.card, indent=2).encode()
        files.raw[suffix] = content(current)

    return change


def without_lines(first: int, last: int) -> Callable[[Files], None]:
    """Deletes lines of the table, counted from 1."""

    def change(files: Files) -> None:
        lines = files.table.split("\n")
        files.table = "\n".join(lines[: first - 1] + lines[last:])

    return change


def repeated(line: int) -> Callable[[Files], None]:
    """Repeats a line of the table at its end."""

    def change(files: Files) -> None:
        files.table += files.table.split("\n")[line - 1] + "\n"

    return change


# Rule, what breaks it, where, what the message says.
BROKEN: list[tuple[str, Callable[[Files], None], tuple[int, int], str]] = [
    ("compressed", raw(".csv", lambda _: b"PK\x03\x04" + b"\0" * 100), (0, 0), "it was not opened"),
    ("compressed", raw(".csv", lambda _: b"\x1f\x8b\x08" + b"\0" * 100), (0, 0), "it was not opened"),
    ("compressed", raw(".json", lambda _: b"BZh91AY"), (0, 0), "it was not opened"),
    ("file-size", raw(".csv", lambda text: text + b"\n" * 10_000_000), (0, 0), "larger than 10,000,000 bytes"),
    ("file-size", raw(".json", lambda text: text + b" " * 200_000), (0, 0), "larger than 200,000 bytes"),
    ("encoding", raw(".csv", lambda text: text.replace(b"none", b"n\xffne", 1)), (2, 18), "byte 0xff"),
    ("encoding", raw(".csv", lambda text: b"\xef\xbb\xbf" + text), (1, 1), "byte order mark"),
    ("encoding", raw(".csv", lambda text: text.decode().encode("utf-16")), (1, 1), "byte order mark"),
    ("encoding", raw(".json", lambda text: text.replace(b"MIT", b"\0IT")), (8, 15), "NUL byte"),
    ("encoding", raw(".csv", lambda text: b"\0" + text), (1, 1), "NUL byte"),
    ("json", raw(".json", lambda text: text[:-2]), (51, 4), "not JSON"),
    ("json", raw(".json", lambda _: b"[" * 100_000), (0, 0), "nested too deeply"),
    ("json", raw(".json", lambda text: text.replace(b"0.01", b"NaN")), (0, 0), "NaN is not JSON"),
    ("json", raw(".json", lambda text: text.replace(b'"code"', b'"name"')), (0, 0), "key 'name' is repeated"),
    (
        "json",
        raw(".json", lambda text: text.replace(b"4609", b"9" * 5000)),
        (0, 0),
        "at most 4300 digits is expected, received one of 5000",
    ),
    ("format", key("format", to=99), (2, 3), "1 or 2 or 3 is expected, received 99"),
    ("format", key("format", to="1"), (2, 3), "1 or 2 or 3 is expected, received '1'"),
    ("format", raw(".json", lambda _: b"[1]"), (1, 1), "an object is expected, received list"),
    ("metadata", key("licence", to=...), (1, 1), "licence: Field required"),
    ("metadata", key("licence", to="=MIT"), (8, 3), "licence"),
    ("metadata", key("description", to="=HYPERLINK(1)"), (4, 3), "would take it for a formula"),
    ("metadata", key("description", to="two\nlines"), (4, 3), "one line of printable"),
    ("metadata", key("description", to="\u202etxet"), (4, 3), "one line of printable"),
    ("metadata", key("paper", to="javascript:alert(1)"), (9, 3), "paper"),
    ("metadata", key("stars", to=5), (52, 3), "stars: Extra inputs"),
    ("metadata", key("name", to="other"), (3, 3), "'mine', as the file, is expected, received 'other'"),
    ("metadata", key("name", to="../../etc/passwd"), (3, 3), "a name holds a-z"),
    ("metadata", key("tasks", TASK, "parameters", to="4609"), (29, 7), "parameters: Input should be a valid integer"),
    ("metadata", key("tasks", TASK, "parameters", to=-1), (29, 7), "greater than or equal to 0"),
    ("metadata", key("tasks", TASK, "runs", 1, "seed", to=0), (16, 5), "two training runs have the same seed"),
    ("metadata", key("tasks", TASK, "runs", 1, "weights", to=hashed("mine/0")), (16, 5), "have the same weights"),
    (
        "metadata",
        key("tasks", TASK, "runs", 1, "tensors", to=hashed("mine/0, tensors")),
        (16, 5),
        "have the same tensors",
    ),
    ("metadata", key("tolerance", to=10.0), (14, 3), "less than or equal to 0.05"),
    ("suite", key("suite", to="tiny@1"), (0, 0), "this version of symbench holds tiny@2"),
    ("suite", key("suite", to="tinny@2"), (0, 0), "did you mean 'tiny'"),
    ("suite", key("severities", to=7), (0, 0), "version 1 is expected"),
    ("suite", key("tasks", to=metadata(task="Pong")["tasks"]), (0, 0), "unknown task 'Pong'"),
    ("suite", key("tasks", TASK, "cannot_act", to={"none/in-order": "x"}), (0, 0), "received 'none/in-order'"),
    ("columns", text("return", "reward"), (1, 37), "unknown column 'reward'"),
    ("columns", text("seed,", ""), (1, 0), "column 'seed' is missing"),
    ("columns", text("length", "return"), (1, 44), "column 'return' is repeated"),
    ("columns", text("terminated", "terminated,note"), (1, 62), "unknown column 'note'"),
    ("fields", text("none,in-order", "none", 1), (2, 0), "8 fields are expected, received 7"),
    ("fields", text("\n", "\n\n", 1), (2, 0), "8 fields are expected, received 1"),
    ("formula", field_of(3, "task", "=cmd|' /C calc'!A0"), (3, 1), 'received "=cmd|'),
    ("formula", field_of(3, "severity", "@SUM(1)"), (3, 22), "received '@SUM(1)'"),
    ("formula", field_of(3, "length", "+500"), (3, 0), "received '+500'"),
    ("formula", field_of(3, "perturbation", "-none"), (3, 17), "received '-none'"),
    ("formula", field_of(3, "terminated", "\t0"), (3, 0), "received '\\t0'"),
    ("value", field_of(3, "task", "CartPole-v1"), (3, 1), "CartPoleSwingUp is expected, received 'CartPole-v1'"),
    ("value", field_of(3, "severity", "per-epsode"), (3, 22), "in-order is expected"),
    ("value", field_of(3, "task", '"CartPoleSwingUp"'), (3, 1), "received '\"CartPoleSwingUp\"'"),
    ("value", field_of(3, "seed", "0101"), (3, 33), "a whole number is expected, received '0101'"),
    ("value", field_of(3, "length", "0500"), (3, 0), "a whole number is expected, received '0500'"),
    ("value", field_of(3, "return", "00.5"), (3, 37), "a decimal number is expected, received '00.5'"),
    ("columns", raw(".csv", lambda _: b"," * 9_999_999), (1, 0), "first line is longer than 10,000 characters"),
    ("fields", text("\n", "\n" + "," * 9_000_000 + "\n"), (2, 0), "the line is longer than 10,000 characters"),
    ("duplicate", raw(".csv", lambda text: text + b",\n" * 4_900_000), (0, 0), "at most 18 lines of episodes"),
    ("value", field_of(3, "return", "1_0"), (3, 37), "a decimal number is expected, received '1_0'"),
    ("value", field_of(3, "return", "\u0663"), (3, 37), "received '\\u0663'"),
    ("value", field_of(3, "seed", "1e2"), (3, 33), "a whole number is expected"),
    ("value", field_of(3, "length", "9" * 5000), (3, 0), "a whole number is expected"),
    ("value", field_of(3, "terminated", "False"), (3, 0), "0 or 1 is expected"),
    ("not-finite", field_of(3, "return", "nan"), (3, 37), "received 'nan'"),
    ("not-finite", field_of(3, "return", "-Infinity"), (3, 37), "received '-Infinity'"),
    ("not-finite", field_of(3, "return", "1e999"), (3, 37), "a finite number is expected"),
    ("return-range", field_of(3, "return", "500.1"), (3, 37), "-0.201 to 500.001 in 500 steps is expected"),
    ("return-range", field_of(3, "return", "-1"), (3, 37), "received '-1.0'"),
    ("length-limit", field_of(3, "length", "1001"), (3, 0), "1 to 1000 steps is expected, received '1001'"),
    ("length-limit", field_of(3, "length", "0"), (3, 0), "1 to 1000 steps is expected, received '0'"),
    ("time-limit", field_of(3, "terminated", "0"), (3, 0), "1 after 500 steps, for the time limit is 1000,"),
    ("seed", field_of(3, "seed", "103"), (3, 33), "100 to 102 is expected, received '103'"),
    ("seed", field_of(3, "seed", "0"), (3, 33), "100 to 102 is expected"),
    ("run", field_of(3, "run", "2"), (3, 31), "0 to 1 is expected, received '2'"),
    ("run", field_of(3, "run", "00"), (3, 31), "0 to 1 is expected, received '00'"),
    ("duplicate", repeated(3), (20, 33), "no second line of it: line 3"),
    ("missing-cell", without_lines(2, 4), (0, 0), "tiny@2/CartPoleSwingUp/none/in-order/mine/s0 is missing"),
    ("missing-episodes", without_lines(3, 3), (0, 0), "has 2 of 3 episodes; the first that is missing has seed 101"),
]
