"""The rules of a submission: each is named, found where it is broken, and found together with all the others."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from submission_cases import BROKEN, SUITE, TASK, Files, field_of, key, metadata, raw, repeated, table

from symbench.errors import SymbenchError
from symbench.leaderboard import submission_schema
from symbench.leaderboard.submission_problems import MOST_SHOWN, RULES
from symbench.leaderboard.submission_schema import COLUMNS, MAX_JSON_BYTES
from symbench.leaderboard.validate import read_submission, validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OF_NAMES = {"file-name", "file-pair", "file-kind"}  # tested below, with files of their own
OF_SEVERAL = {"same-run", "copy", "look-alike"}  # tested with the attacks they are for, in tests/attacks


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


def broken(path: Path) -> list[str]:
    submissions, problems = validate([path])
    assert not (submissions and problems)
    return [problem.rule for problem in problems]


def test_a_good_submission_is_read_number_by_number(tmp_path: Path) -> None:
    files = Files()
    submission = read_submission(files.write(tmp_path / "s"))
    assert submission.card.name == "mine" and submission.suite.tag == "tiny@2"
    assert len(submission.cells) == 6
    rows = [line.split(",") for line in files.table.split("\n")[1:-1]]
    for task, perturbation, level, run, seed, value, length, _ in rows:
        cell = submission.cells[task, perturbation, level, run]
        assert cell.returns[int(seed) - 100] == float(value) and cell.lengths[int(seed) - 100] == int(length)


@pytest.mark.parametrize(("rule", "change", "place", "message"), BROKEN)
def test_a_broken_rule_is_named_with_its_place(
    tmp_path: Path, rule: str, change: Callable[[Files], None], place: tuple[int, int], message: str
) -> None:
    files = Files()
    change(files)
    submissions, problems = validate([files.write(tmp_path / "s")])
    assert not submissions
    found = [problem for problem in problems if problem.rule == rule and message in problem.message]
    assert found, [str(problem) for problem in problems]
    line, column = place
    assert found[0].line == line
    assert column in (0, found[0].column)
    assert str(found[0]).isascii() and "\n" not in str(found[0])


def test_every_rule_has_a_test() -> None:
    assert {rule for rule, *_ in BROKEN} | OF_NAMES | OF_SEVERAL == RULES.keys()


def test_everything_that_is_wrong_is_said_in_one_pass(tmp_path: Path) -> None:
    files = Files()
    for change in (
        key("licence", to="<b>"),
        key("stars", to=5),
        field_of(3, "return", "nan"),
        field_of(4, "seed", "7"),
        field_of(5, "task", "=1+1"),
        repeated(9),
    ):
        change(files)
    rules = broken(files.write(tmp_path / "s"))
    assert rules.count("metadata") == 2
    assert {"not-finite", "seed", "formula", "duplicate", "missing-episodes"} <= set(rules)


def test_a_problem_reads_like_a_compilers(tmp_path: Path) -> None:
    files = Files()
    field_of(3, "return", "nan")(files)
    path = files.write(tmp_path / "s")
    _, problems = validate([path])
    assert str(problems[0]).startswith("return: ") is False
    lines = [str(problem) for problem in problems]
    assert f"{path}:3:37: return: a decimal number is expected, received 'nan' [not-finite]" in lines


def test_of_one_rule_only_the_first_places_are_listed(tmp_path: Path) -> None:
    files = Files()
    files.table = files.table.replace(",500,", ",5000,") + "x\n" * 1000
    _, problems = validate([files.write(tmp_path / "s")])
    assert sum(problem.rule == "fields" for problem in problems) == MOST_SHOWN + 1
    assert any(problem.message == f"and {1000 - MOST_SHOWN} more" for problem in problems)


def test_all_mistakes_of_the_metadata_are_counted(tmp_path: Path) -> None:
    files = Files(metadata(**{f"key-{number:04}": 1 for number in range(1000)}))
    _, problems = validate([files.write(tmp_path / "s")])
    assert [problem.message for problem in problems][-1] == f"and {1000 - MOST_SHOWN} more"


def test_a_file_may_have_just_as_many_bytes_as_are_allowed(tmp_path: Path) -> None:
    for size, found in ((MAX_JSON_BYTES, []), (MAX_JSON_BYTES + 1, ["file-size"])):
        files = Files()
        raw(".json", lambda text, size=size: text.ljust(size))(files)  # type: ignore[misc]
        assert broken(files.write(tmp_path / str(size))) == found


def test_the_first_mistake_is_said_and_how_many_more_there_are(tmp_path: Path) -> None:
    files = Files()
    key("tasks", TASK, "parameters", to=-1)(files)
    path = files.write(tmp_path / "one")
    with pytest.raises(SymbenchError, match=rf": tasks\.{TASK}\.parameters: .* \[metadata\]$"):
        read_submission(path)
    key("licence", to="=1")(files)
    with pytest.raises(SymbenchError, match=r"\[metadata\] \(and 1 more; symbench validate lists them\)$"):
        read_submission(files.write(tmp_path / "two"))
    path = Files().write(tmp_path / "three")
    path.unlink()
    with pytest.raises(SymbenchError, match=r"this file is missing; a submission is NAME\.csv and NAME\.json"):
        read_submission(path)


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    plain = read_submission(Files().write(tmp_path / "a"))
    files = Files()
    files.table = "\n".join(",".join(reversed(line.split(","))) for line in files.table.split("\n"))
    turned = read_submission(files.write(tmp_path / "b"))
    assert all((turned.cells[name].returns == cell.returns).all() for name, cell in plain.cells.items())


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    files = Files()
    files.table = files.table.replace("\n", "\r\n")
    assert len(read_submission(files.write(tmp_path / "s")).cells) == 6


def test_a_condition_under_which_the_agent_cannot_act_is_not_missed(tmp_path: Path) -> None:
    card = metadata()
    card["tasks"][TASK]["cannot_act"] = {"add-noise-channels/+5": "reads 5 sensors"}
    submission = read_submission(Files(card).write(tmp_path / "s"))
    assert len(submission.cells) == 4
    files = Files(card, table(metadata()))
    assert "value" in broken(files.write(tmp_path / "t"))  # and may not be there either


@pytest.mark.parametrize(
    "name",
    [
        *("Mine.csv", "my agent.csv", "..csv", "a..b.csv", ".hidden.csv", "con.csv", "aux.x.csv", "-rf.csv"),
        *("x;rm.csv", "a" * 65 + ".csv", "mine.csv.gz", "mine.zip", "mine", "mine.exe"),
        *("m\u0456ne.csv", "mi\nne.csv"),
    ],
)
def test_names_that_play_tricks_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "s"
    Files().write(folder)
    (folder / name).write_bytes(b"PK\x03\x04")
    _, problems = validate([folder])
    assert [problem.rule for problem in problems] == ["file-name"]
    assert str(problems[0]).isascii() and "\n" not in str(problems[0])


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_both_files_are_needed_and_either_stands_for_both(tmp_path: Path, suffix: str) -> None:
    path = Files().write(tmp_path / "s")
    assert broken(path.with_suffix(suffix)) == []
    path.with_suffix(suffix).unlink()
    assert broken(tmp_path / "s") == broken(path) == ["file-pair"]


def test_links_folders_and_pipes_are_not_opened(tmp_path: Path) -> None:
    path = Files().write(tmp_path / "s")
    secret = path.rename(tmp_path / "secret.csv")
    path.symlink_to(secret)
    assert broken(path) == ["file-kind"]
    path.unlink()
    path.mkdir()
    assert broken(path.with_suffix(".json")) == ["file-kind"]
    path.rmdir()
    os.mkfifo(path)
    assert broken(path) == ["file-kind"]


def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    files = Files()
    field_of(3, "return", "nan")(files)
    with pytest.raises(SymbenchError, match=r"missing-episodes|not-finite.*and 1 more; symbench validate lists them"):
        read_submission(files.write(tmp_path / "s"))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_that_was_published_is_still_read(version: int, request: pytest.FixtureRequest) -> None:
    """The files in formats/ are never edited."""
    submission = read_submission(request.path.parent / "formats" / f"format-{version}.csv")
    assert submission.card.format == submission_schema.FORMAT
    cell = submission.cells[TASK, "shuffle-sensors", "per-episode", "1"]
    assert cell.returns.tolist() == [12.5, 0.25, 999.0] and cell.lengths.tolist() == [20, 1, 1000]
    assert cell.terminated.tolist() == [True, True, False]


def test_there_is_a_file_of_every_version(request: pytest.FixtureRequest) -> None:
    versions = {int(path.stem.removeprefix("format-")) for path in (request.path.parent / "formats").glob("*.json")}
    assert versions == {submission_schema.FORMAT, *submission_schema.UPGRADES}


def test_older_versions_go_through_every_step_to_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {
        1: lambda data: {**data, "licence": data["license"]},
        2: lambda data: {key: value for key, value in data.items() if key != "license"},
    }
    monkeypatch.setattr(submission_schema, "FORMAT", 3)
    monkeypatch.setattr(submission_schema, "UPGRADES", steps)
    assert submission_schema.upgrade({"format": 1, "license": "MIT"}) == {"format": 3, "licence": "MIT"}
    assert submission_schema.upgrade({"format": 3, "licence": "MIT"}) == {"format": 3, "licence": "MIT"}
    with pytest.raises(SymbenchError, match="1 or 2 or 3 is expected, received 4"):
        submission_schema.upgrade({"format": 4})


def test_the_schema_is_complete_in_both_directions() -> None:
    """What a good submission has is what the format asks for; the table has the documented columns."""
    assert set(metadata()) == set(submission_schema.Card.model_fields)
    assert table(metadata()).split("\n")[0].split(",") == list(COLUMNS)
    assert json.loads(submission_schema.Card.model_validate(metadata()).model_dump_json()) == metadata()


def test_a_task_without_a_reference_return_has_no_board(tmp_path: Path) -> None:
    """Its returns cannot be normalised: a submission of it would break all boards."""
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE.replace("tasks = [", 'tasks = ["Wildlife", '))
    path = Files(metadata(task="Wildlife"), table(metadata())).write(tmp_path / "s")
    (problem,) = [problem for problem in validate([path])[1] if problem.rule == "suite"]
    assert "Wildlife has no reference return, so that nothing says what a good score is" in str(problem)
