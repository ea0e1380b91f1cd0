"""The commands of the leaderboard, from a run to a line on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from maintainer_keys import NEEDS_SSH, allow, make_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Symbench

ABOUT = ("--author", "A. Name", "--licence", "MIT", "--description", "a small network", "--training-data", "nothing")
RUN = ("run", "--suite", "tiny", "--task", "CartPole-v1", "--agent", "./mlp.json", "--workers", 1, "--out", "run")
SUBMIT = ("submit", "run", "--name", "mine", *ABOUT, "--parameters", 58)
TABLE, METADATA = "leaderboards/submissions/mine.csv", "leaderboards/submissions/mine.json"


@pytest.fixture
def submitted(symbench: Symbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A submission of the untrained agent to a suite that counts as bundled; what the command printed."""
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path)
    assert symbench(*RUN).exit_code == 0
    result = symbench(*SUBMIT)
    assert result.exit_code == 0, result.output
    return result.output


def test_submit_says_what_it_wrote(submitted: str, tmp_path: Path) -> None:
    assert submitted == f"{TABLE}, {METADATA}: 2 cells, 8 episodes of tiny@1\n"
    assert (tmp_path / TABLE).exists() and (tmp_path / METADATA).exists()


def test_submit_names_an_option_that_is_missing(symbench: Symbench) -> None:
    result = symbench("submit", "run", "--name", "mine")
    assert result.exit_code == 2 and "Missing option '--author'" in result.stderr


@pytest.mark.parametrize("path", [TABLE, METADATA, "leaderboards/submissions"])
def test_validate_takes_files_and_folders(symbench: Symbench, submitted: str, path: str) -> None:
    result = symbench("validate", path)
    assert result.exit_code == 0 and result.stdout == "mine: 2 cells of tiny@1, all rules are kept\n"


def test_validate_lists_everything_with_its_place(symbench: Symbench, submitted: str, tmp_path: Path) -> None:
    lines = (tmp_path / TABLE).read_text().split("\n")
    (tmp_path / TABLE).write_text("\n".join([*lines[:2], lines[1], "=1,2", *lines[2:]]))
    result = symbench("validate", "leaderboards/submissions")
    assert result.exit_code == 2
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{TABLE}:3:29: seed: no second line of it: line 2 is expected") and "[duplicate]" in first
    assert second == f"{TABLE}:4: 8 fields are expected, received 2 [fields]"
    assert result.stderr == "error: 2 problems; the rules are in docs/submit.md\n"


@pytest.mark.slow
@NEEDS_SSH
def test_verify_plays_again_and_notes_it(symbench: Symbench, submitted: str, tmp_path: Path) -> None:
    key = make_key(tmp_path / "keys")
    allow(tmp_path / "leaderboards" / "allowed_signers", key)
    verify = ("verify", TABLE, "--agent", "./mlp.json", "--record", "leaderboards/verified.json")
    early = symbench(*verify, "--sign", "nowhere")
    assert early.exit_code == 2 and "there is no key nowhere" in early.stderr and not early.stdout
    result = symbench(*verify, "--cells", 1, "--sign", key)
    assert result.exit_code == 0, result.output
    assert "100% of the episodes identical" in result.stdout
    assert "1 of 2 cells: 5% doctored ones of a task are found with a confidence of 50.0%" in result.stdout
    assert "not verified yet" in result.stderr and "0.95 is asked for" in result.stderr
    symbench("leaderboard")
    assert "### Verified" not in (tmp_path / "leaderboards" / "LEADERBOARD.md").read_text()
    assert symbench(*verify, "--all", "--cells", 1).exit_code == 2
    unsigned = symbench(*verify, "--all")
    assert unsigned.exit_code == 0 and "does not count yet; symbench sign-verified adds one" in unsigned.stderr
    symbench("leaderboard")
    assert "### Verified" not in (tmp_path / "leaderboards" / "LEADERBOARD.md").read_text()
    assert symbench(*verify, "--all", "--sign", key).exit_code == 0
    symbench("leaderboard")
    assert "### Verified" in (tmp_path / "leaderboards" / "LEADERBOARD.md").read_text()


@pytest.mark.slow
def test_verify_fails_when_the_numbers_are_not_reached(symbench: Symbench, submitted: str, tmp_path: Path) -> None:
    lines = (tmp_path / TABLE).read_text().split("\n")
    invented = [",".join([*line.split(",")[:5], "500.0", "500", "0"]) for line in lines[1:-1]]
    (tmp_path / TABLE).write_text("\n".join([lines[0], *invented, ""]))
    assert symbench("validate", TABLE).exit_code == 0
    result = symbench("verify", TABLE, "--agent", "./mlp.json", "--record", "verified.json")
    assert result.exit_code == 1 and "NOT the same" in result.stdout
    assert result.stderr == "error: not the numbers that were submitted\n"
    assert not (tmp_path / "verified.json").exists()


def test_leaderboard_writes_tables_and_check_finds_stale_ones(
    symbench: Symbench, submitted: str, tmp_path: Path
) -> None:
    result = symbench("leaderboard", "--check")
    assert result.exit_code == 1 and "leaderboard.csv, leaderboard.intoto.jsonl in leaderboards: stale" in result.stderr
    assert not (tmp_path / "leaderboards" / "LEADERBOARD.md").exists()
    assert "1 boards, 1 lines" in symbench("leaderboard").stdout
    assert symbench("leaderboard", "--check").exit_code == 0
    (tmp_path / TABLE).unlink()
    assert symbench("leaderboard", "--check").exit_code == 2


def test_compare_prints_differences(symbench: Symbench, submitted: str) -> None:
    symbench(*SUBMIT[:3], "random", "--agent", "random", *ABOUT)
    result = symbench("compare", "mine", "random")
    assert result.exit_code == 0, result.output
    rows = [line for line in result.stdout.splitlines() if "CartPole-v1" in line]
    assert len(rows) == 2 and all("episodes" in row and "[" in row for row in rows)
    text = "".join(result.stdout.split())
    assert "difference[95%]" in text and "seedswon" in text and "0.50[" not in text
    assert "…" not in result.stdout, "conditions are told apart by their ends"
    assert symbench("compare", TABLE, METADATA).exit_code == 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("compare nobody mine", "unknown submission 'nobody' as leaderboards/submissions is not here: give --folder"),
        ("compare nobody.csv mine.csv", "nobody.json: this file is missing"),
        ("compare nowhere --agents a,b", "'nowhere' holds no run"),
        ("compare nowhere --agents a", "--agents takes two names, e.g. mine,mlp; received 'a'"),
        ("compare nowhere", "compare two submissions, A B, or two agents of a run, RUN_DIR --agents A,B"),
        ("verify nobody.csv", "nobody.json: this file is missing"),
        ("verify ../x/..csv", "a name holds a-z and 0-9"),
        ("verify mine.zip", "NAME.csv or NAME.json is expected, received 'mine.zip'"),
        ("leaderboard nowhere", "'nowhere' holds no leaderboard"),
        ("submit nowhere --name x --author A --licence MIT --description d --training-data t", "holds no run"),
    ],
)
def test_a_mistake_on_the_leaderboard_is_one_line(symbench: Symbench, command: str, message: str) -> None:
    result = symbench(*command.split())
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ") and message in line


def test_trust_is_asked_for_before_a_zip_is_loaded(symbench: Symbench, submitted: str, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"")
    result = symbench("verify", TABLE, "--agent", "ppo:x.zip")
    assert result.exit_code == 2 and "none of the files given is training run 0" in result.stderr
