"""The suite of tours: what is transformed, and that agents which do not notice play the same tours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.runner import run
from symbench.runner.evaluate import evaluate
from symbench.runner.pipeline import make_envs
from symbench.runner.run_suite import make_plan
from symbench.suites import load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.runner.cell import Cell

LEVELS = ["in-place", "rotated", "rotated-90", "mirrored", "moved", "scaled", "relabelled", "motions"]
SIZES = {"TSP20": 20, "TSP50": 50, "TSP100": 100, "CVRP20": 21}


def cells(task: str, agent: str, episodes: int = 5) -> dict[str, Cell]:
    planned = make_plan(load_suite("routing"), tasks=[task], agents=[agent], episodes=episodes)
    assert not planned.skipped
    return {cell.level: cell for cell in planned.cells if cell.agent == agent}


def seen(cell: Cell, count: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Cities in the environments and as the agent sees them."""
    plain, shown = make_envs(cell.task, (), count), make_envs(cell.task, cell.apply, count)
    return tuple(envs.reset(seed=list(range(count)))[0]["cities"] for envs in (plain, shown))  # type: ignore[return-value]


@pytest.mark.parametrize("task", SIZES)
def test_every_condition_changes_what_it_says_and_nothing_else(task: str) -> None:
    planned = cells(task, "savings" if task == "CVRP20" else "nearest-neighbour")
    assert list(planned) == LEVELS
    for level in LEVELS[1:]:
        was, now = seen(planned[level])
        assert was.shape == now.shape == (4, SIZES[task], 2)
        lengths = [np.linalg.norm(part[:, :, None] - part[:, None], axis=-1).astype(float) for part in (was, now)]
        if level == "relabelled":
            assert not np.array_equal(was, now)
            np.testing.assert_array_equal(np.sort(was, axis=1), np.sort(now, axis=1))
            continue
        factors = lengths[1][:, 0, 1] / lengths[0][:, 0, 1]
        np.testing.assert_allclose(lengths[1], factors[:, None, None] * lengths[0], atol=1e-5)
        assert np.allclose(factors, 1, atol=1e-4) != (level == "scaled")
        if level in ("rotated", "rotated-90", "mirrored"):
            middle = [np.linalg.norm(part - 0.5, axis=-1) for part in (was, now)]
            np.testing.assert_allclose(*middle, atol=1e-5)
        if level == "mirrored":
            np.testing.assert_allclose(now, np.stack([1 - was[..., 0], was[..., 1]], axis=-1), atol=1e-6)
        if level == "rotated":
            assert len(np.unique(np.round(now[:, 0] - was[:, 0], 4), axis=0)) == 4  # an angle for each episode
        if level == "moved":
            np.testing.assert_allclose(now - was, np.broadcast_to((now - was)[:, :1], was.shape), atol=1e-6)


@pytest.mark.parametrize(
    ("task", "agent"), [("TSP20", "two-opt"), ("TSP50", "farthest-insertion"), ("CVRP20", "savings")]
)
def test_solvers_that_read_distances_play_the_same_tours_under_every_condition(task: str, agent: str) -> None:
    planned = cells(task, agent)
    returns = {
        level: evaluate(cell).returns for level, cell in planned.items() if level != "relabelled" or agent != "two-opt"
    }
    for level, of_level in returns.items():
        np.testing.assert_allclose(of_level, returns["in-place"], rtol=1e-9, err_msg=level)


def test_other_labels_begin_the_nearest_neighbours_elsewhere() -> None:
    planned = cells("TSP20", "nearest-neighbour", 20)
    returns = [evaluate(planned[level]).returns for level in ("in-place", "relabelled")]
    assert (np.abs(returns[0] - returns[1]) > 1e-6).any()


def test_a_run_shows_gaps(tmp_path: Path) -> None:
    import pandas as pd

    run(load_suite("routing"), tmp_path, agents=["two-opt"], episodes=4)
    from symbench.leaderboard import write_report

    write_report(tmp_path)
    frame = pd.read_csv(tmp_path / "leaderboard.csv")
    mine = frame[(frame.agent == "two-opt") & (frame.severity != "relabelled")]
    assert (mine.gap_mean >= 0).all() and mine.gap_mean.nunique() == 1 and (mine.gap_changed[1:] == 0).all()
    assert (frame[frame.agent == "random"].gap_mean > 50).all()
    assert "gap in %" in (tmp_path / "leaderboard.md").read_text()
