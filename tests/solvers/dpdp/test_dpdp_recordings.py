"""Beams find what the authors' program found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.solvers.dpdp import beams, dpdp, make_edges
from symbench.solvers.held_karp import held_karp

pytestmark = pytest.mark.reference
NONE = -1  # of a threshold, of neighbours, of a tour


@pytest.fixture(scope="module")
def instances() -> dict[str, dict[str, Any]]:
    """Arrays of each recorded instance by their names."""
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    found: dict[str, dict[str, Any]] = {}
    with np.load(Path(folder) / "geometric" / "dpdp_tsp.npz", allow_pickle=False) as file:
        for key in file.files:
            instance, _, name = key.partition("/")
            found.setdefault(instance, {})[name] = file[key]
    return found


def length(cities: np.ndarray, tour: np.ndarray) -> float:
    ordered = cities[tour]
    return float(np.linalg.norm(ordered - np.roll(ordered, -1, axis=0), axis=1).sum())


def runs(instance: dict[str, Any]) -> list[tuple[dict[str, Any], np.ndarray, float]]:
    """Options, tour and length of every recorded run."""
    columns = [name for name in instance if name.startswith("run_")]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*(instance[name] for name in columns), strict=True)]
    return [(options(row), row["run_tour"], float(row["run_length"])) for row in rows]


def options(row: dict[str, Any]) -> dict[str, Any]:
    threshold, knn = float(row["run_heatmap_threshold"]), int(row["run_knn"])
    return {
        "beam_size": int(row["run_beam_size"]),
        "score": str(row["run_score_function"]),
        "threshold": None if threshold == NONE else threshold,
        "knn": None if knn == NONE else knn,
        "collapse_dominated": bool(row["run_collapse_dominated"]),
    }


@pytest.mark.slow
def test_tours_of_every_recorded_run(instances: dict[str, dict[str, Any]]) -> None:
    compared = 0
    for name, instance in instances.items():
        cities = instance["coords"].astype(float)
        for chosen, tour, expected in runs(instance):
            compared += 1
            if tour[0] == NONE:
                with pytest.raises(SymbenchError, match="found no tour"):
                    dpdp(cities, instance["log_heatmap_raw"], **chosen)
                continue
            found = dpdp(cities, instance["log_heatmap_raw"], **chosen)
            assert (found == tour).all() or (found[1:] == tour[:0:-1]).all(), (name, chosen)
            assert length(cities, found) == pytest.approx(expected, abs=1e-6), (name, chosen)
    assert compared > 0


def test_shortest_tours(instances: dict[str, dict[str, Any]]) -> None:
    optimal = {name: instance for name, instance in instances.items() if "optimal_length" in instance}
    assert optimal
    for instance in optimal.values():
        cities = instance["coords"].astype(float)
        assert length(cities, held_karp(cities)) == pytest.approx(float(instance["optimal_length"]), abs=1e-6)


def test_beams_after_every_recorded_step(instances: dict[str, dict[str, Any]]) -> None:
    recorded = {name: instance for name, instance in instances.items() if "debug_edge_weight" in instance}
    assert recorded
    for instance in recorded.values():
        edges = make_edges(instance["coords"].astype(float), instance["log_heatmap_raw"], threshold=1e-5)
        np.testing.assert_allclose(edges.weights, instance["debug_edge_weight"], atol=1e-6)
        others = ~np.eye(len(edges.allowed), dtype=bool)
        assert (edges.allowed == (instance["debug_adjacency"].astype(bool) & others)).all()
        for step, beam in enumerate(beams(edges, 5)):
            prefix = f"debug_B5_step{step}_"
            if f"{prefix}current" not in instance:
                assert step > 0
                break
            theirs = {
                name: instance[prefix + name] for name in ("visited", "current", "cost", "score_without_potential")
            }
            order = np.lexsort([theirs["current"], *theirs["visited"].T])
            ours = np.lexsort([beam.current, *beam.visited.T])
            assert (beam.visited[ours] == theirs["visited"][order].astype(bool)).all()
            assert (beam.current[ours] == theirs["current"][order]).all()
            np.testing.assert_allclose(beam.cost[ours], theirs["cost"][order], atol=1e-6)
            np.testing.assert_allclose(beam.score[ours], theirs["score_without_potential"][order], atol=1e-5)
