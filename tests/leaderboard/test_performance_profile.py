"""Performance profiles: the function against closed forms, the chart against the function."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from site_cases import OTHER_TASK, some_boards
from submission_cases import SUITE, TASK

from symbench.leaderboard.board_statistics import performance_profile
from symbench.leaderboard.site import pages
from symbench.leaderboard.site.cells import CellSummary, cell_summaries
from symbench.leaderboard.site.profiles import TAUS, ProfileChart, ProfileCurve, profile_chart

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.leaderboard.board import Board

    Array = NDArray[np.float64]

MANY = settings(max_examples=25, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
GRID = np.linspace(-1, 2, 31)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def some_units(seed: int, runs: int, conditions: int) -> Array:
    """Scores on a grid, so that there are ties, also with thresholds."""
    return rng(seed).normal(0.5, 0.4, size=(runs, conditions)).round(1)


@MANY
@given(seed=SEEDS, runs=st.integers(1, 12), conditions=st.integers(1, 8))
def test_it_is_the_empirical_survival_function(seed: int, runs: int, conditions: int) -> None:
    units = some_units(seed, runs, conditions)
    expected = stats.ecdf(units.ravel()).sf.evaluate(GRID)
    np.testing.assert_allclose(performance_profile(units, GRID).share, expected, atol=1e-12)


@MANY
@given(seed=SEEDS, runs=st.integers(5, 12), conditions=st.integers(1, 8))
def test_it_falls_from_one_to_zero_and_so_does_its_band(seed: int, runs: int, conditions: int) -> None:
    units = some_units(seed, runs, conditions)
    ends = np.array([units.min() - 1, *GRID, units.max()])
    for curve in performance_profile(units, np.sort(ends)):
        assert np.all(np.diff(curve) <= 0) and curve.min() >= 0 and curve.max() <= 1
    share, low, high = performance_profile(units, ends[[0, -1]])
    assert share.tolist() == [1, 0], "nothing is above the best score"
    assert low[0] < 1 and high[1] > 0, "of these runs; that is not certainty"


@MANY
@given(seed=SEEDS, bounds=st.tuples(st.integers(-9, 9), st.integers(1, 15)))
def test_the_area_below_it_is_the_mean_of_the_clipped_scores(seed: int, bounds: tuple[int, int]) -> None:
    """The integral of P(X > tau) from a to b is E[clip(X, a, b)] - a; between multiples of 0.1 it is level."""
    units = some_units(seed, 6, 4)
    low, high = bounds[0] / 10, (bounds[0] + bounds[1]) / 10
    taus = low + 0.1 * np.arange(bounds[1]) + 0.05
    area = 0.1 * performance_profile(units, taus).share.sum()
    assert area == pytest.approx(np.clip(units, low, high).mean() - low)


@MANY
@given(runs=st.integers(5, 30), data=st.data())
def test_the_band_of_one_condition_is_wilsons(runs: int, data: st.DataObject) -> None:
    above = data.draw(st.integers(0, runs))
    units = (np.arange(runs) < above).astype(float)[:, None]
    expected = stats.binomtest(above, runs).proportion_ci(method="wilson")
    made = performance_profile(units, np.array([0.5]))
    assert (made.low[0], made.high[0]) == pytest.approx(tuple(expected))


def test_conditions_of_one_run_are_not_taken_for_runs() -> None:
    """Six conditions that are alike say no more than one."""
    units = np.arange(6.0)[:, None]
    once, often = (performance_profile(each, np.array([2.5])) for each in (units, units + np.zeros(6)))
    assert once == often and performance_profile(units.repeat(6)[:, None], np.array([2.5])) != once


def test_the_band_covers_the_truth_about_as_often_as_it_says() -> None:
    """Nominal 95%; that of Wilson's is a sum over all numbers of runs above a threshold."""
    runs, taus = 20, np.array([-0.5, 0.0, 1.0])
    truth, above = stats.norm.sf(taus), np.arange(runs + 1)
    profiles = [
        performance_profile((np.arange(runs) < count).astype(float)[:, None], np.array([0.5])) for count in above
    ]
    low, high = (np.array([profile[side][0] for profile in profiles]) for side in (1, 2))
    for share in truth:
        held = (low <= share) & (share <= high)
        assert np.sum(stats.binom.pmf(above, runs, share) * held) == pytest.approx(0.95, abs=0.025)


def test_few_runs_have_no_band() -> None:
    for runs in (1, 4):
        share, low, high = performance_profile(np.array([[0.2, 0.8]] * runs), np.array([0.0, 0.5]))
        assert share.shape == low.shape == high.shape == (2,)
        assert share.tolist() == [1.0, 0.5] and np.isnan(low).all() and np.isnan(high).all()
    assert not np.isnan(performance_profile(np.array([[0.2, 0.8]] * 5), np.array([0.0])).low).any()


def test_better_scores_have_a_profile_that_is_nowhere_lower() -> None:
    units = some_units(0, 6, 5)
    worse, better = (performance_profile(each, GRID) for each in (units, units + 0.1))
    assert all(np.all(high >= low) for high, low in zip(better, worse, strict=True))
    assert np.any(better.share > worse.share)


def test_the_profiles_of_twenty_agents_take_less_than_two_seconds() -> None:
    """Processor time of one core; ten training runs, 60 conditions."""
    start = time.process_time()
    for seed in range(20):
        performance_profile(rng(seed).uniform(size=(10, 60)), TAUS)
    assert time.process_time() - start < 2


# The chart.


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


@pytest.fixture
def boards(tmp_path: Path) -> list[Board]:
    return some_boards(tmp_path)


@pytest.fixture
def cells(boards: list[Board]) -> dict[str, list[CellSummary]]:
    return {line.card.name: cell_summaries(line, TASK) for line in boards[1].lines}


def drawn_chart(cells: dict[str, list[CellSummary]]) -> ProfileChart:
    chart = profile_chart(cells, {name: number for number, name in enumerate(cells)})
    assert chart is not None
    return chart


def heights(chart: ProfileChart, points: list[tuple[float, float]]) -> Array:
    """Shares that a curve shows at all thresholds."""
    x, y = np.array(points).T
    shown = np.interp(chart.left + (chart.right - chart.left) * TAUS / TAUS[-1], x, y)
    return (chart.bottom - shown) / (chart.bottom - chart.top)


def test_a_curve_shows_the_profile_of_all_runs_and_conditions(cells: dict[str, list[CellSummary]]) -> None:
    chart = drawn_chart(cells)
    assert [curve.name for curve in chart.curves] == list(cells)
    assert [label for _, label in chart.rows] == ["0%", "25%", "50%", "75%", "100%"]
    assert [label for _, label in chart.columns] == ["0%", "25%", "50%", "75%", "100%", "125%"]
    for curve in chart.curves:
        scores = np.concatenate([cell.shares for cell in cells[curve.name][1:]])
        share = (scores[:, None] > TAUS).mean(axis=0)
        np.testing.assert_allclose(heights(chart, curve.line), share, atol=0.005)
        half = f"{round(100 * share[TAUS == 0.5][0])}%"
        assert curve.title == f"{curve.name}: {half} of training runs and conditions keep more than half"


def test_a_band_lies_around_its_curve_and_few_runs_have_none(cells: dict[str, list[CellSummary]]) -> None:
    chart = drawn_chart(cells)
    assert [curve.name for curve in chart.curves if not curve.band] == ["few", "single"]
    for curve in chart.curves:
        if curve.band:
            low, high = sides(curve)
            assert np.all(heights(chart, low) <= heights(chart, curve.line) + 0.01)
            assert np.all(heights(chart, high) >= heights(chart, curve.line) - 0.01)
            assert np.any(heights(chart, high) > heights(chart, low) + 0.05)


def sides(curve: ProfileCurve) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The lower and the upper side of a band, both from left to right."""
    last = max(x for x, _ in curve.band)
    turn = next(place for place, (x, _) in enumerate(curve.band) if x == last) + 1
    return curve.band[:turn], curve.band[turn:][::-1]


def test_an_agent_that_cannot_act_keeps_nothing_there(cells: dict[str, list[CellSummary]]) -> None:
    """It fails half of the conditions of the suite: its profile begins at one half."""
    chart = drawn_chart(cells)
    (deaf,) = (curve for curve in chart.curves if curve.name == "deaf")
    assert heights(chart, deaf.line)[0] == pytest.approx(0.5, abs=0.005)


def test_there_is_a_chart_where_there_is_something_to_compare(
    boards: list[Board], cells: dict[str, list[CellSummary]]
) -> None:
    assert profile_chart(cells, {"strong": 0}) is None and profile_chart({}, {}) is None
    index = pages(boards)["index.html"]
    assert index.count("<summary>Performance profile</summary>") == 1
    swing_up = index[index.index(f'data-task="{TASK}"') : index.index(f'data-task="{OTHER_TASK}"')]
    assert "<summary>Performance profile</summary>" in swing_up
    for curve in drawn_chart(cells).curves:
        assert swing_up.count(curve.title) == 2, "for those who point at it, and for those who cannot see it"
