"""The statistics, against scipy where scipy has them and against cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from symbench.leaderboard.statistics import (
    aggregate,
    bootstrap,
    interval_over,
    iqm,
    probability_of_improvement,
    retention,
    score,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 20, 101])
def test_iqm_is_scipys_trimmed_mean(n: int) -> None:
    scores = rng().normal(size=(3, n))
    np.testing.assert_allclose(iqm(scores), stats.trim_mean(scores, 0.25, axis=-1), rtol=1e-12)


def test_one_outlier_moves_the_mean_but_not_the_iqm() -> None:
    assert iqm([1.0, 1.0, 1.0, 1000.0]) == 1.0


def test_episodes_are_averaged_before_runs_are_resampled() -> None:
    """The interval knows the spread of 4 runs, however many episodes each of them has."""
    runs = np.array([0.2, 0.4, 0.6, 0.8])
    few, many = (runs[:, None] + np.zeros((4, episodes)) for episodes in (1, 1000))
    assert score(few, rng()) == pytest.approx(score(many, rng()))
    estimate = score(many, rng())
    assert estimate.value == pytest.approx(0.5)
    assert estimate.low < 0.35 and estimate.high > 0.65


def test_a_single_run_is_resampled_over_its_episodes() -> None:
    assert interval_over(1) == "episodes" and interval_over(2) == "runs"
    episodes = rng().normal(0.5, 0.2, size=(1, 400))
    estimate = score(episodes, rng())
    assert estimate.value == pytest.approx(episodes.mean())
    half_width = 1.96 * 0.2 / math.sqrt(400)
    assert estimate.high - estimate.low == pytest.approx(2 * half_width, rel=0.15)


def test_the_bootstrap_agrees_with_scipys_percentile_bootstrap() -> None:
    sample = rng().exponential(size=30)
    ours = bootstrap([sample], lambda draw: draw.mean(axis=-1), rng(), resamples=20_000)
    theirs = stats.bootstrap((sample,), np.mean, n_resamples=20_000, method="percentile", rng=rng()).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.02)
    assert ours.high == pytest.approx(theirs.high, abs=0.02)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Nominal 95%; the percentile bootstrap of 10 runs is known to cover a little less."""
    generator = rng()
    estimates = [score(generator.normal(size=(10, 1)), generator) for _ in range(300)]
    hits = sum(estimate.low <= 0.0 <= estimate.high for estimate in estimates)
    assert 0.82 <= hits / 300 <= 0.97


def test_the_same_generator_gives_the_same_interval() -> None:
    scores = rng().random((5, 10))
    assert score(scores, rng()) == score(scores, rng())


def test_retention_pairs_runs_and_seeds() -> None:
    """If every run loses the same share, its interval has no width, however much the runs differ."""
    clean = rng().uniform(0.2, 1.0, size=(5, 50))
    estimate = retention(0.7 * clean, clean, rng())
    assert estimate == pytest.approx((0.7, 0.7, 0.7))
    shuffled_runs = retention(0.7 * clean[::-1], clean, rng())
    assert shuffled_runs.high - shuffled_runs.low > 0.01


def test_nothing_can_be_retained_of_random_play() -> None:
    estimate = retention(np.full((3, 10), 0.5), np.full((3, 10), 0.01), rng())
    assert all(math.isnan(number) for number in estimate)


def test_a_resample_of_failures_does_not_blow_retention_up() -> None:
    clean = np.array([[0.0] * 9 + [1.0]])
    estimate = retention(clean, clean, rng())
    assert math.isfinite(estimate.high)


def test_probability_of_improvement_is_mann_whitney_over_runs() -> None:
    ours, theirs = rng().normal(0.5, 1, size=(6, 20)), rng().normal(0, 1, size=(5, 20))
    expected = stats.mannwhitneyu(ours.mean(axis=1), theirs.mean(axis=1)).statistic / 30
    assert probability_of_improvement(ours, theirs, rng()).value == pytest.approx(expected)


def test_equal_agents_improve_with_probability_one_half() -> None:
    scores = rng().random((4, 10))
    assert probability_of_improvement(scores, scores, rng()).value == 0.5
    assert probability_of_improvement(scores[:1], scores[:1], rng()) == (0.5, 0.5, 0.5)


def test_single_runs_are_compared_episode_by_episode() -> None:
    ours, theirs = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[0.0, 1.0, 3.0, 9.0]])
    assert probability_of_improvement(ours, theirs, rng()).value == (1 + 1 + 0.5 + 0) / 4


def test_tasks_are_strata_of_the_aggregate() -> None:
    """Runs are resampled within their task, so two constant tasks leave no uncertainty."""
    estimate = aggregate([np.zeros((5, 3)), np.ones((5, 3))], rng())
    assert estimate == (0.5, 0.5, 0.5)
