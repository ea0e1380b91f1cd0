"""Boards of tasks with references rank by the gap, less is better; those of other tasks are as they were."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from submission_cases import Files, metadata

from symbench.leaderboard.board import Board, make_boards, tables
from symbench.leaderboard.site import pages
from symbench.leaderboard.submission_schema import COLUMNS
from symbench.leaderboard.validate import Submission, read_submission
from symbench.solvers.reference_sets import reference_set
from symbench.suites import load_suite
from symbench.tasks import TASKS, get_task

if TYPE_CHECKING:
    from pathlib import Path

TASK, RUNS, EPISODES = "TSP20", 5, 1000
CONDITIONS = load_suite("routing").distinct(get_task(TASK))
IN_PLACE, MIRRORED = CONDITIONS[0].id, "transform-by-group/mirrored"


def add(folder: Path, name: str, gaps: dict[str, float], runs: int = RUNS, **changes: Any) -> Submission:
    """A submission to routing@1 whose tours are so many % above the references; a run a little more than the last."""
    card = metadata(name, runs, TASK, suite="routing@1", **changes)
    references, lines = reference_set(TASK), [",".join(COLUMNS)]
    for condition in CONDITIONS:
        if condition.id in card["tasks"][TASK]["cannot_act"]:
            continue
        for run in range(runs):
            share = 1 + (gaps.get(condition.id, gaps["else"]) + run / 100) / 100
            for episode, length in enumerate(references.lengths[:EPISODES].tolist()):
                where = f"{TASK},{condition.name},{condition.level},{run},{references.first_seed + episode}"
                lines.append(f"{where},{-share * length!r},20,1")
    return read_submission(Files(card, "\n".join(lines) + "\n", name).write(folder))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """The steady one keeps all of its score and is worse everywhere; by retention it would be the first."""
    folder = tmp_path_factory.mktemp("submissions")
    cannot = {**metadata("deaf", RUNS, TASK)["tasks"][TASK], "cannot_act": {MIRRORED: "reads no mirrored maps"}}
    submissions = [
        add(folder, "steady", {"else": 9.0}),
        add(folder, "good", {IN_PLACE: 1.0, MIRRORED: 7.0, "else": 4.0}),
        add(folder, "equal", {IN_PLACE: 1.0, MIRRORED: 7.0, "else": 4.0}),
        add(folder, "deaf", {"else": 0.0}, tasks={TASK: cannot}),
        add(folder, "few", {"else": 0.0}, runs=1),
    ]
    (made,) = make_boards(submissions, {})
    return made


def test_the_least_mean_gap_is_first(board: Board) -> None:
    assert [(line.card.name, line.rank) for line in board.lines] == [
        ("equal", 1),
        ("good", 1),
        ("steady", 3),
        ("deaf", 4),
        ("few", None),
    ]
    _, good, steady, *_ = board.lines
    assert good.retention.value < steady.retention.value
    # The interquartile mean of gaps of five runs that are .01 apart is that of the third.
    assert good.gap.value == pytest.approx((1 + 7 + 4 * (len(CONDITIONS) - 2)) / len(CONDITIONS) + 0.02)
    assert good.gap.low < good.gap.value < good.gap.high
    assert good.worst == MIRRORED and good.gaps[MIRRORED] == pytest.approx(7.02)


def test_where_an_agent_cannot_act_tours_are_as_long_as_random_ones(board: Board) -> None:
    deaf = next(line for line in board.lines if line.card.name == "deaf")
    random = -(get_task(TASK).metric.random_return or 0) / reference_set(TASK).lengths[:EPISODES]
    assert deaf.gaps[MIRRORED] == pytest.approx(100 * (random.mean() - 1)) and deaf.worst == MIRRORED


def test_tables_and_site_show_gaps(board: Board) -> None:
    texts = tables([board])
    heading = texts["LEADERBOARD.md"].split("## routing@1, TSP20\n")[1]
    assert "| gap in % [95%] |" in heading and "| retention [95%] |" not in heading
    (row,) = [row for row in heading.splitlines() if "| **good** |" in row]
    assert row.startswith(f"| 1 | **good** | {board.lines[1].gap.value:.2f} [") and f"| 7.02 {MIRRORED} |" in row
    values = {row["name"]: row for row in csv.DictReader(texts["leaderboard.csv"].splitlines())}
    assert float(values["good"]["gap_low"]) < float(values["good"]["gap"]) < float(values["steady"]["gap"])
    assert values["good"]["worst_gap"] == "7.0200"
    site = pages([board])
    index, agent = site["index.html"], site["agents/good.html"]
    assert 'aria-sort="ascending">gap in %</th>' in index and ">perturbed score</th>" not in index
    assert index.index("agents/good.html") < index.index("agents/steady.html")
    assert f'<span class="figure">{board.lines[1].gap.value:.2f} [' in index
    assert "</b> gap in %, 7.02 at worst" in agent and "1.02 [" in agent


def test_only_metrics_with_references_rank_by_the_gap() -> None:
    assert {name for name, task in TASKS.items() if task.metric.ranked_by == "gap"} == {
        *("TSP20", "TSP50", "TSP100", "CVRP20")
    }
    assert Board("routing@1", "CVRP20", []).by_gap and not Board("tiny@2", "CartPole-v1", []).by_gap
