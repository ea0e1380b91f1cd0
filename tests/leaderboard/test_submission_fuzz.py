"""Whatever bytes arrive, the validator neither crashes nor hangs, and accepts nothing that breaks a rule."""

from __future__ import annotations

import csv
import io
import json
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from submission_cases import BROKEN, CONDITIONS, SUITE, TASK, Files, metadata

from symbench.leaderboard.submission_problems import RULES
from symbench.leaderboard.submission_schema import COLUMNS, check_name
from symbench.leaderboard.validate import Submission, validate

if TYPE_CHECKING:
    from pathlib import Path

FUZZ = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MUTATIONS = 10_000
PIECES = [
    b",",
    b"\n",
    b"\r",
    b'"',
    b"=",
    b"-",
    b"nan",
    b"1e999",
    b"\0",
    b"\xff",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"9" * 30,
]


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


def check(folder: Path, table: bytes, card: bytes) -> Submission | None:
    """The submission if it is accepted; otherwise every problem has a name."""
    folder.mkdir(exist_ok=True)
    (folder / "mine.csv").write_bytes(table)
    (folder / "mine.json").write_bytes(card)
    submissions, problems = validate([folder])
    assert len(submissions) + bool(problems) == 1
    assert all(problem.rule in RULES and str(problem).isprintable() for problem in problems)
    return submissions[0] if submissions else None


def broken_rules(table: bytes, card: bytes) -> list[str]:
    """The rules read once more, in the plainest way: whatever is accepted must pass here too."""
    text, data = table.decode("utf-8"), json.loads(card)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    seen = [tuple(row[name] for name in COLUMNS[:5]) for row in rows]
    entry = data["tasks"][TASK]
    conditions = [each for each in CONDITIONS if each.replace(",", "/") not in entry["cannot_act"]]
    expected = {
        (TASK, *condition.split(","), str(run), str(seed))
        for condition in conditions
        for run in range(len(entry["runs"]))
        for seed in (100, 101, 102)
    }
    weights = [run["weights"] for run in entry["runs"] if run["weights"]]
    kept = {
        "columns": sorted(rows[0]) == sorted(COLUMNS),
        "cells": {(*where, str(int(seed))) for *where, seed in seen} == expected and len(seen) == len(expected),
        "finite": all(math.isfinite(float(row["return"])) for row in rows),
        "range": all(-0.201 <= float(row["return"]) <= int(row["length"]) + 0.001 for row in rows),
        "length": all(1 <= int(row["length"]) <= 1000 for row in rows),
        "ended": all(
            row["terminated"] == "1" or (row["terminated"] == "0" and int(row["length"]) == 1000) for row in rows
        ),
        "formula": not any(value[0] in "=+@\t\r" for row in rows for name, value in row.items() if name != "severity"),
        "plain": b"\0" not in table + card and not table.startswith(b"\xef\xbb\xbf"),
        "suite": data["suite"] == "tiny@2" and data["format"] == 3 and data["severities"] == 1,
        "name": data["name"] == "mine" == check_name("mine"),
        "weights": len(set(weights)) == len(weights),
        "text": all(data[key] and data[key][0] not in "=+-@" for key in ("description", "licence", "training_data")),
        "keys": set(metadata()) >= set(data),
        "tolerance": 0 <= data.get("tolerance", 0) <= 0.05,
    }
    return [rule for rule, is_kept in kept.items() if not is_kept]


@FUZZ
@given(table=st.binary(max_size=2000), card=st.binary(max_size=2000))
def test_no_bytes_crash_the_validator(tmp_path: Path, table: bytes, card: bytes) -> None:
    good = Files()
    assert check(tmp_path / "a", table, json.dumps(good.card).encode()) is None
    assert check(tmp_path / "b", good.table.encode(), card) is None


@FUZZ
@given(lines=st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=60), max_size=30))
def test_no_lines_crash_the_validator(tmp_path: Path, lines: list[str]) -> None:
    table = "\n".join([",".join(COLUMNS), *lines]).encode()
    assert check(tmp_path / "s", table, json.dumps(metadata()).encode()) is None


FIELD = st.one_of(
    st.sampled_from([TASK, "none", "in-order", "+5", "0", "1", "100", "101", "500", "1.5", "nan", "=1", ""]), st.text()
)


@FUZZ
@given(rows=st.lists(st.lists(FIELD, min_size=8, max_size=8), max_size=20))
def test_no_fields_crash_the_validator(tmp_path: Path, rows: list[list[str]]) -> None:
    table = "\n".join([",".join(COLUMNS), *(",".join(row) for row in rows)]).encode("utf-8", "surrogatepass")
    assert check(tmp_path / "s", table, json.dumps(metadata()).encode()) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@FUZZ
@given(key=st.sampled_from(sorted(metadata())), value=JSON)
def test_no_metadata_crash_the_validator(tmp_path: Path, key: str, value: object) -> None:
    card = json.dumps({**metadata(), key: value}).encode()
    if check(tmp_path / "s", Files().table.encode(), card):
        assert broken_rules(Files().table.encode(), card) == []


MEGABYTE = {
    "empty lines": b"\n" * 1_000_000,
    "commas": b"," * 1_000_000,
    "empty rows": b",,,,,,,\n" * 125_000,
    "columns without end": b"a," * 500_000,
    "a column again and again": b"task," * 200_000,
    "quotes": b'"' * 1_000_000,
    "digits": f"{TASK},none,in-order,0,100,{'9' * 1_000_000},500,0\n".encode(),
    "one row again and again": f"{TASK},none,in-order,0,100,1.0,500,0\n".encode() * 20_000,
    "wrong rows": f"{TASK},none,in-order,0,7,nan,x,y\n".encode() * 25_000,
    "out of range": b"".join(f"{TASK},none,in-order,0,{100 + i % 3},1e9,900,0\n".encode() for i in range(20_000)),
    "no text": bytes(range(1, 256)) * 4000,
}


@pytest.mark.parametrize("kind", MEGABYTE)
def test_a_megabyte_takes_less_than_two_seconds(tmp_path: Path, kind: str) -> None:
    """Of processor time: other processes may be running."""
    header = ",".join(COLUMNS).encode() + b"\n"
    for table in (MEGABYTE[kind], header + MEGABYTE[kind]):
        start = time.process_time()
        assert check(tmp_path / "s", table, json.dumps(metadata(runs=100)).encode()) is None
        assert time.process_time() - start < 2.0 * len(table) / 1_000_000


HOSTILE = {
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 40_000,
    "an open text": b'"' + b"\\" * 199_998,
    "digits": b"9" * 200_000,
    "a key repeated at last": json.dumps({f"{i}": 0 for i in range(15_000)}).encode()[:-1] + b', "14999": 0}',
    "wrong packages": json.dumps(metadata(machines=[{"packages": {f"{i}": 0 for i in range(15_000)}}])).encode(),
    "no such tasks": json.dumps(metadata(tasks={f"{i}": metadata(runs=1)["tasks"][TASK] for i in range(800)})).encode(),
    "a long name": json.dumps(metadata(name="a." * 90_000)).encode(),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_metadata_of_any_shape_take_less_than_two_seconds(tmp_path: Path, kind: str) -> None:
    assert len(HOSTILE[kind]) <= 200_000
    start = time.process_time()
    assert check(tmp_path / "s", Files().table.encode(), HOSTILE[kind]) is None
    assert time.process_time() - start < 2.0


class Mutator:
    """Breaks a named rule, or shuffles, cuts, repeats and replaces bytes; everything is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        # The two that write 10 MB are tested above.
        self._broken = [change for rule, change, *_ in BROKEN if rule != "file-size"]

    def __call__(self) -> tuple[bytes, bytes, bool]:
        """Table, metadata, and whether a rule is certainly broken."""
        files = Files()
        breaks = self._rng.random() < 0.3
        if breaks:
            self._broken[self._rng.integers(len(self._broken))](files)
        table = files.raw.get(".csv", files.table.encode())
        card = files.raw.get(".json", json.dumps(files.card, indent=2).encode())
        if not breaks:
            table, card = (self._bytes(table), card) if self._rng.random() < 0.7 else (table, self._bytes(card))
        return table, card, breaks

    def _bytes(self, content: bytes) -> bytes:
        for _ in range(self._rng.integers(1, 4)):
            first, last = sorted(self._rng.integers(len(content) + 1, size=2).tolist())
            last = min(last, first + int(self._rng.integers(1, 40)))
            cut = content[first:last]
            shuffled = bytes(self._rng.permutation(list(cut)).astype(np.uint8).tolist())
            piece = PIECES[self._rng.integers(len(PIECES))]
            digit = str(self._rng.integers(10)).encode()
            middle = [shuffled, b"", cut + cut, piece, cut[::-1], digit, self._rng.bytes(3)][self._rng.integers(7)]
            content = content[:first] + middle + content[last:]
        return content


@pytest.mark.slow
def test_ten_thousand_mutated_submissions(tmp_path: Path) -> None:
    mutate, accepted, refused = Mutator(seed=0), 0, 0
    for _ in range(MUTATIONS):
        table, card, breaks = mutate()
        if check(tmp_path / "s", table, card) is None:
            refused += 1
            continue
        accepted += 1
        assert not breaks, (table, card)
        assert broken_rules(table, card) == [], (table, card)
    assert accepted + refused == MUTATIONS
    assert accepted > 50  # some changes break no rule, a digit of a return for example: nothing is refused for nothing
