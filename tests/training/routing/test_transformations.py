"""What routing models lose on transformed instances: nothing where invariant; published weights as was measured."""

from __future__ import annotations

import csv
import os
from functools import partial
from pathlib import Path

import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

from symbench.policies.routing import AttentionModel, DistanceModel, RoutingModel, greedy
from symbench.training.routing import transformations
from symbench.training.routing.transformations import TRANSFORMATIONS, invariant_solvers, transformation_rows
from symbench.training.routing.uniform_instances import uniform_instances
from symbench.zoo import load_published, save_agent


def fresh(kind: type[AttentionModel] | type[DistanceModel]) -> RoutingModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind("cvrp", 32, 4, 2, 64).double().eval()


def test_only_the_plain_model_notices_transformations() -> None:
    drawn = uniform_instances("cvrp", 20, 10, torch.Generator().manual_seed(0))
    instances = {key: part.double() for key, part in drawn.items()}
    solvers = {**invariant_solvers(fresh(AttentionModel)), "distances": partial(greedy, fresh(DistanceModel))}
    rows = list(transformation_rows(solvers, instances))
    assert len(rows) == len(solvers) * (len(TRANSFORMATIONS) + 1)
    for row in rows:
        noticed = row.solver == "as trained" and row.transformation not in ("in place", "relabelled")
        assert (row.share_changed > 0) == (row.largest_change > 1e-9) == noticed, row


@pytest.fixture
def routing() -> Path:
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return Path(folder) / "routing"


@pytest.mark.reference
@pytest.mark.slow
def test_published_weights_lose_what_was_measured(routing: Path) -> None:
    """Lengths over 2,000 instances, of which these are 200: their mean has a deviation of .3 / sqrt(200)."""
    network = load_published("tsp_20", routing / "tsp_20.npz").network
    assert isinstance(network, RoutingModel)
    drawn = uniform_instances("tsp", 200, 20, torch.Generator().manual_seed(1234))
    solvers = invariant_solvers(network.double())
    few = {name: solvers[name] for name in ("as trained", "canonicalised", "best of four frames")}
    rows = {row[:2]: row for row in transformation_rows(few, {"cities": drawn["cities"].double()})}
    measured = {"in place": 3.838, "turned by 45 degrees": 3.840, "moved by +.5": 3.866, "scaled by .5": 3.863}
    for each, length in measured.items():
        assert abs(rows["as trained", each].mean_length - length) < 0.07
    assert rows["as trained", "mirrored"].share_changed > 0.35
    plain, canonical, best = (rows[name, "all of these"].mean_length for name in few)
    assert best < canonical < plain


@pytest.mark.reference
def test_the_command_writes_a_row_for_each_solver_and_transformation(routing: Path, tmp_path: Path) -> None:
    app = Typer()
    app.command()(transformations.main)
    out = tmp_path / "rows.csv"
    ran = CliRunner().invoke(
        app, [str(routing / "tsp_20.npz"), "--published", "tsp_20", "--instances", "3", "-o", str(out)]
    )
    assert ran.exit_code == 0, ran.output
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * (len(TRANSFORMATIONS) + 1)
    assert all(float(row["mean_length"]) > 2 and row["nodes"] == "20" for row in rows)


def test_what_is_no_model_of_tours_is_refused() -> None:
    app = Typer()
    app.command()(transformations.main)
    ran = CliRunner().invoke(app, ["nowhere.npz", "--published", "tsp_2000"])
    assert ran.exit_code == 2
    assert "unknown" in ran.output


def test_agents_are_measured_by_their_files(tmp_path: Path) -> None:
    app, out = Typer(), tmp_path / "rows.csv"
    app.command()(transformations.main)
    networks = {"exact": DistanceModel("tsp", 16, 2, 1, 16), "plain": AttentionModel("tsp", 16, 2, 1, 16)}
    for name, network in networks.items():
        save_agent(network.eval(), tmp_path / name, {"agent": name})
    files = [str(tmp_path / f"{name}.safetensors") for name in networks]
    ran = CliRunner().invoke(app, [*files, "--nodes", "7", "--instances", "20", "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    with out.open() as file:
        rows = list(csv.DictReader(file))
    changed = {row["solver"] for row in rows if float(row["largest_change"]) > 1e-9}
    assert changed == {"as trained"}
    assert "distance-model" in {row["solver"] for row in rows}
