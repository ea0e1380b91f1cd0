"""The bootstrap of boards, against closed forms: where the answer can be computed, it is what comes out."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from symbench.leaderboard.board_statistics import REPETITIONS, estimate, iqm_draws, ranks, retention_matrix
from symbench.leaderboard.compare import difference
from symbench.leaderboard.statistics import iqm, probability_of_improvement

MANY = settings(max_examples=15, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@MANY
@given(seed=SEEDS, runs=st.integers(1, 12), conditions=st.integers(1, 8))
def test_draws_are_the_iqm_of_the_runs_that_were_drawn(seed: int, runs: int, conditions: int) -> None:
    """Resample by resample, against scipy's trimmed mean of the matrix written out."""
    units = rng(seed).normal(size=(runs, conditions)).round(1)  # with ties
    draws = iqm_draws(units, rng(seed), 50)
    counts = rng(seed).multinomial(runs, np.full(runs, 1 / runs), size=50)
    explicit = [stats.trim_mean(np.repeat(units, count, axis=0).ravel(), 0.25) for count in counts]
    np.testing.assert_allclose(draws, explicit, rtol=1e-12, atol=1e-12)


@MANY
@given(seed=SEEDS, runs=st.integers(2, 30), data=st.data())
def test_the_interval_of_zeros_and_ones_is_binomial(seed: int, runs: int, data: st.DataObject) -> None:
    """The number of ones in a resample is binomial, and the IQM a known function of it."""
    ones = data.draw(st.integers(0, runs))
    units = (np.arange(runs) < ones).astype(float)[:, None]
    draws = iqm_draws(units, rng(seed), 20_000)
    cut, law = runs // 4, stats.binom(runs, ones / runs)
    for value in np.unique(draws):
        of = np.clip(np.arange(runs + 1) - cut, 0, runs - 2 * cut) / (runs - 2 * cut)
        expected = law.cdf(np.flatnonzero(of <= value + 1e-9)[-1])
        assert np.mean(draws <= value + 1e-9) == pytest.approx(expected, abs=5 * 0.5 / np.sqrt(20_000))


def test_the_interval_of_many_runs_is_the_normal_one_of_the_trimmed_mean() -> None:
    """Of normal scores the IQM has variance 1.1969 / n for large n (winsorised variance over (1 - 2 * 0.25)^2)."""
    quartile = stats.norm.ppf(0.75)
    winsorised = 0.5 - 2 * quartile * stats.norm.pdf(quartile) + 2 * 0.25 * quartile**2
    n = 2000
    draws = iqm_draws(rng().normal(size=(n, 1)), rng(1), 4000)
    assert draws.std() == pytest.approx(np.sqrt(winsorised / 0.25 / n), rel=0.08)


def test_conditions_of_one_run_stay_together() -> None:
    """Runs whose conditions cancel have no spread, whichever are drawn."""
    draws = iqm_draws(np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]), rng(), 1000)
    assert draws.tolist() == [0.5] * 1000


def test_it_agrees_with_scipys_bootstrap() -> None:
    units = rng().exponential(size=(12, 1))
    low, high = np.quantile(iqm_draws(units, rng(1)), [0.025, 0.975])
    theirs = stats.bootstrap(
        (units[:, 0],), iqm, n_resamples=20_000, method="percentile", rng=rng(2)
    ).confidence_interval
    assert (low, high) == pytest.approx(tuple(theirs), abs=0.03)


@MANY
@given(seed=SEEDS, runs=st.integers(2, 10))
def test_the_interval_holds_the_estimate_and_moves_with_the_scores(seed: int, runs: int) -> None:
    units = rng(seed).normal(size=(runs, 3))
    made = estimate(units, iqm_draws(units, rng(seed), 2000))
    assert made.low <= made.value + 0.5 and made.high >= made.value - 0.5 and made.low <= made.high
    moved = estimate(2 * units + 1, iqm_draws(2 * units + 1, rng(seed), 2000))
    np.testing.assert_allclose(moved, 2 * np.array(made) + 1, atol=1e-9)


def test_a_single_run_has_no_interval() -> None:
    made = estimate(np.array([[0.5, 0.7]]), np.array([0.6, 0.6]))
    assert made.value == pytest.approx(0.6) and np.isnan(made.low) and np.isnan(made.high)


def test_retention_is_that_of_each_run() -> None:
    shares = retention_matrix(np.array([1.0, 0.5]), np.array([[0.5, 1.0], [0.5, 0.0]]))
    assert shares is not None and shares.tolist() == [[0.5, 1.0], [1.0, 0.0]]
    assert retention_matrix(np.array([0.04, 0.01]), np.zeros((2, 2))) is None
    one_failed = retention_matrix(np.array([1.0, 1.0, 1.0, -0.5]), np.full((4, 1), 0.02))
    assert one_failed is not None and np.isfinite(one_failed).all() and np.abs(one_failed).max() < 1


def two(seed: int, better: float) -> list[int]:
    """Ranks of two agents, ten training runs each, the first better by some standard deviations of a run."""
    units = [rng(2 * seed + i).normal(shift, 1, size=(10, 1)) + np.zeros((10, 6)) for i, shift in ((0, better), (1, 0))]
    return ranks(
        [iqm_draws(each, rng(i), 1000) for i, each in enumerate(sorted(units, key=lambda each: -iqm(each.ravel())))]
    )


def test_chance_is_hardly_ever_a_rank() -> None:
    """5% of the time for exact intervals; those of ten runs are a little too narrow."""
    assert np.mean([two(seed, 0) == [1, 2] for seed in range(200)]) < 0.15


def test_what_is_no_chance_is_a_rank() -> None:
    assert all(two(seed, 4) == [1, 2] for seed in range(100))


def test_ranks_start_at_one_and_equals_share_them() -> None:
    same = np.full(100, 0.5)
    assert ranks([]) == []
    assert ranks([same, same, same - 0.1, same - 0.1, same - 0.2]) == [1, 1, 3, 3, 5]


@MANY
@given(seed=SEEDS, ours=st.integers(2, 8), theirs=st.integers(2, 8))
def test_the_probability_of_improvement_is_mann_whitneys(seed: int, ours: int, theirs: int) -> None:
    x, y = (rng(seed + shift).integers(0, 5, size=(runs, 1)).astype(float) for shift, runs in ((0, ours), (1, theirs)))
    u = stats.mannwhitneyu(x[:, 0], y[:, 0]).statistic
    forwards, backwards = probability_of_improvement(x, y, rng()), probability_of_improvement(y, x, rng())
    assert forwards.value == pytest.approx(u / (ours * theirs))
    assert forwards.value + backwards.value == pytest.approx(1)


@MANY
@given(seed=SEEDS, mean=st.floats(-3, 3))
def test_of_normal_scores_it_is_the_normal_distribution(seed: int, mean: float) -> None:
    """P(X > Y) = Phi(difference of means / sqrt 2) for unit variances."""
    x, y = rng(seed).normal(mean, size=(60, 1)), rng(seed + 1).normal(size=(60, 1))
    expected = stats.norm.cdf(mean / np.sqrt(2))
    assert probability_of_improvement(x, y, rng()).value == pytest.approx(expected, abs=0.25)  # 5 standard errors


@MANY
@given(seed=SEEDS, shift=st.floats(-100, 100))
def test_paired_episodes_of_single_runs_cancel(seed: int, shift: float) -> None:
    """Episodes that differ from each other by hundreds still show a constant difference without any spread."""
    episodes = rng(seed).uniform(0, 1000, size=(1, 50))
    np.testing.assert_allclose(difference(episodes + shift, episodes, rng()), [shift] * 3, atol=1e-9)


def test_the_difference_of_runs_has_the_spread_of_both() -> None:
    x, y = rng(1).normal(size=(100, 1)), rng(2).normal(size=(100, 1))
    made = difference(x + np.zeros((100, 7)), y + np.zeros((100, 7)), rng())
    half = 1.96 * np.sqrt(x.var() / 100 + y.var() / 100)
    assert made.value == pytest.approx(x.mean() - y.mean())
    assert made.high - made.low == pytest.approx(2 * half, rel=0.1)


def test_a_board_of_twenty_agents_takes_less_than_twenty_seconds() -> None:
    """50,000 resamples for both intervals of each agent and for the ranks; processor time of one core."""
    assert REPETITIONS == 50_000
    start = time.process_time()
    draws = []
    for seed in range(20):
        shares = rng(seed).uniform(size=(10, 6))
        clean = iqm_draws(shares[:, :1], rng(seed))
        draws.append(iqm_draws(shares, rng(seed)))
        assert estimate(shares, draws[-1]).low < estimate(shares[:, :1], clean).high
    assert len(ranks(draws)) == 20
    assert time.process_time() - start < 20
