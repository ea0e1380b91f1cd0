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


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "nodes", "lengths"), [("tsp_20", 20, (3.838, 3.840, 3.866, 3.863)), ("tsp_50", 50, (5.796, 5.833))]
)
@pytest.mark.slow
def test_published_weights_lose_what_was_measured(
    name: str, nodes: int, lengths: tuple[float, ...], tmp_path: Path
) -> None:
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    app = Typer()
    app.command()(transformations.main)
    out, path = tmp_path / "rows.csv", Path(folder) / "routing" / f"{name}.npz"
    count = 300
    ran = CliRunner().invoke(app, [name, str(path), "--nodes", str(nodes), "--instances", str(count), "-o", str(out)])
    assert ran.exit_code == 0, ran.output
    with out.open() as file:
        rows = {(row["solver"], row["transformation"]): row for row in csv.DictReader(file)}
    names = ("in place", "turned by 45 degrees", "moved by +.5", "scaled by .5")
    for each, length in zip(names, lengths, strict=False):
        # 300 of the 2,000 instances: their mean has a deviation of .3 / sqrt(300).
        assert abs(float(rows["as trained", each]["mean_length"]) - length) < 0.06
    plain = float(rows["as trained", "in place"]["mean_length"])
    canonical = float(rows["canonicalised", "all of these"]["mean_length"])
    assert abs(canonical - plain) < 0.01 * plain
    assert float(rows["best of four frames", "all of these"]["mean_length"]) < canonical
    assert float(rows["as trained", "mirrored"]["share_changed"]) > 0.4


def test_what_is_no_model_of_tours_is_refused() -> None:
    app = Typer()
    app.command()(transformations.main)
    ran = CliRunner().invoke(app, ["tsp_2000", "nowhere.npz"])
    assert ran.exit_code == 2
    assert "unknown" in ran.output
