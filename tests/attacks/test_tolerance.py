"""Attack: the submitter says how far off numbers may be, and where they were computed, and rewrites episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from verify_cases import doctored, elsewhere, longer, networks, small_suite, submitted

from symbench.leaderboard.verify import verify
from symbench.leaderboard.verify_differences import sign_test, too_far

if TYPE_CHECKING:
    from pathlib import Path

    from verify_cases import Row


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    small_suite(tmp_path, monkeypatch)
    return networks(tmp_path, 5)


@pytest.fixture
def table(tmp_path: Path, agents: list[str]) -> Path:
    return submitted(tmp_path, agents)


def reordered(rows: list[Row], steps: int = 0) -> list[Row]:
    """Perturbed episodes under other seeds of their cell, each some steps longer."""
    changed = [row for row in rows if row[1] == "none"]
    for run in sorted({row[3] for row in rows}):
        cell = [row for row in rows if row[1] != "none" and row[3] == run]
        other = np.random.default_rng(int(run)).permutation(len(cell)).tolist()
        changed += [longer([*row[:5], *cell[at][5:]], steps) for row, at in zip(cell, other, strict=True)]
    return changed


def raised(rows: list[Row], steps: int, share: float = 1.0) -> list[Row]:
    """A share of the perturbed episodes, each some steps longer."""
    rng = np.random.default_rng(0)
    return [longer(row, steps) if row[1] != "none" and rng.random() < share else row for row in rows]


def test_what_is_just_within_the_submitters_tolerance_is_refused(table: Path, agents: list[str]) -> None:
    # A step is 1/475 of the score, so 22 steps are 0.046: within the 0.05 that the submission grants itself.
    lies = doctored(table, lambda rows: reordered(rows, 22), tolerance=0.05, machines=elsewhere(table))
    found = verify(lies, agents, cells=99)
    assert not found.alike and min(each.identical for each in found.comparisons if not each.baseline) < 0.1
    assert any("the mean score is off by +0.046; " in problem for problem in found.problems)
    assert any(
        "episodes of perturbed cells are no more like those" in problem or "of perturbed cells" in problem
        for problem in found.problems
    )


def test_a_small_lie_everywhere_is_refused_by_its_signs(table: Path, agents: list[str]) -> None:
    lies = doctored(table, lambda rows: raised(rows, 1), machines=elsewhere(table))
    found = verify(lies, agents, cells=99)
    assert not any(each.problem for each in found.comparisons), "0.0022 is within the tolerance of every cell"
    assert any("of perturbed cells 60 of the 60 seeds that differ are higher" in problem for problem in found.problems)


def test_a_lower_clean_score_is_no_way_either(table: Path, agents: list[str]) -> None:
    def lowered(rows: list[Row]) -> list[Row]:
        return [longer(row, -1) if row[1] == "none" else row for row in rows]

    found = verify(doctored(table, lowered, machines=elsewhere(table)), agents, cells=99)
    assert any("of clean cells 0 of the" in problem for problem in found.problems)


def test_episodes_under_other_seeds_are_refused(table: Path, agents: list[str]) -> None:
    found = verify(doctored(table, reordered, machines=elsewhere(table)), agents, cells=99)
    assert not any(each.problem for each in found.comparisons), "all means are right"
    assert any("no more like those that are played here with the same seeds" in problem for problem in found.problems)


def compensated(rows: list[Row]) -> list[Row]:
    """Three training runs a little better, the other two, of which the worst does not count, as much worse."""
    return [row if row[1] == "none" else longer(row, 2 if int(row[3]) < 3 else -3) for row in rows]


def test_a_gain_of_some_runs_is_not_made_up_for_by_others(table: Path, agents: list[str]) -> None:
    found = verify(doctored(table, compensated, machines=elsewhere(table)), agents, cells=99)
    assert not any(each.problem for each in found.comparisons), "0.0063 is within the tolerance of every cell"
    assert not any("of perturbed cells 0" in problem for problem in found.problems), "together they are right"
    assert sum("perturbed cells of CartPole-v1, run" in problem for problem in found.problems) >= 5


def luckier(rows: list[Row]) -> list[Row]:
    """Eleven seeds of 60 in which the agent nearly is perfect under perturbation; as many others a step shorter."""
    changed = {**{seed: 380 + 9 * (seed - 100) for seed in range(100, 111)}, **dict.fromkeys(range(111, 122), -1)}
    return [
        row if row[1] == "none" else longer(row, changed.get(int(row[4]), 0) + 3 * int(row[3]) * (int(row[4]) < 111))
        for row in rows
    ]


def test_a_few_episodes_that_are_far_too_good_do_not_hide_behind_their_own_spread(
    table: Path, agents: list[str]
) -> None:
    """They make the standard error of the differences as large as their sum; the replayed episodes hardly vary."""
    found = verify(doctored(table, luckier, machines=elsewhere(table)), agents, cells=99)
    perturbed = [each for each in found.comparisons if not each.baseline]
    gains = [each.differences.mean() / (each.differences.std(ddof=1) / 60**0.5) for each in perturbed]
    assert 1 < max(gains) < 4, "by their own spread all would be chance"
    assert all("is the tolerance of 0.01 and chance" in each.problem for each in perturbed)


def test_on_equal_machines_one_other_episode_is_one_too_many(table: Path, agents: list[str]) -> None:
    found = verify(doctored(table, lambda rows: [*rows[:-1], longer(rows[-1], 1)], tolerance=0.05), agents, cells=99)
    assert found.alike
    (problem,) = found.problems
    assert "1 of 60 episodes are others, the first has seed 159" in problem
    assert "every episode must be the same to the last bit" in problem


def test_the_honest_submission_passes_here_and_elsewhere(table: Path, agents: list[str]) -> None:
    assert verify(doctored(table), agents).problems == []

    def other_courses(rows: list[Row]) -> list[Row]:
        rng = np.random.default_rng(1)
        return [longer(row, int(rng.choice([0, 0, 0, 0, -3, 3]))) for row in rows]

    # Differences as of another processor: some episodes take another course, upwards as likely as downwards.
    found = verify(doctored(table, other_courses, machines=elsewhere(table)), agents, cells=99)
    assert not found.alike and found.problems == []
    assert min(each.identical for each in found.comparisons) < 0.9


def test_signs_that_are_chance_pass() -> None:
    rng = np.random.default_rng(0)
    p = [sign_test(int(rng.binomial(500, 0.5)), 500) for _ in range(4000)]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.045, abs=0.015)


def test_an_honest_cell_of_few_episodes_is_too_far_off_as_rarely_as_one_of_many() -> None:
    """Four standard errors of 20 episodes, and no more, would be too few for 20 of these cells."""
    pairs = np.random.default_rng(0).normal(size=(20_000, 2, 20))
    assert sum(bool(too_far(scores, tolerance=0)) for scores in pairs) <= 4  # 1.25 are expected
