"""Small multiples: which panels there are, what the legend says, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import symbench
from symbench import plot
from symbench.errors import SymbenchError
from symbench.plot.panels import named
from symbench.plot.style import looks

if TYPE_CHECKING:
    from tests.plot.conftest import Make

TASKS = ("CartPole-v1", "CartPoleSwingUp")


def legend_of(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_for_each_task_and_one_legend(make_run: Make) -> None:
    figure = plot.figure(symbench.load(make_run(tasks=TASKS)), "retention", width="double")
    assert [ax.get_title() for ax in figure.axes] == list(TASKS)
    assert legend_of(figure) == ["mlp", "pi-net (3 runs)"]
    assert [ax.get_ylabel() for ax in figure.axes] == ["retention", ""]
    assert figure.get_figwidth() == 6.75


def test_a_single_panel_has_no_title(make_run: Make) -> None:
    (ax,) = plot.figure(symbench.load(make_run())).axes
    assert ax.get_title() == ""


def test_the_same_agent_looks_the_same_everywhere(make_run: Make) -> None:
    figure = plot.figure(symbench.load(make_run(tasks=TASKS)), width="double")
    colours = [{line.get_label(): line.get_color() for line in ax.lines} for ax in figure.axes]
    assert len({colour["mlp"] for colour in colours}) == 1


def test_agents_of_one_name_are_told_apart_by_their_run(make_run: Make) -> None:
    ours, theirs = make_run("ours"), make_run("theirs", agents={"mlp": (5, (400, 90, 80, 70, 60))})
    figure = plot.figure(symbench.load(ours, theirs))
    assert legend_of(figure) == ["mlp, ours", "pi-net (3 runs)", "mlp, theirs"]


def test_what_two_runs_have_in_common_is_there_once(make_run: Make) -> None:
    frame = symbench.load(make_run("ours"), make_run("again"))
    assert list(dict.fromkeys(named(frame)["name"])) == ["mlp", "pi-net", "random"]
    assert len(named(frame)) == len(frame) / 2


def test_names_are_drawn_as_they_are(make_run: Make) -> None:
    names = ["_hidden", "cost_$5$", "50%", r"\alpha^2"]
    frame = symbench.load(make_run())
    several = [frame[frame["agent"] == "mlp"].assign(agent=name) for name in names]
    figure = plot.figure(pd.concat(several))
    assert legend_of(figure) == names
    plot.save(figure, make_run("other") / "fig.pdf")


def test_more_agents_than_colours_still_differ() -> None:
    drawn = looks(map(str, range(20)))
    assert len(set(drawn.values())) == 20


def test_too_many_tasks_are_refused(make_run: Make) -> None:
    frame = symbench.load(make_run())
    many = pd.concat([frame.assign(task=f"T{number}") for number in range(13)])
    with pytest.raises(SymbenchError, match="13 tasks are too many for one figure of 12; choose some with --task"):
        plot.figure(many)


@pytest.mark.parametrize("width", ["triple", "0", "nan", "1000", None])
def test_a_width_that_there_is_not_is_refused(make_run: Make, width: Any) -> None:
    with pytest.raises(SymbenchError, match="unknown width"):
        plot.figure(symbench.load(make_run()), width=width)


def test_a_kind_that_there_is_not_is_refused(make_run: Make) -> None:
    with pytest.raises(SymbenchError, match="did you mean 'retention'"):
        plot.figure(symbench.load(make_run()), "retentoin")


def test_the_kind_follows_the_suite(make_run: Make) -> None:
    frame = symbench.load(make_run())
    assert plot.default_kind(frame) == "retention"
    assert plot.default_kind(frame.assign(severity_order=pd.NA)) == "bars"
