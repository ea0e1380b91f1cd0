"""Runs and episodes drawn together: against resamples written out, and against closed forms where there are some."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from symbench.leaderboard.bootstrap import (
    CONFIDENCE,
    RANKED_FROM,
    Draws,
    components,
    crossed,
    difference,
    estimate,
    estimate_over_runs,
    half_width,
    interval_over,
    iqm,
    mean,
)

Array = NDArray[np.float64]
MANY = settings(max_examples=15, deadline=None)
SEEDS = st.integers(0, 2**31)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def matrix(seed: int, runs: int, episodes: int, *deviations: float) -> Array:
    """Scores (R, E) with effects of runs, episodes and both, of these standard deviations."""
    of_runs, of_episodes, of_both = deviations
    generator = rng(seed)
    return (
        of_runs * generator.normal(size=(runs, 1))
        + of_episodes * generator.normal(size=(1, episodes))
        + of_both * generator.normal(size=(runs, episodes))
    )


def half(made: tuple[float, float, float]) -> float:
    return (made[2] - made[1]) / 2


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 20, 101])
def test_iqm_is_scipys_trimmed_mean(n: int) -> None:
    scores = rng().normal(size=(3, n))
    np.testing.assert_allclose(iqm(scores), stats.trim_mean(scores, 0.25, axis=-1), rtol=1e-12)


def test_one_outlier_moves_the_mean_but_not_the_iqm() -> None:
    assert iqm([1.0, 1.0, 1.0, 1000.0]) == 1.0 and mean([1.0, 1.0, 1.0, 1.0, 6.0]) == 2.0


def test_what_an_interval_is_over() -> None:
    assert RANKED_FROM == 5 and CONFIDENCE == 0.95
    assert [interval_over(runs, 2) for runs in (1, 4, 5, 6)] == ["episodes"] * 2 + ["runs and episodes"] * 2
    assert [interval_over(runs, episodes) for runs in (1, 20) for episodes in (0, 1)] == [""] * 4


@MANY
@given(seed=SEEDS, runs=st.integers(5, 9), episodes=st.integers(2, 12), columns=st.integers(1, 3))
def test_draws_are_those_of_the_matrix_written_out(seed: int, runs: int, episodes: int, columns: int) -> None:
    """Each episode draw is one for all runs and columns; each run draw one for all columns."""
    scores, name = rng(seed).normal(size=(columns, runs, episodes)), "mine"
    made = crossed(scores, seed, name, resamples=20)
    index = np.random.default_rng([seed, 1, *b"mine"]).integers(runs, size=(20, runs))
    chosen = np.random.default_rng([seed, 2]).integers(episodes, size=(20, episodes))

    def statistic(of: Array) -> float:
        return float(np.mean([stats.trim_mean(column.mean(axis=1), 0.25) for column in of]))

    alone = np.array([statistic(scores[:, rows]) for rows in index])
    own = np.array([statistic(scores[:, :, seeds]) for seeds in chosen])
    both = np.array([statistic(scores[:, rows][:, :, seeds]) for rows, seeds in zip(index, chosen, strict=True)])
    assert made.value == pytest.approx(statistic(scores)) and made.shape == (runs, episodes)
    assert made.runs == pytest.approx(np.mean(alone**2) - np.mean(alone) ** 2)
    np.testing.assert_allclose(made.episodes, own, atol=1e-12)
    np.testing.assert_allclose(made.interaction, both - alone - own, atol=1e-12)


def test_units_are_made_of_means_in_every_resample() -> None:
    """A ratio of means is not the mean of ratios."""
    scores = rng().uniform(1, 2, size=(2, 5, 30))
    made = crossed(scores, 0, units=lambda means: means[1:] / means[0], resamples=10)
    chosen = np.random.default_rng([0, 2]).integers(30, size=(10, 30))
    means = [scores[:, :, seeds].mean(axis=-1) for seeds in chosen]
    np.testing.assert_allclose(made.episodes, [iqm(each[1] / each[0]) for each in means])


def test_names_decide_which_runs_are_drawn_and_only_the_seed_which_episodes() -> None:
    scores = matrix(0, 5, 20, 1, 1, 1)[None]
    one, other, again, later = (crossed(scores, *given) for given in ((0, "a"), (0, "b"), (0, "a"), (1, "a")))
    assert one.runs == again.runs != other.runs != later.runs
    assert np.array_equal(one.episodes, other.episodes) and not np.array_equal(one.episodes, later.episodes)


def test_runs_are_taken_as_they_are_below_five_or_when_asked_to() -> None:
    for runs, asked in ((4, None), (1, None), (9, False)):
        made = crossed(matrix(0, runs, 20, 1, 1, 1)[None], 0, over_runs=asked)
        assert made.runs == 0 and not made.interaction.any() and made.episodes.std() > 0
    assert crossed(matrix(0, 5, 20, 1, 1, 1)[None], 0).runs > 0
    assert crossed(matrix(0, 2, 20, 1, 1, 1)[None], 0, over_runs=True).runs > 0


@MANY
@given(seed=SEEDS, runs=st.integers(5, 20))
def test_components_of_a_mean_are_those_of_a_two_way_analysis_of_variance(seed: int, runs: int) -> None:
    scores, episodes = matrix(seed, runs, 40, 1, 4, 2), 40
    row, column = scores.mean(axis=1), scores.mean(axis=0)
    rest = scores - row[:, None] - column + scores.mean()
    own = column.var(ddof=1) / episodes - np.sum(rest**2) / ((runs - 1) * (episodes - 1)) / (runs * episodes)
    (of_runs, few), (of_episodes, many) = components(crossed(scores[None], seed, average=mean))
    assert (few, many) == (runs - 1, episodes - 1)
    assert of_runs == pytest.approx(row.var(ddof=1) / runs, rel=0.2)
    assert of_episodes == pytest.approx(own, rel=0.2)


def test_noise_of_single_cells_is_not_counted_twice() -> None:
    """All variance is in runs and episodes crossed: that of the mean is 1 / (R E), and so are both components."""
    noise = np.array([matrix(seed, 10, 50, 0, 0, 1) for seed in range(40)])
    found = [crossed(scores[None], 0, average=mean) for scores in noise]
    of_runs, own = np.mean([[variance for variance, _ in components(draws)] for draws in found], axis=0)
    assert of_runs == pytest.approx(1 / 500, rel=0.15)
    assert own < 0.25 / 500


def test_a_negative_component_is_none() -> None:
    wild = Draws(0.0, 1.0, np.array([0.1, -0.1]), np.array([9.0, -9.0]), np.zeros(2), (5, 10))
    assert components(wild) == [(1.0, 4), (0.0, 9)]


def test_components_of_a_difference_by_hand() -> None:
    """Of runs each has its own; what episodes do to both, alone and together with runs, is subtracted first."""
    ours = Draws(3.0, 0.5, np.array([1.0, 5.0, 9.0, 9.0]), np.array([0.0, 1.0, 0.0, 1.0]), np.zeros(4), (7, 9))
    theirs = Draws(1.0, 0.25, np.array([1.0, 1.0, 1.0, 5.0]), np.array([0.0, 0.0, 1.0, 1.0]), np.zeros(4), (5, 9))
    own = np.var([0.0, 4.0, 8.0, 4.0]) * 9 / 8 - np.var([0.0, 1.0, -1.0, 0.0])
    assert components(ours, theirs) == [(0.5, 6), (0.25, 4), (pytest.approx(own), 8)]


@MANY
@given(seed=SEEDS, episodes=st.sampled_from([2, 10, 300, 1500]))
def test_the_interval_of_a_single_run_is_students_over_its_episodes(seed: int, episodes: int) -> None:
    """Also where there are so many episodes that they are drawn in blocks."""
    scores = matrix(seed, 1, episodes, 0, 1, 1)
    made = estimate(crossed(scores[None], seed))
    expected = stats.t.interval(0.95, episodes - 1, loc=scores.mean(), scale=stats.sem(scores[0]))
    assert made.value == pytest.approx(scores.mean())
    assert half(made) == pytest.approx((expected[1] - expected[0]) / 2, rel=0.15)
    assert (made.low + made.high) / 2 == pytest.approx(made.value)


@MANY
@given(seed=SEEDS, ours=st.integers(5, 12), theirs=st.integers(5, 12))
def test_the_interval_of_a_difference_is_welchs_where_episodes_do_not_matter(seed: int, ours: int, theirs: int) -> None:
    x, y = rng(seed).normal(1, 3, size=(ours, 1)), rng(seed + 1).normal(0, 1, size=(theirs, 1))
    made = difference(
        *(crossed(each[None] + np.zeros(3), seed, name, average=mean) for each, name in ((x, "x"), (y, "y")))
    )
    expected = stats.ttest_ind(x[:, 0], y[:, 0], equal_var=False).confidence_interval(0.95)
    assert made.value == pytest.approx(x.mean() - y.mean())
    assert half(made) == pytest.approx((expected.high - expected.low) / 2, rel=0.15)


def test_episodes_of_two_agents_are_paired() -> None:
    episodes = matrix(0, 1, 50, 0, 100, 0)
    pair = [crossed((episodes + shift)[None], 0, name) for shift, name in ((3.0, "a"), (0.0, "b"))]
    np.testing.assert_allclose(difference(*pair), [3.0] * 3, atol=1e-9)
    assert half(estimate(pair[0])) > 20


def test_a_million_episodes_need_no_more_memory_than_a_thousand() -> None:
    scores = rng().normal(5, 1, size=(1, 1, 1_000_001))
    made = estimate(crossed(scores, 0))
    assert made.value == pytest.approx(scores.mean())
    assert half(made) == pytest.approx(1.96 / 1000, rel=0.1)


@pytest.mark.parametrize("runs", [1, 3, 5, 20])
def test_one_episode_has_no_interval(runs: int) -> None:
    draws = crossed(matrix(0, runs, 1, 1, 1, 1)[None], 0)
    for made in (estimate(draws), difference(draws, draws)):
        assert math.isnan(made.low) and math.isnan(made.high) and not math.isnan(made.value)


def test_half_a_width_by_hand() -> None:
    assert half_width([]) == half_width([(0.0, 0)]) == 0
    assert half_width([(4.0, 3)]) == pytest.approx(2 * stats.t.ppf(0.975, 3))
    freedom = 25 / (9 / 4 + 4 / 9)
    parts = [(3.0, 4), (2.0, 9), (0.0, 99)]
    assert half_width(iter(parts)) == pytest.approx(math.sqrt(5) * stats.t.ppf(0.975, freedom))


def test_runs_without_common_episodes() -> None:
    values = rng().normal(10, 2, size=40)
    made = estimate_over_runs(values, mean, 0)
    assert made.value == pytest.approx(values.mean())
    assert half(made) == pytest.approx(stats.t.ppf(0.975, 39) * values.std() / math.sqrt(40), rel=0.1)
    assert estimate_over_runs(values, mean, 0) == made != estimate_over_runs(values, mean, 1)
    drawn = values[:5][np.random.default_rng([0, 1]).integers(5, size=(2000, 5))]
    expected = stats.t.ppf(0.975, 4) * stats.trim_mean(drawn, 0.25, axis=1).std()
    assert half(estimate_over_runs(values[:5], iqm, 0)) == pytest.approx(expected)
    assert math.isnan(estimate_over_runs(values[:4], iqm, 0).low)
    assert not math.isnan(estimate_over_runs(values[:5], iqm, 0).low)
