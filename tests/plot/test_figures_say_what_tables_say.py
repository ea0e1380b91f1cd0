"""The numbers of a figure are those of the tables, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import symbench
from symbench import plot
from symbench.errors import SymbenchError
from symbench.leaderboard import write_report
from symbench.leaderboard.board_statistics import performance_profile
from symbench.leaderboard.retention import shares
from symbench.leaderboard.site.profiles import TAUS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plot.conftest import Make

LEVELS = ["0.1", "0.2", "0.4"]


@pytest.fixture
def run(make_run: Make) -> Path:
    return make_run()


def line_of(ax: Any, name: str) -> Any:
    return next(line for line in ax.lines if line.get_label() == name)


def column(table: pd.DataFrame, agent: str, name: str, levels: list[str]) -> list[float]:
    mine = table[table["agent"] == agent].set_index("severity")
    return [float(mine.loc[level, name]) for level in levels]


def test_retention_is_that_of_the_report(run: Path) -> None:
    write_report(run)
    table = pd.read_csv(run / "leaderboard.csv")
    ax = plot.retention(symbench.load(run))
    for agent in ("mlp", "pi-net"):
        drawn = line_of(ax, agent).get_ydata()
        np.testing.assert_array_equal(drawn[:4], [1.0, *column(table, agent, "retention", LEVELS)])
        assert np.isnan(drawn[4])  # the line ends where the severities do
        assert drawn[5:] == column(table, agent, "retention", ["once"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["as it is", *LEVELS, "shuffle-sensors\nonce"]


def test_bands_are_the_intervals_of_the_report(run: Path) -> None:
    frame = symbench.load(run)
    ax = plot.retention(frame)
    band = ax.collections[0].get_paths()[0].vertices
    for end in ("retention_low", "retention_high"):
        for value in column(frame, "mlp", end, LEVELS):
            assert value in band[:, 1]


def test_few_training_runs_are_dashed_and_random_play_has_nothing_to_keep(run: Path) -> None:
    ax = plot.retention(symbench.load(run))
    assert line_of(ax, "mlp").get_linestyle() == "-"
    assert line_of(ax, "pi-net").get_linestyle() == "--"
    assert "random" not in [line.get_label() for line in ax.lines]


def test_bars_are_the_scores_of_the_report(run: Path) -> None:
    frame = symbench.load(run)
    ax = plot.bars(frame)
    for bars in ax.containers:
        heights = [bar.get_height() for bar in bars]
        assert heights == column(frame, bars.get_label(), "iqm", ["clean", *LEVELS, "once"])
    assert [bars.get_label() for bars in ax.containers] == ["mlp", "pi-net"]
    assert [bool(bars[0].get_hatch()) for bars in ax.containers] == [False, True]


def test_profiles_are_of_the_shares_of_training_runs(run: Path) -> None:
    episodes = symbench.load(run, per="episode")
    means = episodes[episodes["agent"] == "mlp"].groupby(["run", "severity"])["return"].mean().unstack()
    scores = (means - 22.28) / (500 - 22.28)
    kept = shares(scores[[*LEVELS, "once"]].to_numpy().T, scores["clean"].to_numpy()).T
    ax = plot.profile(symbench.load(run, per="run"))
    expected = performance_profile(kept, TAUS)
    np.testing.assert_allclose(line_of(ax, "mlp").get_ydata(), expected.share)
    assert len(ax.collections) == 1  # no band for three training runs


def test_profiles_are_over_what_all_agents_have_played(make_run: Make) -> None:
    run = make_run(agents={"mlp": (5, (460, 180)), "pi-net": (5, (430, 425, 400, 300, 410))})
    frame = symbench.load(run, per="run")
    only = frame[frame["severity"].isin(["clean", "0.1"])]
    both, alone = plot.profile(frame), plot.profile(only)
    np.testing.assert_array_equal(line_of(both, "pi-net").get_ydata(), line_of(alone, "pi-net").get_ydata())


def test_arms_that_were_not_measured_yet_are_left_out() -> None:
    lines = [("begun", "s0", 100, float("nan")), ("done", "s0", 100, 1.0), ("done", "s0", 200, 2.0)]
    frame = pd.DataFrame(lines, columns=["arm", "run", "step", "return"])
    assert [line.get_label() for line in plot.training(frame).get_lines()] == ["done"]
    with pytest.raises(SymbenchError, match="no return was measured yet"):
        plot.training(frame[frame["arm"] == "begun"])


def test_training_shows_median_and_quartiles() -> None:
    runs = [[0, 10, 20], [0, 30, 40], [0, 50, 90]]
    lines = [("a", run, step, value) for run, of in enumerate(runs) for step, value in zip((0, 8, 16), of, strict=True)]
    ax = plot.training(pd.DataFrame(lines, columns=["arm", "run", "step", "return"]))
    line = line_of(ax, "a")
    np.testing.assert_array_equal(line.get_xdata(), [0, 8, 16])
    np.testing.assert_array_equal(line.get_ydata(), [0, 30, 40])
    assert {20.0, 30.0, 40.0, 65.0} <= set(ax.collections[0].get_paths()[0].vertices[:, 1])


def test_runs_that_were_measured_at_other_steps_are_compared_at_the_same() -> None:
    lines = [("a", 0, 0, 0.0), ("a", 0, 10, 10.0), ("a", 1, 0, 0.0), ("a", 1, 4, 8.0), ("a", 1, 8, 8.0)]
    ax = plot.training(pd.DataFrame(lines, columns=["arm", "run", "step", "return"]))
    np.testing.assert_array_equal(line_of(ax, "a").get_xdata(), [0, 4, 8])
    np.testing.assert_array_equal(line_of(ax, "a").get_ydata(), [0.0, 6.0, 8.0])


def test_axes_of_the_users_own_are_drawn_on(run: Path) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert plot.retention(symbench.load(run), ax=ax) is ax
    import matplotlib as mpl

    assert mpl.rcParams["font.size"] == mpl.rcParamsDefault["font.size"]


@pytest.mark.parametrize("kind", ["retention", "bars"])
def test_evaluate_gives_what_figures_read(kind: str) -> None:
    frame = symbench.evaluate(lambda pole: int(pole[2] > 0), "CartPole-v1", "sensor-noise", episodes=2)
    assert plot.KINDS[kind](frame).lines


def test_one_pair_of_axes_shows_one_task(make_run: Make) -> None:
    frame = symbench.load(make_run(tasks=("CartPole-v1", "Acrobot-v1")))
    with pytest.raises(SymbenchError, match=r"one task, received CartPole-v1 under tiny@1, Acrobot-v1 under tiny@1"):
        plot.retention(frame)


def test_a_frame_of_something_else_is_refused(run: Path) -> None:
    with pytest.raises(SymbenchError, match=r"no column 'training_runs'; give that of symbench\.load"):
        plot.retention(symbench.load(run, per="run"))
    with pytest.raises(SymbenchError, match="no column 'run'"):
        plot.profile(symbench.load(run))


def test_a_run_without_perturbed_conditions_says_what_to_draw(make_run: Make) -> None:
    frame = symbench.load(make_run(agents={"mlp": (5, (460,))}))
    with pytest.raises(SymbenchError, match="draw bars"):
        plot.retention(frame[frame["baseline"]])
    with pytest.raises(SymbenchError, match="no agent retains anything in CartPole-v1"):
        plot.retention(frame)
    assert plot.default_kind(frame) == "bars"


def test_conditions_are_called_as_tables_call_them_and_what_they_share_stands_once(run: Path) -> None:
    words = {"0.1": "noise of 10%", "0.2": "noise of 20%", "0.4": "noise of 40%", "once": "another order"}
    frame = symbench.load(run)
    frame["condition"] = frame["severity"].map(words).fillna("as it is")
    for draw in (plot.retention, plot.bars):
        ax = draw(frame)
        ticks = [label.get_text().replace("\n", " ") for label in ax.get_xticklabels()]
        assert ticks == ["as it is", "10%", "20%", "40%", "another order"]
        (above,) = ax.child_axes
        assert [label.get_text() for label in above.get_xticklabels() if label.get_text()] == ["noise of …"]
        long = plot.figure(frame.assign(condition=frame["condition"] + "y" * 400), draw.__name__)
        assert long.get_figheight() < 5
        alone = draw(frame[frame["severity"] != "once"])
        assert alone.get_xlabel() == "noise of …" and not alone.child_axes
