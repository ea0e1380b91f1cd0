"""From cells to rows: what is averaged, paired and left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.leaderboard import Row, make_report
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.runner import Manifest, Record

TASK = get_task("CartPoleSwingUp")
METRIC = TASK.metric
CLEAN, SHUFFLED, OFTEN = "none/in-order", "shuffle-sensors/per-episode", "shuffle-sensors/every-25"


def returns_of(score: float, spread: float = 0.0, episodes: int = 20) -> np.ndarray:
    """Returns with this normalised mean."""
    offsets = np.linspace(-spread, spread, episodes)
    return METRIC.random_return + (score + offsets) * (METRIC.reference_return - METRIC.random_return)


def find(rows: list[Row], agent: str, condition: str) -> Row:
    return next(row for row in rows if row.agent == agent and row.condition.id == condition)


def test_mean_and_std_are_over_all_episodes_of_all_runs(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [record("mlp", CLEAN, [0.0, 10.0], run=0), record("mlp", CLEAN, [20.0, 30.0], run=1)]
    row = find(make_report(manifest, records).rows, "mlp", CLEAN)
    assert (row.mean, row.runs, row.episodes, row.length) == (15.0, 2, 2, 7.0)
    assert row.std == pytest.approx(np.std([0, 10, 20, 30]))


def test_scores_are_normalised_by_the_constants_of_the_task(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [record("a", CLEAN, returns_of(1.0)), record("b", CLEAN, returns_of(0.0))]
    rows = make_report(manifest, records).rows
    assert find(rows, "a", CLEAN).iqm.value == pytest.approx(1.0)
    assert find(rows, "b", CLEAN).iqm.value == pytest.approx(0.0)


def test_intervals_are_over_runs_and_episodes_from_five_runs_on(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    runs = [record("many", CLEAN, returns_of(0.5, 0.3), run=run) for run in range(5)]
    rows = make_report(manifest, [*runs, record("one", CLEAN, returns_of(0.5, 0.3))]).rows
    many, one = find(rows, "many", CLEAN), find(rows, "one", CLEAN)
    assert (many.interval_over, one.interval_over) == ("runs and episodes", "episodes")
    assert many.iqm.high - many.iqm.low == pytest.approx(one.iqm.high - one.iqm.low, rel=0.1), "runs are all alike"
    few = [record("few", CLEAN, returns_of(score, 0.3), run=run) for run, score in enumerate((0.1, 0.5, 0.9, 0.5))]
    (of_few,) = (row for row in make_report(manifest, few).rows if row.agent == "few" and row.runs)
    assert of_few.interval_over == "episodes" and of_few.iqm.high - of_few.iqm.low < 0.3


def test_retention_is_the_share_of_the_clean_score(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [
        *(record("a", CLEAN, returns_of(0.8, 0.1), run=run) for run in range(3)),
        *(record("a", SHUFFLED, returns_of(0.4, 0.05), run=run) for run in range(3)),
    ]
    rows = make_report(manifest, records).rows
    assert find(rows, "a", SHUFFLED).retention == pytest.approx((0.5, 0.5, 0.5))


def test_retention_is_the_mean_of_what_each_run_keeps(manifest: Manifest, record: Callable[..., Record]) -> None:
    """Not the ratio of the means, which is .70 of these three runs."""
    records = [
        record("a", condition, returns_of(score), run=run)
        for condition, scores in ((CLEAN, (1.0, 0.5, 0.2)), (SHUFFLED, (0.5, 0.5, 0.19)))
        for run, score in enumerate(scores)
    ]
    assert round(find(make_report(manifest, records).rows, "a", SHUFFLED).retention.value, 2) == 0.82


def test_a_single_episode_has_no_interval_and_no_deviation(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [
        record(agent, condition, returns_of(0.5, episodes=1), run=run)
        for agent, runs in (("mlp", 1), ("a", 5), ("b", 1))
        for condition in (CLEAN, SHUFFLED)
        for run in range(runs)
    ]
    rows = make_report(manifest, records).rows
    for row in (row for row in rows if row.runs):
        assert row.interval_over == "" and not math.isnan(row.iqm.value + row.retention.value)
        assert all(math.isnan(made.low) and math.isnan(made.high) for made in (row.iqm, row.retention, row.improvement))
    assert math.isnan(find(rows, "mlp", CLEAN).std) and find(rows, "a", CLEAN).std == 0


def test_five_wins_of_five_are_not_certainty(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [
        record(a, CLEAN, returns_of(score), run=run) for a, score in (("mlp", 0.1), ("set", 0.9)) for run in range(5)
    ]
    made = find(make_report(manifest, records).rows, "set", CLEAN).improvement
    assert [round(number, 2) for number in made] == [1.0, 0.64, 1.0]


def test_the_baseline_retains_everything_if_there_was_something(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    rows = make_report(
        manifest, [record("a", CLEAN, returns_of(0.1, 1.0)), record("random", CLEAN, returns_of(0))]
    ).rows
    made = find(rows, "a", CLEAN).retention
    assert made.value == 1 and math.isnan(made.low) and math.isnan(made.high), "by definition, there is nothing to know"
    assert math.isnan(find(rows, "random", CLEAN).retention.value)


def test_retention_uses_runs_that_were_played_both_ways(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [
        *(record("a", CLEAN, returns_of(score), run=run) for run, score in enumerate((0.8, 0.2))),
        record("a", SHUFFLED, returns_of(0.4), run=0),
    ]
    assert find(make_report(manifest, records).rows, "a", SHUFFLED).retention.value == pytest.approx(0.5)


def test_improvement_is_against_the_agent_the_suite_names(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [record("mlp", SHUFFLED, returns_of(0.1)), record("set", SHUFFLED, returns_of(0.9))]
    rows = make_report(manifest, records).rows
    assert find(rows, "set", SHUFFLED).improvement.value == 1.0
    assert math.isnan(find(rows, "mlp", SHUFFLED).improvement.value)


def test_the_side_with_fewer_runs_decides_what_improvement_is_over(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    records = [
        record("mlp", CLEAN, returns_of(0.1)),
        *(record(agent, CLEAN, returns_of(0.9), run=run) for agent in ("set", "z") for run in range(2)),
    ]
    row = find(make_report(manifest, records).rows, "set", CLEAN)
    assert (row.interval_over, row.improvement_over) == ("episodes", "episodes")
    records.append(record("mlp", CLEAN, returns_of(0.1), run=1))
    rows = make_report(manifest, records).rows
    assert [find(rows, agent, CLEAN).improvement_over for agent in ("set", "mlp")] == ["runs", ""]


def test_a_row_without_episodes_says_why(manifest: Manifest, record: Callable[..., Record]) -> None:
    played = record("mlp", CLEAN, [1.0])
    pending = record("mlp", SHUFFLED, [1.0])
    manifest.skipped["tiny@1/CartPoleSwingUp/shuffle-sensors/every-25/mlp/s0"] = "it has 5 inputs"
    rows = make_report(manifest, [played]).rows
    assert str(find(rows, "mlp", SHUFFLED).gap) == "not evaluated yet"
    assert str(find(rows, "mlp", OFTEN).gap) == "skipped: it has 5 inputs"
    manifest.failed[pending.cell.id] = "RuntimeError: x"
    assert str(find(make_report(manifest, [played]).rows, "mlp", SHUFFLED).gap) == "failed: RuntimeError: x"


def test_a_row_that_misses_training_runs_says_why(manifest: Manifest, record: Callable[..., Record]) -> None:
    runs = [record("mlp", CLEAN, [1.0], run=run) for run in range(11)]
    row = find(make_report(manifest, runs[:9]).rows, "mlp", CLEAN)
    assert (row.runs, str(row.gap)) == (9, "2 of 11 training runs not evaluated yet")
    manifest.failed[runs[10].cell.id] = "RuntimeError: x"
    row = find(make_report(manifest, runs[:9]).rows, "mlp", CLEAN)
    assert str(row.gap) == "1 of 11 training runs failed: RuntimeError: x"
    assert find(make_report(manifest, runs).rows, "mlp", CLEAN).gap is None


def test_training_runs_of_different_length_are_one_clear_error(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    records = [record("mlp", CLEAN, [1.0], run=0), record("mlp", CLEAN, [1.0, 2.0], run=1)]
    with pytest.raises(SymbenchError, match=r"mlp in CartPoleSwingUp, none/in-order, have 1 and 2 episodes"):
        make_report(manifest, records)


def test_rows_come_in_the_order_of_the_suite_the_baseline_first_and_random_play_last(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    records = [record(agent, c, [1.0]) for agent in ("random", "z", "mlp", "a") for c in (OFTEN, CLEAN, SHUFFLED)]
    rows = make_report(manifest, records).rows
    assert [row.agent for row in rows[:4]] == ["mlp", "z", "a", "random"]
    assert [row.condition.id for row in rows[::4]] == [CLEAN, SHUFFLED, OFTEN]


def test_a_number_does_not_depend_on_the_rest_of_the_table(manifest: Manifest, record: Callable[..., Record]) -> None:
    ours = record("a", CLEAN, returns_of(0.5, 0.3))
    alone = find(make_report(manifest, [ours]).rows, "a", CLEAN)
    others = [record("b", CLEAN, returns_of(0.1)), record("mlp", SHUFFLED, returns_of(0.2))]
    assert find(make_report(manifest, [*others, ours]).rows, "a", CLEAN) == alone


def test_tasks_are_summarised_for_agents_that_play_all_of_them(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    assert make_report(manifest, [record("a", CLEAN, returns_of(0.5))]).summary == []
    manifest.add_task("CartPole-v1")
    records = [
        *(record("a", CLEAN, returns_of(0.5), run=run) for run in range(5)),
        *(record("a", CLEAN, np.full(20, 500.0), run=run, task="CartPole-v1") for run in range(5)),
        record("b", CLEAN, returns_of(0.5)),
    ]
    summary = make_report(manifest, records).summary
    assert {entry.agent for entry in summary} == {"a"}
    assert summary[0].iqm == pytest.approx((0.75, 0.75, 0.75))
    assert math.isnan(summary[1].iqm.value)
