"""Conditions that a task's episodes are too short for: no new submission needs them, boards do not count them."""

from __future__ import annotations

from pathlib import Path

import pytest
from submission_cases import SUITE, Files, metadata, table

from symbench.leaderboard.board import make_boards
from symbench.leaderboard.compare import compare
from symbench.leaderboard.site.cells import cell_summaries
from symbench.leaderboard.submission import About, submit
from symbench.leaderboard.validate import Submission, read_submission, validate
from symbench.runner import run
from symbench.suites import load_suite

TASK = "CartPole-v1"
RARELY = "shuffle-sensors,every-500"
MORE = """
[[perturbations]]
name = "shuffle-sensors"
level = "every-500"
apply = [{ wrapper = "ShuffleSensors", resample = 500 }]
"""


@pytest.fixture(autouse=True)
def _suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE + MORE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


def files(name: str, with_it: bool, value: float = 1.0) -> Files:
    """Five training runs; with the redundant condition, too, under which every return is ``value``."""
    card = metadata(name, 5, task=TASK)
    text = table(card)
    if with_it:
        length = max(1, int(value))
        lines = [f"{TASK},{RARELY},{run},{100 + e},{float(length)!r},{length},1" for run in range(5) for e in range(3)]
        text += "\n".join([*lines, ""])
    return Files(card, text, name)


def read(folder: Path, name: str, with_it: bool, value: float = 1.0) -> Submission:
    return read_submission(files(name, with_it, value).write(folder))


def test_a_submission_may_hold_it_or_not(tmp_path: Path) -> None:
    assert len(read(tmp_path / "a", "new", False).cells) == 15
    assert len(read(tmp_path / "a", "old", True).cells) == 20


def test_what_is_there_is_checked_like_everything(tmp_path: Path) -> None:
    broken = files("old", True)
    broken.table = "\n".join([*broken.table.split("\n")[:-2], ""])
    _, problems = validate([broken.write(tmp_path / "s")])
    assert [problem.rule for problem in problems] == ["missing-episodes"]


def test_where_episodes_are_longer_it_is_missing(tmp_path: Path) -> None:
    card = metadata("mine", 1)  # CartPoleSwingUp, 1000 steps
    _, problems = validate([Files(card, table(card), "mine").write(tmp_path / "s")])
    assert [problem.rule for problem in problems] == ["missing-cell"]
    assert "shuffle-sensors/every-500" in problems[0].message


def test_boards_neither_count_it_nor_count_it_as_0(tmp_path: Path) -> None:
    """Whatever is under it: nothing (-1 does not occur), 0 of the clean score, or all of it."""
    submissions = [read(tmp_path, "new", False), read(tmp_path, "bad", True, 1), read(tmp_path, "good", True, 500)]
    (board,) = make_boards(submissions, {})
    values = {line.card.name: line.retention.value for line in board.lines}
    assert values["new"] == values["bad"] == values["good"] > 0
    for line in board.lines:
        assert list(line.kept) == ["shuffle-sensors/per-episode", "add-noise-channels/+5"]
        cells = cell_summaries(line, TASK)
        assert [cell.condition.level for cell in cells] == ["in-order", "per-episode", "+5"]


def test_old_and_new_compare_where_both_played(tmp_path: Path) -> None:
    rows = compare(read(tmp_path, "new", False), read(tmp_path, "old", True))
    assert [row.condition for row in rows] == ["none/in-order", "shuffle-sensors/per-episode", "add-noise-channels/+5"]


def test_an_old_reason_for_it_is_still_read(tmp_path: Path) -> None:
    card = metadata("mine", 1, task=TASK)
    card["tasks"][TASK]["cannot_act"] = {"shuffle-sensors/every-500": "it said so"}
    made = read_submission(Files(card, table(card), "mine").write(tmp_path / "s"))
    assert make_boards([made], {})[0].lines[0].retention.value > 0


def test_what_a_run_submits_is_without_it(tmp_path: Path) -> None:
    run(load_suite("tiny"), tmp_path / "run", tasks=[TASK], agents=["random"])
    made = submit(tmp_path / "run", "dice", tmp_path / "out", About("uniform", ["A. Name"], "MIT", "nothing"), "random")
    assert {level for _, _, level, _ in made.cells} == {"in-order", "per-episode", "+5"}
    assert made.card.tasks[TASK].cannot_act == {}
