"""Rows of boards as in-toto statements: valid by the schema of the format, and true."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from maintainer_keys import NEEDS_SSH, allow, entry_of, make_key
from submission_cases import SUITE, TASK, Files, metadata, table
from typer.testing import CliRunner

from symbench.cli import app
from symbench.leaderboard.board import read_boards, write_tables
from symbench.leaderboard.in_toto import BUNDLE, is_stale, write_bundle
from symbench.leaderboard.signatures import NAMESPACE, message, sign_recorded
from symbench.leaderboard.validate import read_submission
from symbench.leaderboard.verified import cells_of, read_verified, write_verified

jsonschema = pytest.importorskip("jsonschema")
pytestmark = NEEDS_SSH

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "in-toto-test-result.json").read_text())
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A leaderboard of two submissions, one of them verified and signed."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")
    folder, key = tmp_path / "leaderboards", make_key(tmp_path / "keys")
    for seed, name in enumerate(("mine", "other")):
        card = metadata(name, runs=5)
        Files(card, table(card, seed), name).write(folder / "submissions")
    mine = read_submission(folder / "submissions" / "mine.csv")
    allow(folder / "allowed_signers", key)
    write_verified(folder / "verified.json", {"mine": entry_of(mine)})
    sign_recorded(folder / "verified.json", "mine", key)
    write_bundle(folder, write_tables(folder))
    return folder


def cells_of_mine(folder: Path) -> list[str]:
    return sorted(cells_of(read_submission(folder / "submissions" / "mine.csv")))


def statements(folder: Path) -> dict[str, dict[str, Any]]:
    """Of both submissions, by name; validated."""
    found = [json.loads(line) for line in (folder / BUNDLE).read_text().splitlines()]
    for each in found:
        jsonschema.validate(each, SCHEMA)
    return {each["subject"][0]["name"].removesuffix(".csv"): each for each in found}


def test_statements_name_the_files_by_their_hashes(folder: Path) -> None:
    for name, made in statements(folder).items():
        table, metadata, *weights = made["subject"]
        for subject in (table, metadata):
            content = (folder / "submissions" / subject["name"]).read_bytes()
            assert subject["digest"] == {"sha256": hashlib.sha256(content).hexdigest()}
        assert [each["name"] for each in weights] == [f"{name}/{TASK}/s{run}" for run in range(5)]
        card = json.loads((folder / "submissions" / f"{name}.json").read_text())
        assert [each["digest"]["symbenchWeights"] for each in weights] == [
            run["weights"] for run in card["tasks"][TASK]["runs"]
        ]


def test_what_a_maintainer_has_played_again_has_passed(folder: Path) -> None:
    made = statements(folder)["mine"]["predicate"]
    assert made["result"] == "PASSED" and made["passedTests"] == cells_of_mine(folder) and made["warnedTests"] == []
    entry = read_verified(folder / "verified.json")["mine"]
    proof = made["configuration"][-1]
    assert proof["digest"]["sha256"] == hashlib.sha256(message("mine", entry)).hexdigest()
    assert proof["annotations"] == {"date": "2026-06-01", "sshSignature": entry.signature, "sshNamespace": NAMESPACE}
    assert base64.b64decode(entry.signature or "").startswith(b"SSHSIG")


def test_what_nobody_has_verified_is_a_warning_with_all_its_cells(folder: Path) -> None:
    made = statements(folder)["other"]["predicate"]
    assert made["result"] == "WARNED" and made["passedTests"] == [] and len(made["warnedTests"]) == 15
    assert [each["name"] for each in made["configuration"]] == ["tiny@2", "symbench"]


def test_a_forged_entry_does_not_pass(folder: Path) -> None:
    entry = read_verified(folder / "verified.json")["mine"]
    write_verified(
        folder / "verified.json", {"mine": entry.model_copy(update={"cells": [*cells_of_mine(folder), "all"]})}
    )
    assert is_stale(folder, read_boards(folder))
    write_bundle(folder, read_boards(folder))
    assert statements(folder)["mine"]["predicate"]["result"] == "WARNED"


def test_numbers_are_those_of_the_board(folder: Path) -> None:
    (board,) = read_boards(folder)
    for line in board.lines:
        numbers = statements(folder)[line.card.name]["subject"][0]["annotations"]
        assert numbers["retention"]["value"] == pytest.approx(line.retention.value, abs=1e-4)
        assert numbers["trainingRuns"] == 5 and "gapPercent" not in numbers


def test_the_command_prints_what_the_bundle_holds(folder: Path, tmp_path: Path) -> None:
    for name, line in zip(("mine", "other"), (folder / BUNDLE).read_text().splitlines(keepends=True), strict=True):
        file = str(folder / "submissions" / f"{name}.json")
        assert CliRunner().invoke(app, ["export", "in-toto", file]).stdout == line
    out = tmp_path / "new" / "x.intoto.jsonl"
    assert CliRunner().invoke(app, ["export", "in-toto", file, "--out", str(out)]).exit_code == 0
    assert out.read_text() == line


def test_a_folder_is_not_taken_for_its_first_submission(folder: Path) -> None:
    result = CliRunner().invoke(app, ["export", "in-toto", str(folder / "submissions")])
    assert result.exit_code == 2 and "one submission is expected" in " ".join(result.output.split())


def test_a_submission_alone_is_not_verified(folder: Path, tmp_path: Path) -> None:
    for suffix in ("csv", "json"):
        (tmp_path / f"mine.{suffix}").write_bytes((folder / "submissions" / f"mine.{suffix}").read_bytes())
    result = CliRunner().invoke(app, ["export", "in-toto", str(tmp_path / "mine.csv")])
    assert json.loads(result.stdout)["predicate"]["result"] == "WARNED"


def test_the_schema_refuses_what_is_no_statement(folder: Path) -> None:
    made = statements(folder)["mine"]
    subject = [{"name": "mine.csv"}]
    for wrong in ({**made, "_type": "x"}, {**made, "subject": subject}, {**made, "subject": []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, SCHEMA)


@pytest.mark.slow
def test_the_statements_of_this_repository_are_valid_and_present(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "leaderboards"
    assert len(statements(folder)) == len(list((folder / "submissions").glob("*.csv")))
    assert not is_stale(folder, read_boards(folder))
