"""Episodes of Pong that are the same game again are counted once; those of other tasks are not looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.envs.pong import FRAME_SKIP, last_frame
from symbench.leaderboard import Row, make_report
from symbench.leaderboard.frame import leaderboard_frame
from symbench.leaderboard.text import notices, return_of
from symbench.suites import parse_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.runner import Manifest, Record
    from symbench.suites import Suite

CLEAN, SHUFFLED = "none/in-order", "shuffle-sensors/per-episode"
RETURNS = np.array([21.0, 15.0, 20.0, -3.0])  # of the four games
EPISODES = 100


@pytest.fixture
def suite() -> Suite:
    conditions = [
        {"name": "none", "level": "in-order", "baseline": True},
        {"name": "shuffle-sensors", "level": "per-episode"},
    ]
    data = {"name": "tiny", "version": 1, "description": "Pong", "seed": 3, "compare_with": "other"}
    return parse_suite({**data, "tasks": ["Pong", "CartPole-v1"], "perturbations": conditions}, "tiny")


@pytest.fixture
def manifest(manifest: Manifest) -> Manifest:
    manifest.add_task("Pong")
    manifest.add_task("CartPole-v1")
    del manifest.tasks["CartPoleSwingUp"]
    return manifest


def of_four_games(record: Record, ends: int = 6000) -> Record:
    """The same cell, of an agent whose game depends on the no-ops modulo 4 alone."""
    waited = np.array([last_frame(seed, 0) for seed in record.episodes.seeds.tolist()])
    lengths = (ends + waited % FRAME_SKIP - waited) // FRAME_SKIP
    return replace(record, episodes=replace(record.episodes, returns=RETURNS[waited % FRAME_SKIP], lengths=lengths))


def row_of(rows: list[Row], agent: str, condition: str, task: str = "Pong") -> Row:
    return next(row for row in rows if (row.task, row.agent, row.condition.id) == (task, agent, condition))


def test_each_game_counts_once_and_tables_say_how_many_there_are(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    plain = record("memoryless", CLEAN, np.zeros(EPISODES), task="Pong")
    report = make_report(manifest, [of_four_games(plain)])
    row, metric = row_of(report.rows, "memoryless", CLEAN), manifest.tasks["Pong"].metric
    assert (row.episodes, row.games) == (EPISODES, 4)
    assert row.iqm.value == pytest.approx(float(metric.score(RETURNS).mean()))
    few = make_report(manifest, [record("four", CLEAN, RETURNS, task="Pong")])
    of_four = row_of(few.rows, "four", CLEAN)
    assert of_four.games == 4
    assert row.iqm.high - row.iqm.low == pytest.approx(of_four.iqm.high - of_four.iqm.low, rel=0.2)
    assert return_of(row).endswith(", 4 games") and return_of(of_four).endswith("9.7")
    assert any("count each of them once" in notice for notice in notices(manifest, "Pong", report.rows))
    assert leaderboard_frame([row])["games"].tolist() == [4]


def test_a_game_is_the_same_only_if_it_is_under_both_conditions(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    clean = of_four_games(record("a", CLEAN, np.zeros(EPISODES), task="Pong"))
    hidden = record("a", SHUFFLED, np.linspace(-21, 21, EPISODES), task="Pong")
    rows = make_report(manifest, [clean, hidden]).rows
    assert (row_of(rows, "a", CLEAN).games, row_of(rows, "a", SHUFFLED).games) == (4, EPISODES)
    gains = manifest.tasks["Pong"].metric.gain
    kept = gains(hidden.episodes.returns).mean() / gains(clean.episodes.returns).mean()
    assert row_of(rows, "a", SHUFFLED).retention.value == pytest.approx(float(kept))


def test_equal_returns_of_a_task_that_draws_its_starts_stay_apart(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    report = make_report(manifest, [record("a", CLEAN, np.full(EPISODES, 500.0), task="CartPole-v1")])
    row = row_of(report.rows, "a", CLEAN, "CartPole-v1")
    assert row.games == row.episodes == EPISODES
    assert not any(notice.startswith("games:") for notice in notices(manifest, "CartPole-v1", report.rows))
