"""Gaps and seconds of methods that build tours, and their picture."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from symbench.errors import SymbenchError
from symbench.leaderboard import gap_against_seconds, gap_picture
from symbench.leaderboard.gap_against_seconds import measure, methods_of
from symbench.leaderboard.gap_rows import FAMILIES, OTHERS, GapRow, read_rows, read_tables, write_rows
from symbench.leaderboard.label_places import Box, place_labels
from symbench.leaderboard.site import pages
from symbench.policies.routing import AttentionModel, DistanceModel, EdgeScorer, PomoModel
from symbench.runner.evaluate import evaluate
from symbench.runner.run_suite import make_plan
from symbench.solvers.held_karp import held_karp
from symbench.solvers.reference_sets import instances_of, lengths_in
from symbench.suites import load_suite
from symbench.tasks import GapMetric, get_task
from symbench.zoo import save_agent

SMALL: dict[str, Any] = {"width": 16, "heads": 2, "layers": 1, "hidden": 16}
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows() -> list[GapRow]:
    pytest.importorskip("elkai")
    return [measure(spec, "TSP20", 10) for spec in methods_of("TSP20")]


def command(module: Any, *arguments: object) -> Any:
    import typer

    app = typer.Typer()
    app.command()(module.main)
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_every_method_has_a_row_and_no_tour_is_shorter_than_the_shortest(rows: list[GapRow]) -> None:
    found = {row.method: row for row in rows}
    assert {"nearest-neighbour", "farthest-insertion", "two-opt", "lkh"} < found.keys()
    assert {
        "dpdp beam:10",
        "dpdp beam:1000",
        "attention-model greedy",
        "attention-model x8",
        "edge-scorer beam:100",
    } < found.keys()
    for row in rows:
        assert (row.task, row.nodes, row.instances) == ("TSP20", 20, 10)
        assert row.gap_mean >= -1e-9 and row.seconds > 0 and 0 <= row.share_at_reference <= 1
        assert row.gap_low <= row.gap_mean <= row.gap_high
    assert abs(found["lkh"].gap_mean) < 1e-9 and found["lkh"].share_at_reference == 1
    assert found["nearest-neighbour"].gap_mean > found["two-opt"].gap_mean
    assert found["dpdp beam:10"].gap_mean > found["dpdp beam:1000"].gap_mean
    assert [found[name].batch for name in ("two-opt", "lkh", "dpdp beam:10", "attention-model x8")] == [10, 1, 1, 10]


def test_gaps_are_those_of_a_run(rows: list[GapRow]) -> None:
    plan = make_plan(load_suite("routing"), tasks=["TSP20"], agents=["attention-model,decode=sample:16"], episodes=10)
    cell = next(each for each in plan.cells if each.agent != "random" and each.level == "in-place")
    played, metric = evaluate(cell), get_task("TSP20").metric
    assert isinstance(metric, GapMetric)
    gaps = metric.gaps(played.seeds, played.returns)
    row = next(row for row in rows if row.method == "attention-model sample:16")
    assert row.gap_mean == pytest.approx(gaps.mean(), abs=1e-4) and row.gap_std == pytest.approx(gaps.std(), abs=1e-4)


@pytest.mark.slow
def test_stored_references_are_the_shortest_tours() -> None:
    instances = instances_of("TSP20", 1)
    shortest = lengths_in(instances, held_karp(instances["cities"][0])[None])
    metric = get_task("TSP20").metric
    assert isinstance(metric, GapMetric)
    assert abs(metric.gaps([1_000_000], -shortest)[0]) < 1e-9


def test_methods_of_vehicles_and_families_of_all_kinds(tmp_path: Path) -> None:
    assert measure("savings", "CVRP20", 3).family == FAMILIES[""]
    save_agent(PomoModel(**SMALL), tmp_path / "pomo", {"agent": "pomo"})
    save_agent(DistanceModel(**SMALL), tmp_path / "distances", {"agent": "distances"})
    save_agent(EdgeScorer(width=8, layers=1), tmp_path / "scorer", {"agent": "scorer"})
    cases = (
        (f"mine={tmp_path}/pomo,decode=x8-starts", "mine x8-starts", "POMO"),
        (f"{tmp_path}/distances", "distances", OTHERS),
        (f"{tmp_path}/scorer,decode=beam:5", "scorer beam:5", "DPDP"),
    )
    for spec, method, family in cases:
        row = measure(spec, "TSP20", 3)
        assert (row.method, row.family, row.batch) == (method, family, 3)


def test_training_runs_of_an_agent_are_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in range(2):
        save_agent(AttentionModel(**SMALL), tmp_path / "TSP20" / "am" / f"s{run}", {"agent": "am"})
    monkeypatch.setattr("symbench.zoo.agent_files.WEIGHTS", tmp_path)
    both = measure("am,decode=greedy", "TSP20", 4)
    each = [measure(f"one={tmp_path}/TSP20/am/s{run}", "TSP20", 4).gap_mean for run in range(2)]
    assert both.runs == 2 and both.gap_mean == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--task", "CartPole-v1", "-a", "random"), "no reference tours of task 'CartPole-v1'"),
        (("-a", "random"), "'random' plans no whole tours"),
        (("-a", "two-opt", "--instances", "10001"), "10000 reference tours of TSP20 are stored"),
        (("--task", "CVRP20", "-a", "two-opt"), "two-opt plans tours of tsp"),
        (("-a", "zzz"), "unknown agent 'zzz'"),
        (("-a", "dpdp,decode=x8"), "DPDP has beams"),
    ],
)
def test_mistakes_are_said_in_one_line(arguments: tuple[str, ...], problem: str, tmp_path: Path) -> None:
    result = command(gap_against_seconds, *arguments, "--out", tmp_path / "x.csv")
    assert result.exit_code == 2 and problem in result.output.replace("\n", " ")


def test_a_table_keeps_the_rows_of_other_methods(tmp_path: Path) -> None:
    for agent in ("two-opt", "nearest-neighbour", "two-opt"):
        out = tmp_path / "tours" / "TSP20.csv"
        assert command(gap_against_seconds, "-a", agent, "--instances", 5, "-o", out).exit_code == 0
    assert [row.method for row in read_rows(out)] == ["two-opt", "nearest-neighbour"]
    assert [[row.method for row in table] for table in read_tables(tmp_path)] == [["two-opt", "nearest-neighbour"]]
    out.write_text("task,method\na,b\n")
    with pytest.raises(SymbenchError, match="no table of gaps"):
        read_rows(out)
    assert "no table of gaps" in command(gap_picture, out).output.replace("\n", " ")


def test_the_picture_names_every_method_and_zero_is_on_it(rows: list[GapRow], tmp_path: Path) -> None:
    write_rows(tmp_path / "TSP20.csv", rows)
    assert command(gap_picture, tmp_path / "TSP20.csv", "-o", tmp_path / "gaps.svg").exit_code == 0
    text = (tmp_path / "gaps.svg").read_text()
    drawn = ElementTree.fromstring(text)
    words = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    titles = "\n".join(element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}title"))
    for row in rows:
        assert f"{row.method}: gap" in titles
        assert (row.method if row.family == FAMILIES[""] else row.method.split(" ")[1]) in words
    assert {"without learning", "DPDP", "attention model", "0%"} <= set(words)
    assert text == gap_picture.gap_picture([read_rows(tmp_path / "TSP20.csv")])


def test_the_picture_of_this_repository_is_that_of_its_tables_and_on_its_site() -> None:
    tables = read_tables(ROOT / "leaderboards")
    picture = gap_picture.gap_picture(tables)
    assert picture == (ROOT / "docs" / "pictures" / "tours-gaps.svg").read_text(encoding="utf-8")
    assert picture in (ROOT / "leaderboards" / "site" / "index.html").read_text(encoding="utf-8")
    assert "<style" not in picture and not re.search(r"\sstyle=", picture)  # the site forbids both


def test_names_cannot_leave_their_text(rows: list[GapRow]) -> None:
    hostile = "</text><script>alert(1)</script>"
    for family in (rows[0].family, "strange family"):
        page = pages([], [[rows[0]._replace(method=hostile, family=family)]])["index.html"]
        assert "<script>alert" not in page and html.escape(hostile) in page


def test_labels_cover_neither_each_other_nor_points() -> None:
    rng = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in rng.uniform(40, 360, (12, 2))]
    frame = Box(0, 0, 400, 400)
    boxes = place_labels(points, [50.0] * 12, frame)
    for i, box in enumerate(boxes):
        assert box.shared(frame) == pytest.approx(50 * 12)
        assert all(box.shared(other) == 0 for other in boxes[:i])
        assert not any(box.left < x < box.right and box.top < y < box.bottom for x, y in points)
    assert boxes == place_labels(points, [50.0] * 12, frame)
