"""Newcombe's and Wilson's intervals and the permutation test, against their equations and against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from symbench.leaderboard.proportions import EXACT_UP_TO, PERMUTATIONS, newcombe, paired_permutation, wilson

MANY = settings(max_examples=25, deadline=None)
Z = stats.norm.ppf(0.975)


def standard_error(theta: float, m: int, n: int) -> float:
    """Newcombe 2006, part 2, methods 4 and 5: Hanley and McNeil's with the mean of both sizes."""
    star = (m + n) / 2 - 1
    return float(
        np.sqrt(theta * (1 - theta) * (1 + star * (1 - theta) / (2 - theta) + star * theta / (1 + theta)) / (m * n))
    )


@pytest.mark.parametrize(
    ("share", "ours", "theirs", "expected"),
    [
        (1.0, 5, 5, (0.64, 1.00)),  # of the issue: not [1, 1]
        (0.0, 5, 5, (0.00, 0.36)),
        (0.5, 5, 5, (0.21, 0.79)),
        (0.8, 5, 7, (0.46, 0.95)),
        (1.0, 10, 10, (0.80, 1.00)),
    ],
)
def test_newcombes_interval(share: float, ours: int, theirs: int, expected: tuple[float, float]) -> None:
    assert newcombe(share, ours, theirs) == pytest.approx(expected, abs=0.005)


@MANY
@given(data=st.data(), ours=st.integers(5, 40), theirs=st.integers(5, 40))
def test_newcombes_limits_are_where_the_score_test_rejects(data: st.DataObject, ours: int, theirs: int) -> None:
    share = data.draw(st.integers(0, 2 * ours * theirs)) / (2 * ours * theirs)
    low, high = newcombe(share, ours, theirs)
    assert 0 <= low <= share <= high <= 1 and high - low > 0.05
    for limit in (low, high):
        if 0 < limit < 1:
            assert abs(share - limit) == pytest.approx(Z * standard_error(limit, ours, theirs), abs=1e-6)
    assert (low == 0) == (share == 0) and (high == 1) == (share == 1)
    assert newcombe(1 - share, ours, theirs) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@MANY
@given(data=st.data(), count=st.integers(1, 200))
def test_wilsons_interval_is_scipys(data: st.DataObject, count: int) -> None:
    successes = data.draw(st.integers(0, count))
    expected = stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert wilson(successes / count, count) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= wilson(0.0, count)[0] and wilson(1.0, count)[1] <= 1


def test_wilsons_interval_is_elementwise() -> None:
    low, high = wilson(np.array([0.0, 0.5, 1.0]), 5)
    assert [round(float(end), 2) for end in (*low, *high)] == [0.0, 0.17, 0.57, 0.43, 0.83, 1.0]


def scipys(differences: NDArray[np.float64], resamples: float) -> float:
    made = stats.permutation_test(
        (differences, np.zeros(len(differences))),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=1,
    )
    return float(made.pvalue)


@MANY
@given(seed=st.integers(0, 2**31), count=st.integers(2, EXACT_UP_TO))
@example(seed=22141, count=6)  # a sum of 0, but for rounding
def test_the_permutation_test_of_few_episodes_is_exact(seed: int, count: int) -> None:
    differences = np.random.default_rng(seed).normal(0.4, size=count).round(1)
    assert paired_permutation(differences, 0) == pytest.approx(scipys(differences, np.inf), abs=1e-12)
    assert paired_permutation(-differences, 9) == paired_permutation(differences, 0)


@pytest.mark.parametrize("shift", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("count", [EXACT_UP_TO + 1, 100])
def test_that_of_many_episodes_is_drawn(shift: float, count: int) -> None:
    differences = np.random.default_rng(1).normal(shift, size=count)
    made = paired_permutation(differences, 0)
    assert made == pytest.approx(scipys(differences, 9999), abs=0.02)
    assert made == paired_permutation(differences, 0)


def test_p_values_by_hand() -> None:
    assert paired_permutation(np.ones(1), 0) == 1.0
    assert paired_permutation(np.ones(5), 0) == 2 / 32
    assert paired_permutation(np.array([3.0, -1.0]), 0) == 1.0
    assert paired_permutation(np.zeros(7), 0) == paired_permutation(np.zeros(50), 0) == 1.0
    assert PERMUTATIONS == 9999 and paired_permutation(np.ones(100), 0) == 1 / 10_000, "never 0"
    assert paired_permutation(np.full(13, 0.1), 0) == pytest.approx(2 / 2**13, abs=0.0003)


def test_equal_agents_differ_five_times_of_a_hundred() -> None:
    p = [
        paired_permutation(np.random.default_rng(seed).exponential(size=(2, 11)).T @ [1, -1], 0) for seed in range(400)
    ]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.03)
