"""Attack: so few cells are drawn that doctored ones are missed, or the agent knows the suite's episodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from verify_cases import doctored, networks, small_suite, submitted

from symbench.errors import SymbenchError
from symbench.leaderboard.verified import is_verified, read_verified
from symbench.leaderboard.verify import record, verify
from symbench.leaderboard.verify_draw import DOCTORED, cells_needed, confidence, draw, draw_of_each, least_confidence
from symbench.leaderboard.verify_fresh import difference_of_distributions, difference_of_means

if TYPE_CHECKING:
    from pathlib import Path


def test_three_cells_miss_ten_doctored_ones_of_35_too_often() -> None:
    missed = np.mean([max(draw(35, 3, seed)) < 25 for seed in range(4000)])
    assert missed == pytest.approx(0.35, abs=0.03)
    assert np.mean([max(draw(35, None, seed)) < 25 for seed in range(4000)]) == 0


@pytest.mark.parametrize("cells", [1, 2, 7, 20, 21, 35, 100, 700])
def test_so_many_cells_are_drawn_that_5_percent_doctored_ones_are_found(cells: int) -> None:
    doctored = int(np.ceil(DOCTORED * cells))
    found = np.mean([min(draw(cells, None, seed)) < doctored for seed in range(3000)])
    assert found >= 0.95 - 0.012
    assert found == pytest.approx(confidence(cells_needed(cells), cells), abs=0.015)
    assert cells_needed(cells) == 1 or confidence(cells_needed(cells) - 1, cells) < 0.95


def test_many_cells_of_other_tasks_hide_no_doctored_ones_of_one() -> None:
    """Two of the 30 cells of one of four boards, which 47 of all 120 would miss once in three times."""
    tasks = [task for task in "abcd" for _ in range(30)]
    lies = {31, 47}
    missed = np.mean([lies.isdisjoint(draw(120, 47, seed)) for seed in range(2000)])
    assert missed == pytest.approx(0.37, abs=0.04) and confidence(47, 120) > 0.95
    assert np.mean([lies.isdisjoint(draw_of_each(tasks, None, seed)) for seed in range(2000)]) < 0.06
    there = [f"tiny@2/{task}/none/in-order/mine/s{run}" for run, task in enumerate(tasks)]
    assert least_confidence(there[:47], there) == 0.0, "of two tasks none was played"
    of_each = [there[place] for place in draw_of_each(tasks, None, 0)]
    assert least_confidence(of_each, there) == confidence(23, 30) >= 0.95
    assert draw_of_each(tasks, 5, 0) == draw(120, 5, 0)


def test_drawn_anew_each_time() -> None:
    assert len({tuple(draw(35, 3, None)) for _ in range(20)}) > 15


def test_fewer_cells_are_recorded_with_less_confidence_and_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_suite(tmp_path, monkeypatch)
    agents = networks(tmp_path, 2)
    honest = doctored(submitted(tmp_path, agents))
    entry = record(tmp_path / "verified.json", honest, verify(honest, agents, cells=1))
    assert (len(entry.cells), entry.of, entry.confidence) == (1, 4, 0.25)
    assert not is_verified(honest, read_verified(tmp_path / "verified.json"))
    entry = record(tmp_path / "verified.json", honest, verify(honest, agents))
    assert (len(entry.cells), entry.of, entry.confidence) == (4, 4, 1.0)
    assert is_verified(honest, read_verified(tmp_path / "verified.json"))


def test_an_entry_from_before_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_suite(tmp_path, monkeypatch)
    honest = doctored(submitted(tmp_path, networks(tmp_path, 1)))
    old = f'{{"mine": {{"digest": "{honest.digest}", "date": "2026-11-25", "cells": ["a", "b"], "difference": 0.0}}}}'
    (tmp_path / "verified.json").write_text(old)
    assert not is_verified(honest, read_verified(tmp_path / "verified.json"))


KNOWS = '''
"""Agents that balance the pole; one only if it has seen the seed before, one only if it can look ahead by the seed."""
import gymnasium as gym
import numpy as np
from symbench.policies import Agent

class Balances(Agent):
    name, knows = "mine", lambda self, seed: True
    def reset(self, num_envs=1, *, seed=0):
        self.good = self.knows(seed)
    def restart(self, mask):
        pass
    def keep(self, mask):
        pass
    def act(self, seen):
        return (seen[:, 2] + seen[:, 3] > 0).astype(np.int64) * self.good
    def incompatibility(self, observation_space, action_space):
        self.action_space = action_space
        return None if observation_space.shape == (4,) else "reads four sensors"

class Table(Balances):
    knows = lambda self, seed: seed < 1000

class Foresees(Balances):
    def reset(self, num_envs=1, *, seed=0):
        env, self.good = gym.make("CartPole-v1"), None
        self.future = np.array([np.sort(env.reset(seed=seed + i)[0]) for i in range(num_envs)])
    def act(self, seen):
        if self.good is None:
            self.good = np.array_equal(np.sort(seen), self.future)
        return super().act(seen)
'''


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Balances", "Table", "Foresees"])
def test_an_agent_that_knows_the_seeds_of_the_suite_or_is_told_its_future_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    small_suite(tmp_path, monkeypatch)
    monkeypatch.chdir(tmp_path)
    module = f"knows_{name.lower()}"
    (tmp_path / f"{module}.py").write_text(KNOWS)
    agent = f"{module}:{name}"
    claims = doctored(submitted(tmp_path, [agent], trust=True))
    with pytest.raises(SymbenchError, match="is code"):
        verify(claims, [agent])
    found = verify(claims, [agent], trust=True)
    assert all(each.identical == 1 for each in found.comparisons), "of both all episodes are as submitted"
    if name == "Balances":
        assert found.problems == []
    else:
        assert any("on fresh seeds, of the key" in problem and "p = " in problem for problem in found.problems)
        assert found.fresh[0].submitted.mean() > found.fresh[0].played.mean() + 0.2


@pytest.mark.slow
def test_an_honest_submission_fails_on_fresh_seeds_once_in_a_thousand() -> None:
    rng = np.random.default_rng(0)
    p = [difference_of_means(*rng.gamma(0.3, size=(2, 12))) for _ in range(100)]
    assert 0.005 < np.mean(np.array(p) < 0.1) < 0.2 and min(p) > 0.0005


def test_almost_equal_samples_of_any_size_are_of_one_distribution() -> None:
    """SciPy's exact p is a little more than 1 for some of them."""
    rng = np.random.default_rng(0)
    for size in (2, 5, 12, 48, 1000):
        ours = rng.integers(5, size=size).astype(float)
        theirs = np.where(rng.random(size) < 0.05, ours + 1, ours)
        assert difference_of_distributions(ours, theirs) > 0.5
        assert difference_of_distributions(ours, ours) == 1
