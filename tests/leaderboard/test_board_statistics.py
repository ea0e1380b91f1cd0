"""Ranks: what is tied with what, and how often chance alone makes a rank."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from symbench.leaderboard.board_statistics import Contender, contender, ranks
from symbench.leaderboard.bootstrap import crossed, iqm
from symbench.leaderboard.bootstrap import difference as difference_of
from symbench.leaderboard.compare import difference
from symbench.leaderboard.retention import retention_draws, score


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


NORMAL = stats.norm.ppf((np.arange(4000) + 0.5) / 4000)  # without chance


def agent(value: float, error: float = 1.0) -> Contender:
    """An agent whose value has this standard error; two of error 1 differ from 3.29 on."""
    return Contender(*(value + error * rng(seed).permutation(NORMAL) for seed in range(2)))


BORDER = float(stats.norm.ppf(0.99) * np.sqrt(2))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), []),
        ((5,), [1]),
        ((5, 5), [1, 1]),
        ((5, 5 - BORDER + 0.3), [1, 1]),
        ((5, 5 - BORDER - 0.3), [1, 2]),
        ((12, 12, 5, 5, -3), [1, 1, 3, 3, 5]),
    ],
)
def test_ranks(values: tuple[float, ...], expected: list[int]) -> None:
    assert ranks([agent(value) for value in values]) == expected


def test_a_rank_counts_who_is_ahead() -> None:
    """Each is tied with the one before it, but not with the one before that: ties do not drift."""
    assert ranks([agent(value) for value in (6, 4, 2)]) == [1, 1, 2]
    assert ranks([agent(value) for value in (6, 4, 2, 0)]) == [1, 1, 2, 3]
    assert ranks([agent(value) for value in (9, 0, -1, -2, -9)]) == [1, 2, 2, 2, 5]


def test_an_agent_that_is_hardly_known_is_tied_with_what_is_far_above_it() -> None:
    assert ranks([agent(9, error=5), agent(1)]) == [1, 1]
    assert ranks([agent(9, error=0.1), agent(1)]) == [1, 2]
    assert ranks([agent(9), agent(1, error=5)]) == [1, 1]


def test_but_has_no_better_rank_than_those_before_it() -> None:
    assert ranks([agent(9), agent(2), agent(1, error=5)]) == [1, 2, 2]


def test_one_bad_training_run_ties_an_agent_with_nobody() -> None:
    """It widens the interval of its value on both sides: by version 2 of the statistics that made it the first, too."""
    good, other = (value + rng(seed).normal(0, 0.005, (1, 5, 20)) for seed, value in enumerate((0.9, 0.85)))
    bad = other * np.array([1, 1, 1, 1, 0])[:, None]
    first, steady, spoilt = (crossed(scores, 0, name) for name, scores in (("a", good), ("b", other), ("b", bad)))
    assert [ranks([contender(good, 0), contender(scores, 0)]) for scores in (other, bad)] == [[1, 2], [1, 2]]
    assert difference_of(first, steady).low > 0 > difference_of(first, spoilt).low


def test_no_draw_rises_where_a_score_falls() -> None:
    for seed in range(20):
        scores = rng(seed).normal(size=(3, 5, 8))
        worse = scores - rng(seed + 1).exponential(size=scores.shape) * (rng(seed + 2).random(scores.shape) < 0.3)
        before, after = crossed(scores, seed, "mine", resamples=200), crossed(worse, seed, "mine", resamples=200)
        assert after.value <= before.value and (after.both <= before.both + 1e-12).all()


def test_a_difference_in_the_last_bits_is_none() -> None:
    assert ranks([agent(1 + 1e-12, error=0), agent(1, error=0)]) == [1, 1]
    assert ranks([agent(1 + 1e-6, error=0), agent(1, error=0)]) == [1, 2]


def test_what_episodes_do_to_both_agents_is_no_difference() -> None:
    shared = rng().normal(0, 10, 2000)
    pair = [Contender(value + shared, value + shared) for value in (2.0, 1.0)]
    assert ranks(pair) == [1, 2]
    apart = [pair[0], pair[1]._replace(as_worse=1 + rng(1).normal(0, 10, 2000))]
    assert ranks(apart) == [1, 1]


def two(seed: int, better: float, runs: int, noisier: float = 1.0) -> list[int]:
    """Ranks of two agents, the first better by some standard deviations of a run; episodes matter as much as runs.

    Args:
        seed: Of everything.
        better: How much better the first is.
        runs: Training runs of each.
        noisier: How much more those of the second differ.
    """
    episodes = rng(seed).normal(size=(1, 30))
    units = [
        (shift + noise * rng(4 * seed + place).normal(size=(runs, 1)) + episodes)[None]
        for place, shift, noise in ((1, better, 1.0), (2, 0, noisier))
    ]
    units.sort(key=lambda scores: -float(iqm(scores.mean(axis=-1)).mean()))
    return ranks([contender(scores, seed, resamples=200) for scores in units])


@pytest.mark.parametrize(("runs", "noisier", "most"), [(5, 1, 0.05), (10, 1, 0.05), (20, 1, 0.05), (5, 3, 0.12)])
def test_chance_is_a_rank_five_times_of_a_hundred_at_most(runs: int, noisier: float, most: float) -> None:
    """More often where one is noisier than the other, and has five training runs."""
    assert 0 < np.mean([two(seed, 0, runs, noisier) == [1, 2] for seed in range(500)]) < most + 0.01


def test_what_is_no_chance_is_a_rank() -> None:
    assert all(two(seed, 5, 10) == [1, 2] for seed in range(100))


def test_the_difference_of_runs_has_the_spread_of_both() -> None:
    x, y = rng(1).normal(size=(100, 1)), rng(2).normal(size=(100, 1))
    made = difference(x + np.zeros((100, 7)), y + np.zeros((100, 7)), 0)
    half = 1.96 * np.sqrt(x.var() / 100 + y.var() / 100)
    assert made.value == pytest.approx(x.mean() - y.mean())
    assert made.high - made.low == pytest.approx(2 * half, rel=0.1)


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (1, 9), (9, 4), (4, 9)])
def test_a_difference_of_few_runs_is_over_paired_episodes(ours: int, theirs: int) -> None:
    """Runs differ by hundreds and so do episodes, yet the interval only knows what is left of each pair."""
    episodes = rng().uniform(0, 1000, size=(1, 50))
    x, y = (episodes + 100 * rng(runs).normal(size=(runs, 1)) for runs in (ours, theirs))
    made = difference(x, y, 0)
    np.testing.assert_allclose(made, [x.mean() - y.mean()] * 3, atol=1e-9)
    both = difference(episodes + np.arange(5)[:, None], episodes + np.arange(5)[:, None], 0)
    assert both.high - both.low > 1, "from five runs on it is over runs, too"


def test_a_board_of_twenty_agents_takes_less_than_five_seconds() -> None:
    """Both intervals of each agent, with 10 runs of 1000 episodes under 6 conditions, and the ranks; processor time."""
    agents = [rng(seed).uniform(1, 2, size=(7, 10, 1000)) for seed in range(20)]
    start, drawn = time.process_time(), []
    for place, (clean, *perturbed) in enumerate(agents):
        score(clean, 0, str(place))
        retention_draws(np.stack(perturbed), clean, 0, str(place))
        drawn.append(contender(np.stack(perturbed), 0))
    assert len(ranks(drawn)) == 20
    assert time.process_time() - start < 5
