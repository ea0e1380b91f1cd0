"""Boards: who is ranked, who shares a rank, who is apart, and what the tables say."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from maintainer_keys import entry_of
from submission_cases import SUITE, TASK, Files, metadata, table

from symbench.errors import SymbenchError
from symbench.leaderboard.board import (
    Board,
    make_boards,
    read_boards,
    stale_tables,
    tables,
    write_tables,
)
from symbench.leaderboard.board_text import escaped
from symbench.leaderboard.gap_rows import read_tables
from symbench.leaderboard.site import stale_pages
from symbench.leaderboard.text import NOTHING
from symbench.leaderboard.validate import Submission, read_submission
from symbench.leaderboard.verified import Verified, read_verified

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


def add(folder: Path, name: str, runs: int = 5, keep: float = 0.5, seed: int = 0, **changes: Any) -> Submission:
    """Writes a submission into ``folder/submissions``."""
    card = metadata(name, runs, **changes)
    return read_submission(Files(card, table(card, seed, keep), name).write(folder / "submissions"))


def board(folder: Path, verified: dict[str, Verified] | None = None) -> Board:
    (made,) = make_boards([read_submission(path) for path in sorted(folder.rglob("*.csv"))], verified or {})
    return made


def names(of: Board) -> list[tuple[str, int | None]]:
    return [(line.card.name, line.rank) for line in of.lines]


def seal(of: Submission) -> dict[str, Verified]:
    return {of.card.name: entry_of(of)}


def test_agents_are_ordered_by_the_score_under_perturbation(tmp_path: Path) -> None:
    for name, keep in (("weak", 0.1), ("strong", 0.9), ("medium", 0.5)):
        add(tmp_path, name, keep=keep)
    assert names(board(tmp_path)) == [("strong", 1), ("medium", 2), ("weak", 3)]


def test_equal_agents_share_a_rank(tmp_path: Path) -> None:
    for name, keep, seed in (("a", 0.9, 1), ("b", 0.9, 1), ("c", 0.2, 3), ("d", 0.2, 3)):
        add(tmp_path, name, keep=keep, seed=seed)
    ranked = dict(names(board(tmp_path)))
    assert ranked["a"] == ranked["b"] == 1 and ranked["c"] == ranked["d"] == 3


def test_fewer_than_five_training_runs_are_shown_last_and_not_ranked(tmp_path: Path) -> None:
    add(tmp_path, "few", runs=4, keep=0.99)
    add(tmp_path, "enough", runs=5, keep=0.2)
    assert names(board(tmp_path)) == [("enough", 1), ("few", None)]


def test_verified_and_unverified_are_ranked_apart(tmp_path: Path) -> None:
    add(tmp_path, "claimed", keep=0.99)
    seen = add(tmp_path, "seen", keep=0.2)
    made = board(tmp_path, seal(seen))
    assert names(made) == [("seen", 1), ("claimed", 1)]
    text = tables([made])["LEADERBOARD.md"]
    assert (
        text.index("### Verified") < text.index("**seen**") < text.index("### Not verified") < text.index("**claimed**")
    )


def test_a_submission_that_was_changed_is_not_verified_any_more(tmp_path: Path) -> None:
    known = seal(add(tmp_path, "mine"))
    assert board(tmp_path, known).lines[0].verified
    add(tmp_path, "mine", seed=1)
    assert not board(tmp_path, known).lines[0].verified


def test_the_numbers_are_those_of_the_definition(tmp_path: Path) -> None:
    """Worked out again from the text of the table: normalise, average episodes, divide, IQM."""
    add(tmp_path, "mine", runs=6)
    (line,) = board(tmp_path).lines
    rows = list(csv.DictReader((tmp_path / "submissions" / "mine.csv").read_text().splitlines()))
    by_cell: dict[tuple[str, int], list[float]] = {}
    for row in rows:
        score = (float(row["return"]) - 23.28) / (593.0 - 23.28)
        by_cell.setdefault((row["severity"], int(row["run"])), []).append(score)
    mean = {cell: np.mean(scores) for cell, scores in by_cell.items()}
    shares = [sorted(mean[level, run] / mean["in-order", run] for run in range(6)) for level in ("per-episode", "+5")]
    assert line.retention.value == pytest.approx(np.mean([each[1:5] for each in shares]))
    assert list(line.kept.values()) == pytest.approx([np.mean(each[1:5]) for each in shares])
    clean = sorted(mean["in-order", run] for run in range(6))
    assert line.clean.value == pytest.approx(np.mean(clean[1:5]))
    perturbed = [sorted(mean[level, run] for run in range(6)) for level in ("per-episode", "+5")]
    assert list(line.scores.values()) == pytest.approx([np.mean(each[1:5]) for each in perturbed])
    assert line.score.value == pytest.approx(np.mean(list(line.scores.values())))
    assert line.score.low < line.score.value < line.score.high
    assert line.retention.low < line.retention.value < line.retention.high
    assert line.episodes == 3 and line.runs == 6
    assert line.clean_return == pytest.approx(
        np.mean([float(r["return"]) for r in rows if r["severity"] == "in-order"])
    )


def test_a_condition_under_which_an_agent_cannot_act_counts_zero(tmp_path: Path) -> None:
    card = metadata("mine", 5)
    card["tasks"][TASK]["cannot_act"] = {"add-noise-channels/+5": "reads 5 sensors"}
    Files(card, name="mine").write(tmp_path / "submissions")
    add(tmp_path, "acts")
    acts, mine = board(tmp_path).lines
    assert mine.card.name == "mine" and mine.kept[mine.worst] == mine.scores[mine.worst] == 0
    assert mine.worst == "add-noise-channels/+5"
    assert acts.kept["add-noise-channels/+5"] > 0.3


def test_an_agent_that_has_learned_nothing_has_no_retention_and_the_last_rank(tmp_path: Path) -> None:
    card = metadata("nothing", 5)
    rows = table(card).split("\n")
    rows[1:-1] = [",".join([*row.split(",")[:5], "20.0", *row.split(",")[6:]]) for row in rows[1:-1]]
    Files(card, "\n".join(rows), "nothing").write(tmp_path / "submissions")
    add(tmp_path, "something")
    made = board(tmp_path)
    assert names(made) == [("something", 1), ("nothing", 2)]
    nothing = made.lines[1]
    assert math.isnan(nothing.retention.value) and nothing.kept == {} and not nothing.below_the_bar
    (row,) = (row for row in tables([made])["LEADERBOARD.md"].split("\n") if "**nothing**" in row)
    assert row.split(" | ")[4] == NOTHING


def with_clean(folder: Path, name: str, clean: float) -> Submission:
    """Submits an agent of perturbed returns of 300 and these clean ones."""
    card = metadata(name, 5)
    rows = [row.split(",") for row in table(card).split("\n")]
    for row in rows[1:-1]:
        row[5:7] = str(clean if row[2] == "in-order" else 300.0), "1000"
    return read_submission(Files(card, "\n".join(map(",".join, rows)), name).write(folder / "submissions"))


def test_nobody_keeps_more_than_all_of_it_and_a_share_of_little_is_marked(tmp_path: Path) -> None:
    """By version 2 the first of them kept 149% and was the first; the bar of a suite that names none is 0.9."""
    with_clean(tmp_path, "sandbag", 209.0)
    with_clean(tmp_path, "honest", 560.0)
    made = board(tmp_path)
    honest, sandbag = made.lines
    assert names(made) == [("honest", 1), ("sandbag", 1)]
    assert sandbag.retention == (1, 1, 1) and set(sandbag.kept.values()) == {1.0} and honest.retention.value < 0.6
    assert (sandbag.below_the_bar, honest.below_the_bar, honest.bar) == (True, False, 0.9)
    text = tables([made])["LEADERBOARD.md"]
    marks = {row.split("**")[1]: "†" in row for row in text.split("\n") if "| **" in row}
    assert marks == {"sandbag": True, "honest": False} and "Bar: a clean score of 0.90." in text
    rows = {row["name"]: row for row in csv.DictReader(tables([made])["leaderboard.csv"].splitlines())}
    assert rows["sandbag"]["retention"] == "1.0000" and rows["honest"]["bar"] == "0.9000"
    assert rows["sandbag"]["perturbed"] == rows["honest"]["perturbed"] == rows["honest"]["worst_perturbed"]


def test_between_equals_the_clean_score_decides_then_the_name(tmp_path: Path) -> None:
    for name, clean in (("a", 400.0), ("b", 420.0), ("c", 400.0)):
        with_clean(tmp_path, name, clean)
    assert names(board(tmp_path)) == [("b", 1), ("a", 1), ("c", 1)]


@pytest.mark.parametrize(("runs", "over"), [(1, "episodes"), (4, "episodes"), (5, "runs and episodes")])
def test_intervals_of_few_training_runs_are_marked(tmp_path: Path, runs: int, over: str) -> None:
    add(tmp_path, "mine", runs=runs)
    made = board(tmp_path)
    (row,) = [row for row in tables([made])["LEADERBOARD.md"].split("\n") if "**mine**" in row]
    assert row.count("] \\*") == (3 if over == "episodes" else 0) and row.count("[") == 4 and "nan" not in row
    (line,) = csv.DictReader(tables([made])["leaderboard.csv"].splitlines())
    assert (line["interval_over"], line["statistics"]) == (over, "3")


def test_the_hardest_condition_is_not_trimmed_away(tmp_path: Path) -> None:
    """Three of six runs keep nothing of one condition: half of it is left, and 75% on the whole.

    An interquartile mean over runs and conditions together leaves the three zeros out and says 100%.
    """
    card = metadata("mine", 6)
    rows = [row.split(",") for row in table(card).split("\n")]
    for row in rows[1:-1]:
        row[5] = "23.28" if row[2] == "per-episode" and int(row[3]) < 3 else "300.0"
    Files(card, "\n".join(map(",".join, rows)), "mine").write(tmp_path / "submissions")
    made = board(tmp_path)
    assert made.lines[0].retention.value == pytest.approx(0.75)
    (line,) = csv.DictReader(tables([made])["leaderboard.csv"].splitlines())
    assert (line["worst_condition"], line["worst_retention"]) == ("shuffle-sensors/per-episode", "0.5000")
    half = made.lines[0].clean.value / 2
    assert f"| {half:.2f} shuffle-sensors/per-episode |" in tables([made])["LEADERBOARD.md"]


def test_every_task_has_a_board_of_its_own(tmp_path: Path) -> None:
    add(tmp_path, "one")
    add(tmp_path, "other", task="CartPole-v1")
    both = {task: metadata("both", 5, task)["tasks"][task] for task in (TASK, "CartPole-v1")}
    add(tmp_path, "both", seed=1, tasks=both)
    boards = {made.task: made for made in read_boards(tmp_path)}
    assert {task: {line.card.name for line in made.lines} for task, made in boards.items()} == {
        "CartPole-v1": {"other", "both"},
        "CartPoleSwingUp": {"one", "both"},
    }


def test_the_tables_do_not_depend_on_the_order_of_the_files_or_on_who_else_is_there(tmp_path: Path) -> None:
    a, b = add(tmp_path, "a"), add(tmp_path, "b", keep=0.9)
    assert tables(make_boards([a, b], {})) == tables(make_boards([b, a], {}))
    alone, together = make_boards([a], {})[0].lines[0], make_boards([a, b], {})[0].lines[1]
    assert alone.retention == together.retention


def test_tables_are_stale_as_soon_as_anything_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, "mine")
    assert stale_tables(tmp_path) == ["LEADERBOARD.md", "leaderboard.csv"]
    write_tables(tmp_path)
    assert stale_tables(tmp_path) == []
    before = (tmp_path / "LEADERBOARD.md").read_bytes()
    write_tables(tmp_path)
    assert (tmp_path / "LEADERBOARD.md").read_bytes() == before
    add(tmp_path, "mine", keep=0.2)
    assert stale_tables(tmp_path) == ["LEADERBOARD.md", "leaderboard.csv"]
    write_tables(tmp_path)
    (tmp_path / "leaderboard.csv").write_text("edited")
    assert stale_tables(tmp_path) == ["leaderboard.csv"]


def test_a_board_is_not_made_of_a_broken_submission(tmp_path: Path) -> None:
    add(tmp_path, "mine")
    (tmp_path / "submissions" / "mine.json").unlink()
    with pytest.raises(SymbenchError, match=r"mine\.json: this file is missing"):
        read_boards(tmp_path)
    with pytest.raises(SymbenchError, match="holds no leaderboard"):
        read_boards(tmp_path / "nowhere")


def test_a_damaged_list_of_verified_ones_is_one_clear_line(tmp_path: Path) -> None:
    assert read_verified(tmp_path / "verified.json") == {}
    for content in ("{", "[]", '{"mine": {"digest": 1}}'):
        (tmp_path / "verified.json").write_text(content)
        with pytest.raises(SymbenchError, match=r"verified\.json is damaged"):
            read_verified(tmp_path / "verified.json")


def test_text_of_a_stranger_is_shown_letter_by_letter(tmp_path: Path) -> None:
    add(tmp_path, "mine", description="<script>x</script> | [a](javascript:b) **c** `d` &amp; https://example.org")
    text = tables([board(tmp_path)])["LEADERBOARD.md"]
    (row,) = [row for row in text.split("\n") if "**mine**" in row]
    assert "\\<script\\>" in row and "\\[a\\]\\(javascript" in row and "\\`d\\`" in row and "https\\://" in row
    assert row.replace("\\|", "").count("|") == text.split("\n| rank")[1].split("\n")[0].count("|") + 1
    assert escaped("plain words, 64.") == "plain words, 64."


def test_the_csv_holds_what_the_markdown_shows_and_no_formula(tmp_path: Path) -> None:
    add(tmp_path, "mine", authors=["A. Name", 'B "the" Other'], code="https://example.org/x")
    text = tables([board(tmp_path)])["leaderboard.csv"]
    (row,) = csv.DictReader(text.splitlines())
    assert (row["suite"], row["task"], row["name"], row["rank"]) == ("tiny@2", TASK, "mine", "1")
    assert row["authors"] == 'A. Name; B "the" Other' and row["code"] == "https://example.org/x"
    for number in ("perturbed", "retention"):
        assert float(row[f"{number}_low"]) < float(row[number]) < float(row[f"{number}_high"])
    assert not any(value.startswith(tuple("=+-@")) for value in row.values())


def test_tables_name_the_version_of_their_statistics_and_keep_those_of_earlier_ones(tmp_path: Path) -> None:
    add(tmp_path, "mine")
    made = tables([board(tmp_path)])
    assert "Statistics: version 3" in made["LEADERBOARD.md"] and "archive/" in made["LEADERBOARD.md"]
    for version, commit, retention in ((1, "9b84918", "0.9722"), (2, "a0e4be7", "0.9342")):
        old = ROOT / "leaderboards" / "archive" / f"statistics-{version}"
        assert f"commit {commit}" in (old / "LEADERBOARD.md").read_text().splitlines()[0]
        rows = {row["name"]: row for row in csv.DictReader((old / "leaderboard.csv").read_text().splitlines())}
        assert rows["recurrent-attention-neuron"]["retention"] == retention


def test_an_empty_board_says_so(tmp_path: Path) -> None:
    (tmp_path / "submissions").mkdir()
    write_tables(tmp_path)
    assert "No submissions yet." in (tmp_path / "LEADERBOARD.md").read_text()


@pytest.mark.slow
def test_tables_and_site_of_this_repository_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the bundled suites
    assert stale_tables(ROOT / "leaderboards") == []
    folder = ROOT / "leaderboards"
    assert stale_pages(read_boards(folder), folder / "site", read_tables(folder)) == []
