"""``symbench solve``: an instance of a file in, a tour, its lengths and a picture out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from symbench.cli import app
from symbench.envs.routing.tsplib import read_tsplib
from symbench.policies.routing import AttentionModel, EdgeScorer, PomoModel
from symbench.runner.solve import solve_file, unit_square
from symbench.zoo import save_agent

SMALL: dict[str, Any] = {"width": 16, "heads": 2, "layers": 1, "hidden": 16}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Sixteen cities on a circle of radius 1000 far from the origin: the shortest tour is the circle."""
    angles = np.random.default_rng(0).permutation(16) * 2 * np.pi / 16
    rows = [f"{i + 1} {5000 + 1000 * np.cos(a):.3f} {-300 + 1000 * np.sin(a):.3f}" for i, a in enumerate(angles)]
    head = ["NAME: circle", "TYPE: TSP", "DIMENSION: 16", "EDGE_WEIGHT_TYPE: EUC_2D", "NODE_COORD_SECTION"]
    path = tmp_path / "circle.tsp"
    path.write_text("\n".join([*head, *rows, "EOF"]) + "\n")
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    save_agent(AttentionModel(**SMALL), tmp_path / "am", {"agent": "am"})
    save_agent(AttentionModel("cvrp", **SMALL), tmp_path / "vehicles", {"agent": "vehicles"})
    save_agent(PomoModel(**SMALL), tmp_path / "pomo", {"agent": "pomo"})
    save_agent(EdgeScorer(width=8, layers=1), tmp_path / "scorer", {"agent": "scorer"})
    return tmp_path


def called(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["solve", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_tour_its_lengths_and_a_picture(file: Path, tmp_path: Path) -> None:
    code, output = called(file, "--agent", "two-opt", "--svg", tmp_path / "new" / "tour.svg")
    assert code == 0
    first, second = output.splitlines()
    circumference = 16 * 2000 * np.sin(np.pi / 16)
    assert first == f"circle, two-opt: length {circumference:.6g} (TSPLIB: {16 * round(circumference / 16)})"
    tour = np.array(second.split(), int) - 1
    assert read_tsplib(file).length(tour) == 16 * round(circumference / 16)
    root = ET.parse(tmp_path / "new" / "tour.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f".//{space}circle")) == 16
    polygon = root.find(f"{space}polygon")
    assert polygon is not None and len(polygon.attrib["points"].split()) == 16


@pytest.mark.parametrize(
    "agent",
    ["nearest-neighbour", "farthest-insertion", "pomo", "edge-scorer,decode=beam:50", "am.json",
     "am.safetensors,decode=sample:4", "pomo,decode=x8-starts",
     "am,decode=beam:5", "scorer.safetensors", "scorer,decode=beam:50", "mine=am,decode=frames", "random"],
)  # fmt: skip
def test_agents_of_all_kinds_solve_it(agent: str, file: Path, models: Path) -> None:
    if agent not in ("nearest-neighbour", "farthest-insertion", "random", "pomo", "edge-scorer,decode=beam:50"):
        agent = agent.replace("=am", f"={models}/am", 1) if agent.startswith("mine") else f"{models}/{agent}"
    found = solve_file(file, agent)
    assert sorted(found.tour.tolist()) == list(range(16))
    assert solve_file(file, agent).tour.tolist() == found.tour.tolist()
    assert found.length == pytest.approx(found.rounded_length, rel=1e-3)


def test_learned_agents_see_the_unit_square() -> None:
    cities = np.array([[100.0, 200.0], [300.0, 250.0], [200.0, 300.0]])
    np.testing.assert_allclose(unit_square(cities), [[0, 0], [1, 0.25], [0.5, 0.5]])
    np.testing.assert_array_equal(unit_square(np.full((3, 2), 7.0)), np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("two-op", "unknown agent 'two-op' .*did you mean 'two-opt'"),
        ("savings", "savings plans tours of cvrp, the task gives instances of tsp"),
        ("DIR/vehicles", "reads instances of cvrp"),
        ("DIR/vehicles,decode=x8", "plans tours of cvrp, the task gives instances of tsp"),
        ("DIR/pomo,decode=beam:3", "beams need a model that chooses the first city, pomo does not: take decode=starts"),
        ("DIR/scorer,decode=x8", "DPDP has beams, decode=beam:N, received decode=x8"),
        ("two-opt,decode=x8", "decode is an option of models that build tours and of DPDP"),
        ("DIR/am,decode=x9", "expected decode=greedy, sample:N, .*received decode=x9"),
        ("DIR/none.safetensors", "does not exist"),
    ],
)
def test_mistakes_are_one_line(agent: str, message: str, file: Path, models: Path) -> None:
    import re

    code, output = called(file, "--agent", agent.replace("DIR", str(models)))
    assert code == 2 and re.search(message, " ".join(output.split())), output
    assert output.startswith("error: ") and "Traceback" not in output


def test_files_that_are_no_instances_are_refused(tmp_path: Path) -> None:
    assert called(tmp_path / "none.tsp", "-a", "two-opt")[0] == 2
    (tmp_path / "geo.tsp").write_text("TYPE: TSP\nEDGE_WEIGHT_TYPE: GEO\n")
    code, output = called(tmp_path / "geo.tsp", "-a", "two-opt")
    assert code == 2 and "EDGE_WEIGHT_TYPE must be EUC_2D, received GEO" in " ".join(output.split())


def test_a_picture_that_cannot_be_written_is_one_line(file: Path) -> None:
    code, output = called(file, "--agent", "two-opt", "--svg", file / "tour.svg")
    assert code == 2 and "cannot write" in " ".join(output.split())
