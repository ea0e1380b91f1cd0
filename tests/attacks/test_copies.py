"""Attack: somebody else's weights and episodes under another name, or a name that reads as theirs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from attack_cases import (
    SUITE,
    TASK,
    Files,
    board_of,
    complaints,
    copied,
    hashed,
    key,
    metadata,
    small_suite,
    table,
)
from typer.testing import CliRunner

from symbench.cli import app
from symbench.leaderboard.validate import validate

if TYPE_CHECKING:
    from pathlib import Path


def later(card: dict[str, Any]) -> None:
    card["machine"]["date"] = "2026-11-28T23:59:59+00:00"


def with_other_hashes(card: dict[str, Any]) -> None:
    later(card)
    for entry in card["tasks"].values():
        for number, of in enumerate(entry["runs"]):
            of["weights"] = hashed(f"made up {number}")


def turned(rows: list[list[str]]) -> list[list[str]]:
    """The last training run first."""
    runs = max(int(row[3]) for row in rows)
    return [[*row[:3], str(runs - int(row[3])), *row[4:]] for row in rows]


def rounded(rows: list[list[str]]) -> list[list[str]]:
    return [[*row[:5], f"{float(row[5]) * 0.9999:.3f}", *row[6:]] for row in rows]


def test_the_weights_of_another_submission_are_refused(tmp_path: Path) -> None:
    board = board_of(tmp_path / "board", "sb3-ppo", "sb3-dqn")
    copied(board, "sb3-ppo", "thief", later)
    (line,) = complaints(board)
    assert line == (
        f"{board / 'thief.json'}: CartPole-v1, run 0 has the weights of run 0 of 'sb3-ppo', which is on the board; "
        "one training run stands there once [copy]"
    )


@pytest.mark.parametrize("rows", [lambda rows: rows, turned, rounded], ids=["as they are", "turned", "rounded"])
def test_so_are_its_episodes_whatever_the_hashes_say(tmp_path: Path, rows: Any) -> None:
    board = board_of(tmp_path / "board", "mlp", "random")
    copied(board, "mlp", "thief", with_other_hashes, rows)
    (line,) = complaints(board)
    assert "has the episodes of run" in line and "of 'mlp', which is on the board" in line and line.endswith("[copy]")


def test_so_is_random_play_under_another_name(tmp_path: Path) -> None:
    board = board_of(tmp_path / "board", "random")
    copied(board, "random", "thief", later)
    assert "run 0 has the episodes of run 0 of 'random'" in complaints(board)[0]


def test_a_file_is_compared_with_what_lies_beside_it(tmp_path: Path) -> None:
    board = board_of(tmp_path / "board", "sb3-ppo", "sb3-dqn")
    thief = copied(board, "sb3-ppo", "thief", later)
    assert complaints(thief) == []
    result = CliRunner().invoke(app, ["validate", str(thief)])
    assert result.exit_code == 2 and "has the weights of run 0 of 'sb3-ppo'" in result.output
    assert CliRunner().invoke(app, ["validate", str(board / "sb3-dqn.csv")]).exit_code == 0


@pytest.fixture
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = small_suite(tmp_path / "suites")
    (folder / "tiny@1.toml").write_text(SUITE.replace("version = 2", "version = 1"))
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", folder)


def written(folder: Path, name: str, seed: int = 0, **changes: Any) -> Files:
    card = metadata(name, 2, **changes)
    files = Files(card, table(card, seed), name)
    files.write(folder)
    return files


@pytest.mark.usefixtures("_tiny_suite")
def test_the_same_tensors_in_other_files_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "board", "honest")
    files = written(tmp_path / "board", "thief", seed=1)
    assert complaints(tmp_path / "board") == []
    key("tasks", TASK, "runs", 1, "tensors", to=hashed("honest/0, tensors"))(files)
    files.write(tmp_path / "board")
    (line,) = complaints(tmp_path / "board")
    assert "run 1 has the tensors of run 0 of 'honest'" in line


@pytest.mark.usefixtures("_tiny_suite")
def test_one_agent_may_stand_on_several_boards(tmp_path: Path) -> None:
    """Under a name of its own in another version of the suite, by the same authors, and in another task."""
    board = tmp_path / "board"
    mine = written(board, "mine").card["tasks"][TASK]
    written(board, "mine-again", suite="tiny@1", tasks={TASK: mine})
    written(board, "mine-upright", seed=2, tasks={"CartPole-v1": mine}, authors=["B. Name"])
    assert complaints(board) == []


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize("what", ["weights", "tensors", "episodes"])
def test_another_version_of_the_suite_makes_nothing_ones_own(tmp_path: Path, what: str) -> None:
    board, later = tmp_path / "board", {"suite": "tiny@1", "authors": ["A. Thief"], "date": "2026-11-28T00:00:00Z"}
    mine = written(board, "mine").card["tasks"][TASK]["runs"]
    thief = written(board, "thief", seed=0 if what == "episodes" else 1, **later)
    if what != "episodes":
        key("tasks", TASK, "runs", 1, what, to=mine[0][what])(thief)
        thief.write(board)
    (line,) = complaints(board)
    assert line.startswith(f"{board / 'thief.json'}: {TASK}, run ") and f"has the {what} of run 0 of 'mine'" in line


@pytest.mark.usefixtures("_tiny_suite")
def test_who_comes_later_is_the_copy_whatever_the_dates_say(tmp_path: Path) -> None:
    written(tmp_path / "board", "honest", date="2026-11-28T00:00:00+00:00")
    card = metadata("thief", 2, date="1999-01-01T00:00:00+00:00")
    thief = Files(card, table(card), "thief").write(tmp_path / "board")
    for found in (complaints(thief, beside=True), [str(each) for each in validate([thief.parent], new=["thief"])[1]]):
        (line,) = found
        assert line.startswith(f"{thief.with_suffix('.json')}: ") and "of 'honest', which is on the board" in line


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize("date", ["yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "0"])
def test_a_date_is_one(tmp_path: Path, date: str) -> None:
    written(tmp_path / "board", "mine", date=date)
    (line,) = complaints(tmp_path / "board")
    assert "date: ISO 8601 with an offset from UTC is expected" in line


@pytest.mark.usefixtures("_tiny_suite")
def test_a_new_submission_is_not_of_the_future(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    for name, seed, days in (("soon", 0, 0.5), ("later", 1, 2)):
        written(tmp_path / "board", name, seed=seed, date=(now + timedelta(days=days)).isoformat(timespec="seconds"))
    assert complaints(tmp_path / "board" / "soon.csv", beside=True) == []
    (line,) = complaints(tmp_path / "board" / "later.csv", beside=True)
    assert "date: a time that has come is expected" in line


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize(("honest", "thief"), [("mlp", "m1p"), ("net-10", "net-1o"), ("modern", "modem")])
def test_a_name_that_reads_as_another_is_refused(tmp_path: Path, honest: str, thief: str) -> None:
    board = tmp_path / "board"
    written(board, honest)
    written(board, thief, seed=1, date="2026-11-28T00:00:00Z")
    (line,) = complaints(board)
    assert f"name: '{thief}' reads as '{honest}', which is on the board; choose another [look-alike]" in line


@pytest.mark.usefixtures("_tiny_suite")
def test_names_that_only_begin_alike_are_fine(tmp_path: Path) -> None:
    for seed, name in enumerate(("mlp", "mlp-2", "mlp-10", "mlp2", "recurrent-mlp")):
        written(tmp_path / "board", name, seed=seed)
    assert complaints(tmp_path / "board") == []
