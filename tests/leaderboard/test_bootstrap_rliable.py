"""The statistics, against what rliable's own tests expect, against published tables, and against rliable itself.

Values are compared, intervals are not: rliable's are percentiles over training runs, which are too narrow for few runs
and take the episodes as they are. So is the score over several tasks: rliable trims runs and tasks together, here tasks
count equally.

rliable's tests are those of github.com/google-research/rliable (the package of 1.2.0 holds none).

Scores of all training runs together with the numbers that rliable made of them were published with DIAMOND (Alonso et
al. 2024, arXiv 2405.12399): the runs in results/data/DIAMOND.json of github.com/eloialonso/diamond, those of SimPLe, of
random play and of humans in results/data of github.com/eloialonso/iris, by the same authors; the numbers in Table 1.

What rliable 1.2.0 itself answers was measured once, with ``np.random.seed(0)`` and percentile intervals; another seed
gave the same within the tolerances. It is no dependency: it fails at import beside the pandas 3 that pip brings along.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.leaderboard.board_statistics import performance_profile
from symbench.leaderboard.bootstrap import iqm
from symbench.leaderboard.retention import aggregate, probability_of_improvement, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# tests/rliable/metrics_test.py: training runs x tasks.
X = np.array([[1.0, 2.0], [2.0, 2.0], [1.0, 1.0], [2.0, 1.0]])
Y = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])

# tests/library_test.py: 5 training runs x 16 tasks, and the same runs backwards.
COUNTED = np.arange(80.0).reshape(5, 16)
BACKWARDS = COUNTED[::-1]

TABLE = np.genfromtxt(Path(__file__).with_name("atari_100k.csv"), delimiter=",", skip_header=1)[:, 1:]
GOPHER = 13


def human_normalised(first: int) -> Array:
    """Scores of 5 training runs in the 26 games of Atari 100k, (5, 26): 0 is random play, 1 a human."""
    random, human, runs = TABLE[:, :1], TABLE[:, 1:2], TABLE[:, first : first + 5]
    return ((runs - random) / (human - random)).T


SIMPLE, DIAMOND = human_normalised(2), human_normalised(7)


def by_task(units: Array) -> list[Array]:
    """(R, C) -> what :func:`aggregate` takes: one (R, 1) for each task."""
    return [column[:, None] for column in units.T]


def mean_probability_of_improvement(ours: Array, theirs: Array) -> float:
    """As rliable defines it for several tasks: the mean of that of each."""
    pairs = zip(by_task(ours), by_task(theirs), strict=True)
    return float(np.mean([probability_of_improvement(one, other).value for one, other in pairs]))


def mean_by_profile(units: Array) -> float:
    """The mean as the area under the performance profile, which is level between any two scores."""
    taus = np.sort(units, axis=None)
    share = performance_profile(units, taus).share
    return float(taus[0] + share[:-1] @ np.diff(taus))


@pytest.mark.parametrize(("units", "expected"), [(X, 1.5), (Y, 2.0)])
def test_aggregates_of_rliables_metrics_test(units: Array, expected: float) -> None:
    """tests/rliable/metrics_test.py, test_aggregate_metrics: IQM and mean."""
    assert iqm(units.ravel()) == expected
    assert aggregate(by_task(units), 0).value == expected
    assert mean_by_profile(units) == pytest.approx(expected, abs=1e-12)


def test_the_probability_of_improvement_of_rliables_metrics_test() -> None:
    """tests/rliable/metrics_test.py, test_aggregate_metrics: X is better than Y one time in three."""
    assert mean_probability_of_improvement(X, Y) == pytest.approx(1 / 3, abs=1e-12)
    assert mean_probability_of_improvement(Y, X) == pytest.approx(2 / 3, abs=1e-12)


def test_the_interval_of_the_probability_of_improvement_of_rliables_library_test() -> None:
    """tests/library_test.py, test_improvement_probability_cis."""
    made = probability_of_improvement(COUNTED[:, :1], BACKWARDS[:, :1])
    assert made.value == 0.5 and made.low < made.value < made.high


@pytest.mark.parametrize("units", [COUNTED, BACKWARDS])
def test_the_profiles_of_rliables_library_test(units: Array) -> None:
    """tests/library_test.py, test_performance_profiles: thresholds, order, shapes; shares by counting."""
    profile = performance_profile(units, np.array([0.0, 0.25, 0.5, 1.0]))
    assert profile.share.tolist() == [79 / 80, 79 / 80, 79 / 80, 78 / 80]
    assert sorted(profile.share, reverse=True) == profile.share.tolist()
    assert profile.low.shape == profile.high.shape == (4,)


@pytest.mark.parametrize(("units", "mean", "middle"), [(SIMPLE, 0.332, 0.130), (DIAMOND, 1.459, 0.641)])
def test_published_mean_and_iqm_of_atari_100k(units: Array, mean: float, middle: float) -> None:
    """Table 1 of DIAMOND, to its three digits."""
    assert round(mean_by_profile(units), 3) == mean
    assert round(float(iqm(units.ravel())), 3) == middle


@pytest.mark.parametrize(("units", "games"), [(SIMPLE, 1), (DIAMOND, 11)])
def test_published_number_of_superhuman_games_of_atari_100k(units: Array, games: int) -> None:
    """Table 1 of DIAMOND: the profile of mean scores above that of a human."""
    profile = performance_profile(units.mean(axis=0, keepdims=True), np.array([1.0]))
    assert profile.share * 26 == pytest.approx(games)


def test_rliables_probability_of_improvement_of_all_tasks() -> None:
    """probability_of_improvement over all 26 games; if scores were averaged over games first, it would be 1."""
    assert mean_probability_of_improvement(DIAMOND, SIMPLE) == pytest.approx(0.8338461538461538, abs=1e-12)
    assert probability_of_improvement(DIAMOND, SIMPLE).value == 1


@pytest.mark.parametrize(("units", "expected"), [(SIMPLE, 0.14424683279966585), (DIAMOND, 2.148498770244559)])
def test_rliables_iqm_of_a_single_task(units: Array, expected: float) -> None:
    """get_interval_estimates with aggregate_iqm in Gopher."""
    assert score(units[:, GOPHER, None], 0).value == pytest.approx(expected, rel=1e-9)


# create_performance_profile in Gopher.
TAUS = np.array([0.0, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 4.0])
GOPHERS = [(SIMPLE, [1.0, 0.6, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0]), (DIAMOND, [1.0, 1.0, 1.0, 0.8, 0.8, 0.6, 0.4, 0.2])]


@pytest.mark.parametrize(("units", "share"), GOPHERS)
def test_rliables_profile_of_a_single_task(units: Array, share: list[float]) -> None:
    np.testing.assert_allclose(performance_profile(units[:, GOPHER, None], TAUS).share, share, atol=1e-12)


# create_performance_profile over all 26 games: the shares do not depend on the bootstrap.
SHARES = [
    (SIMPLE, [0.907692, 0.576923, 0.453846, 0.338462, 0.238462, 0.115385, 0.015385, 0.0]),
    (DIAMOND, [0.969231, 0.815385, 0.707692, 0.576923, 0.461538, 0.423077, 0.246154, 0.115385]),
]


@pytest.mark.parametrize(("units", "share"), SHARES)
def test_rliables_profile_of_all_tasks(units: Array, share: list[float]) -> None:
    taus = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(performance_profile(units, taus).share, share, atol=5e-7)
