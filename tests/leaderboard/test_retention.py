"""Score, retention and probability of improvement, in cases whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from symbench.leaderboard.bootstrap import RESAMPLES, components, crossed, estimate, half_width
from symbench.leaderboard.proportions import newcombe, wilson
from symbench.leaderboard.retention import (
    LEAST_CLEAN_SCORE,
    STATISTICS,
    aggregate,
    has_learned,
    improvement_over,
    probability_of_improvement,
    retention,
    retention_draws,
    score,
    shares,
)

Array = NDArray[np.float64]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def runs_of(*means: float, episodes: int = 20) -> Array:
    """Training runs whose episodes are all alike, (R, E)."""
    return np.array(means)[:, None] + np.zeros(episodes)


def has_interval(made: tuple[float, float, float]) -> bool:
    return not math.isnan(made[1]) and not math.isnan(made[2])


def test_the_version_and_the_constants_that_go_with_it() -> None:
    assert (STATISTICS, LEAST_CLEAN_SCORE, RESAMPLES) == (3, 0.05, 2000)


def test_a_score_is_the_iqm_over_runs_of_means_over_episodes() -> None:
    scores = rng().normal(size=(8, 30))
    made = score(scores, 3, "mine")
    assert made.value == pytest.approx(stats.trim_mean(scores.mean(axis=1), 0.25))
    assert made == estimate(crossed(scores[None], 3, "mine")) != score(scores, 4, "mine")
    assert score(scores, 3, "mine", 50) == estimate(crossed(scores[None], 3, "mine", resamples=50)) != made


def test_episodes_that_all_runs_share_widen_the_interval() -> None:
    """Five equal runs whose episodes differ a lot are not known better than their episodes allow."""
    episodes = rng().normal(size=(1, 100)) + np.zeros((5, 1))
    made = score(episodes, 0)
    assert made.high - made.low == pytest.approx(2 * 1.98 * episodes[0].std() / 10, rel=0.1)


def test_retention_has_one_definition() -> None:
    """Ratios first, then the mean over runs: not the ratio of means, which is .70."""
    made = retention(runs_of(0.5, 0.5, 0.19), runs_of(1.0, 0.5, 0.2), 0)
    assert made.value == pytest.approx((0.5 + 1.0 + 0.95) / 3)
    assert round(made.value, 2) == 0.82


def test_conditions_count_equally_and_the_hardest_is_not_trimmed() -> None:
    clean = runs_of(1.0, 0.9, 1.1, 0.8, 1.0)
    made = retention_draws(np.stack([clean, clean, clean, 0 * clean]), clean, 0)
    assert made is not None and made.value == pytest.approx(0.75)
    each = retention_draws(np.stack([clean * np.array([[1, 1, 1, 0, 1]]).T, clean]), clean, 0)
    assert each is not None and each.value == pytest.approx(1.0), "but a run that failed is"


def test_retention_pairs_runs_and_seeds() -> None:
    """If every run loses the same share, its interval has no width, however much runs and episodes differ."""
    clean = rng().uniform(0.2, 1.0, size=(5, 50))
    assert retention(0.7 * clean, clean, 0) == pytest.approx((0.7, 0.7, 0.7))
    shuffled_runs, shuffled_seeds = (retention(0.7 * each, clean, 0) for each in (clean[::-1], clean[:, ::-1]))
    assert shuffled_runs.high - shuffled_runs.low > 0.01 and shuffled_seeds.high - shuffled_seeds.low > 0.01


def test_a_run_that_failed_is_divided_by_the_least_clean_score() -> None:
    kept = shares(np.array([0.5, 0.02, 0.02, -0.01]), np.array([1.0, 0.05, 0.01, -3.0]))
    np.testing.assert_allclose(kept, [0.5, 0.4, 0.4, -0.2])
    assert shares(np.array([[0.1], [0.2]]), np.array([0.4])).tolist() == [[0.25], [0.5]]


def test_nothing_can_be_retained_of_random_play() -> None:
    low, enough = runs_of(0.04, 0.04, 0.04), runs_of(0.05, 0.05, 0.05)
    assert not has_learned(low) and has_learned(enough)
    assert has_learned(np.full((5, 1), LEAST_CLEAN_SCORE)), "the bar itself is enough"
    assert retention_draws(low[None], low, 0) is None
    assert all(math.isnan(number) for number in retention(low, low, 0))
    assert retention(enough, enough, 0).value == pytest.approx(1)
    assert not has_learned(runs_of(0.0, 0.0, 0.0, 0.0, 1.0)), "the interquartile mean decides, not the mean"


def test_intervals_are_of_the_draws() -> None:
    clean = rng().uniform(0.5, 1, size=(6, 40))
    perturbed = rng().uniform(0, 1, size=(6, 40))
    draws = retention_draws(perturbed[None], clean, 5, "mine")
    assert draws is not None
    assert retention(perturbed, clean, 5, "mine") == estimate(draws) != retention(perturbed, clean, 6, "mine")
    assert retention(perturbed, clean, 5, "other").value == estimate(draws).value
    assert retention(perturbed, clean, 5, "other") != estimate(draws)


def test_tasks_count_equally() -> None:
    """One task of five is lost: a mean over tasks says so, an interquartile mean over all runs would not."""
    made = aggregate([runs_of(*[1.0] * 5)] * 4 + [runs_of(*[0.0] * 5)], 0)
    assert made == pytest.approx((0.8, 0.8, 0.8))


def test_the_interval_over_tasks_adds_what_each_leaves_open() -> None:
    tasks = [rng().normal(size=(5, 30)), rng().normal(size=(7, 20))]
    made = aggregate(tasks, 0)
    parts = [part for place, each in enumerate(tasks) for part in components(crossed(each[None], 0, str(place)))]
    assert made.value == pytest.approx(np.mean([score(each, 0).value for each in tasks]))
    assert made.high - made.value == pytest.approx(half_width(parts) / 2)
    assert made.value - made.low == pytest.approx(half_width(parts) / 2)


def test_there_is_no_interval_over_tasks_if_one_has_too_little() -> None:
    enough = rng().normal(size=(5, 30))
    assert has_interval(aggregate([enough, enough], 0))
    assert not has_interval(aggregate([enough, enough[:4]], 0))
    assert not has_interval(aggregate([enough, enough[:, :1]], 0))


def test_probability_of_improvement_is_mann_whitney_over_runs() -> None:
    ours, theirs = rng().normal(0.5, 1, size=(6, 20)), rng().normal(0, 1, size=(5, 20))
    expected = stats.mannwhitneyu(ours.mean(axis=1), theirs.mean(axis=1)).statistic / 30
    assert probability_of_improvement(ours, theirs) == pytest.approx((expected, *newcombe(expected, 6, 5)))
    assert improvement_over(6, 5) == "runs"


def test_five_wins_of_five_are_not_certainty() -> None:
    made = probability_of_improvement(runs_of(*[1.0] * 5), runs_of(*[0.0] * 5))
    assert [round(number, 2) for number in made] == [1.0, 0.64, 1.0]


def test_ties_count_half() -> None:
    made = probability_of_improvement(runs_of(1.0, 2.0), runs_of(1.0, 3.0))
    assert made.value == (0.5 + 0 + 1 + 0) / 4


@pytest.mark.parametrize(("ours", "theirs"), [(4, 9), (9, 4), (2, 2)])
def test_few_runs_have_a_probability_and_no_interval(ours: int, theirs: int) -> None:
    made = probability_of_improvement(runs_of(*[1.0] * ours), runs_of(*[0.0] * theirs))
    assert made.value == 1 and not has_interval(made) and improvement_over(ours, theirs) == "runs"


def test_single_runs_are_compared_episode_by_episode() -> None:
    ours, theirs = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[0.0, 1.0, 3.0, 9.0]])
    assert probability_of_improvement(ours, theirs) == (0.625, *wilson(0.625, 4))
    assert improvement_over(1, 1) == improvement_over(1, 9) == improvement_over(9, 1) == "episodes"
    several = probability_of_improvement(np.concatenate([ours, ours + 10]), theirs)
    assert several.value == (0.625 + 1) / 2
    one = probability_of_improvement(ours[:, :1], theirs[:, :1])
    assert one.value == 1 and not has_interval(one), "one episode says nothing about others"
