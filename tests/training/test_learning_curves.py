"""Learning curves: areas, steps to a threshold and intervals are right, figures and tables are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from symbench.training.study.learning_curves import Curves, summarise
from symbench.viz.draw_curves import draw_curves, write_curves, write_summary


def curves(*returns: list[float]) -> Curves:
    return Curves("arm", 1, np.array([0, 100, 200]), np.array(returns, dtype=np.float64))


def test_area_and_steps_to_threshold() -> None:
    found = curves([0, 10, 20], [0, 0, 0], [20, 0, 20])
    np.testing.assert_allclose(found.areas, [10, 0, 10])
    np.testing.assert_array_equal(found.steps_to(10), [100, np.inf, 0])
    summary = summarise(found, 10)
    assert summary.reached == pytest.approx(2 / 3)
    assert summary.steps.value == 100
    assert np.isnan(summary.steps.low) and np.isnan(summary.area.low), "three runs"
    many = summarise(curves(*[[0, 10, 20], [0, 0, 0], [20, 0, 20]] * 2), 10)
    assert (many.steps.low, many.steps.high) == (0, 200), "of six runs the median lies within all of them"
    assert many.area.low < many.area.value < many.area.high
    assert summary.median_curve == 200  # the median curve is 0, 0, 20


def test_a_run_that_is_measured_once_has_an_area_too() -> None:
    once = Curves("arm", 1, np.array([0]), np.array([[3.0], [5.0]]))
    assert once.areas.tolist() == [3, 5]
    assert summarise(once, 10).area.value == 4


@pytest.mark.parametrize(
    ("runs", "ends"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15))]
)
def test_the_interval_of_a_median_is_that_of_order_statistics(runs: int, ends: tuple[int, int] | None) -> None:
    """Tables of the sign test, e.g. Hollander and Wolfe: the narrowest ranks that hold the median 95 times of 100."""
    steps = np.arange(runs + 1) * 10
    made = summarise(Curves("arm", 1, steps, np.triu(np.ones((runs, runs + 1)), 1)), 1).steps
    if ends is None:
        assert np.isnan(made.low) and np.isnan(made.high)
    else:
        assert (made.low / 10, made.high / 10) == ends


def test_a_single_run_has_no_interval_and_failures_count_with_all_steps() -> None:
    summary = summarise(curves([0, 1, 2]), 10)
    assert (summary.reached, summary.steps.value, summary.median_curve) == (0.0, 200, np.inf)
    assert np.isnan(summary.area.low)


def test_no_two_of_many_arms_look_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    drawn = []
    monkeypatch.setattr("symbench.viz.draw_curves.save", lambda figure, path: drawn.append(figure) or path)
    draw_curves(tmp_path / "many.png", [curves([0, 1, 2]) for _ in range(20)], "title", 2.0)
    lines = drawn[0].axes[0].get_lines()[1:]  # the first is the threshold
    assert len(lines) == len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


def test_figure_and_tables(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = [curves([0, 1, 2], [0, 3, 4])]
    for name in ("a.png", "b.png"):
        draw_curves(tmp_path / name, found, "title", 2.0)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    lines = write_curves(tmp_path / "curves.csv", found).read_text().splitlines()
    assert lines[:2] == ["arm,run,step,return", "arm,0,0,0.0"]
    assert len(lines) == 7
    header, line = write_summary(tmp_path / "summary.csv", [summarise(found[0], 2)]).read_text().splitlines()
    assert len(header.split(",")) == len(line.split(",")) == 14
