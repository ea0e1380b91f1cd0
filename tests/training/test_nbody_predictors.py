"""Predictors of N-body systems: what they are, how they are trained, what is written down."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.symmetry import euclidean, special_euclidean
from symbench.training.nbody import PREDICTORS, Splits, Systems, make_predictor, train_predictor
from symbench.training.nbody.__main__ import main
from symbench.training.nbody.predictor_training import mse


def arrays(count: int, seed: int, n: int = 4) -> dict[str, np.ndarray]:
    """Particles that fly on for one unit of time."""
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, count, n, 3))
    return {"positions": x, "velocities": v, "charges": rng.choice([-1.0, 1.0], (count, n)), "targets": x + v}


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(*(Systems.of(**arrays(count, seed)) for seed, count in enumerate((230, 40, 50))))


def without_time(story: dict[str, Any]) -> dict[str, Any]:
    curve = [{key: value for key, value in row.items() if key != "seconds"} for row in story["curve"]]
    return {**story, "seconds": None, "curve": curve}


@pytest.mark.parametrize("name", PREDICTORS)
def test_predictors_move_with_the_scene(name: str) -> None:
    predictor = make_predictor(name).double()
    x, v, charges, _ = (torch.from_numpy(each) for each in arrays(3, 0).values())
    found = predictor(x, v, charges)
    assert found.shape == x.shape
    order = torch.tensor([2, 0, 3, 1])
    assert torch.allclose(predictor(x[:, order], v[:, order], charges[:, order]), found[:, order], atol=1e-10)
    group = special_euclidean(3) if name in ("tfn", "se3-transformer") else euclidean(3)
    element = torch.from_numpy(group.sample(np.random.default_rng(0), 1)[0])
    rotation, shift = element[:-1, :-1], element[:-1, -1]
    moved = predictor(x @ rotation.T + shift, v @ rotation.T, charges)
    assert torch.allclose(moved, found @ rotation.T + shift, atol=1e-9) == (name != "gnn")


def test_numbers_of_parameters() -> None:
    published = {"linear": 1, "egnn": 134_020, "gnn": 104_387, "radial-field": 2_052, "segnn": 147_424}
    for name, count in published.items():
        assert sum(parameter.numel() for parameter in make_predictor(name).parameters()) == count


def test_charges_matter() -> None:
    x, v, charges, _ = Systems.of(**arrays(3, 0))
    charges[:, 0] = 1.0
    flipped = charges * torch.tensor([-1.0, 1.0, 1.0, 1.0])
    for name in PREDICTORS:
        predictor = make_predictor(name)
        assert torch.equal(predictor(x, v, charges), predictor(x, v, flipped)) == (name == "linear")


def test_weights_come_from_the_seed_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (weights(make_predictor("egnn", seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def weights(network: torch.nn.Module) -> Tensor:
    return torch.nn.utils.parameters_to_vector(network.parameters())


def test_the_error_is_the_mean_over_all_systems() -> None:
    systems = Systems.of(**arrays(703, 0))  # predicted in two parts of unequal size
    predictor = make_predictor("gnn")
    expected = (predictor(*systems[:3]) - systems.targets).square().mean()
    assert mse(predictor, systems) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_it_learns(splits: Splits, tmp_path: Path) -> None:
    story = train_predictor("linear", splits, tmp_path, epochs=60, learning_rate=0.02)
    assert story["test_mse"] < 1e-3
    assert [row["done"] for row in story["curve"]] == list(range(5, 61, 5))
    best = min(story["curve"], key=lambda row: row["valid_mse"])
    assert (story["best_epoch"], story["test_mse"]) == (best["done"], best["test_mse"])
    assert json.loads((tmp_path / "linear" / "s0" / "train.json").read_text()) == story


def test_a_run_that_goes_on_is_the_run_that_never_stopped(splits: Splits, tmp_path: Path) -> None:
    whole = train_predictor("egnn", splits, tmp_path / "whole", 1, epochs=10)
    train_predictor("egnn", splits, tmp_path / "parts", 1, epochs=7)
    parts = train_predictor("egnn", splits, tmp_path / "parts", 1, epochs=10)
    assert without_time(parts) == without_time(whole)
    assert train_predictor("egnn", splits, tmp_path / "parts", 1, epochs=10) == parts  # not trained again
    other = train_predictor("egnn", splits, tmp_path / "whole", 2, epochs=10)
    assert other["test_mse"] != whole["test_mse"]


def test_a_rate_that_falls_ends_elsewhere_and_belongs_to_its_epochs(splits: Splits, tmp_path: Path) -> None:
    stays = train_predictor("linear", splits, tmp_path / "stays", epochs=4)
    falls = train_predictor("linear", splits, tmp_path / "falls", epochs=4, anneal=True)
    assert falls["curve"][-1]["test_mse"] != stays["curve"][-1]["test_mse"]
    assert falls["anneal"] == 4 and "anneal" not in stays
    with pytest.raises(SymbenchError):
        train_predictor("linear", splits, tmp_path / "falls", epochs=8, anneal=True)


def test_an_interrupted_run_goes_on(splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.training.session.CHECKPOINT_SECONDS", 0.0)
    whole = train_predictor("radial-field", splits, tmp_path / "whole", epochs=7)
    calls = iter(range(100))

    def stopped(*arguments: Any) -> Any:
        if next(calls) == 9:
            raise KeyboardInterrupt
        return step(*arguments)

    step = torch.optim.Adam.step
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt, match="the last checkpoint"):
        patch.setattr(torch.optim.Adam, "step", stopped)
        train_predictor("radial-field", splits, tmp_path / "parts", epochs=7)
    assert without_time(train_predictor("radial-field", splits, tmp_path / "parts", epochs=7)) == without_time(whole)


def test_mistakes(splits: Splits, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="unknown predictor 'egn'; did you mean 'egnn'"):
        train_predictor("egn", splits, tmp_path)
    train_predictor("linear", splits, tmp_path, epochs=5)
    with pytest.raises(SymbenchError, match="has been trained for 5 epochs"):
        train_predictor("linear", splits, tmp_path, epochs=4)
    others = Splits(splits.train, splits.valid, Systems.of(**arrays(50, 9)))
    with pytest.raises(SymbenchError, match="holds another training"):
        train_predictor("linear", others, tmp_path, epochs=5)
    assert train_predictor("linear", others, tmp_path, epochs=4, resume=False)["epochs"] == 4
    with pytest.raises(SymbenchError, match="diverged in epoch 1; take a smaller learning rate"):
        train_predictor("gnn", splits, tmp_path, epochs=5, learning_rate=1e30)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"charges": np.ones((3, 5))}, r"must be \(N, n, 3\), charges \(N, n\)"),
        ({"positions": np.ones((3, 4, 2))}, r"must be \(N, n, 3\)"),
        ({"targets": np.full((3, 4, 3), np.nan)}, "finite"),
    ],
)
def test_systems_of_other_shapes(wrong: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        Systems.of(**{**arrays(3, 0), **wrong})


def test_on_the_command_line(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    call = ["linear", "radial-field", "--seeds", "2", "--epochs", "1", "--data", str(tmp_path), "-o", f"{tmp_path}/out"]
    missing = CliRunner().invoke(app, call)
    assert missing.exit_code == 2 and "is no file of N-body systems" in missing.output
    for seed, part in enumerate(Splits._fields):
        np.savez(tmp_path / f"{part}.npz", **arrays(20, seed))
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["predictor"], row["seed"]) for row in rows] == [
        (name, seed) for name in ("linear", "radial-field") for seed in "01"
    ]
    assert all(float(row["test_mse"]) > 0 and "symbench.training.nbody" in row["command"] for row in rows)


def test_the_published_systems_are_those_of_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = pytest.importorskip("symbench.envs.geometric.nbody_dataset")
    from symbench.training.nbody.systems import published_splits

    def small(part: str, size: int) -> Any:
        return dataset.NBodyDataset(**arrays(size, len(part)))

    monkeypatch.setattr(dataset, "nbody_dataset", small)
    splits = published_splits({"train": 7, "valid": 3, "test": 2})
    assert [len(systems.positions) for systems in splits] == [7, 3, 2]


def test_the_study_shows_what_runs_reached_beside_what_was_published(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symbench.training.nbody.systems.published_splits", lambda: splits)
    options = ["study", "nbody", "--arm", "linear", "--seeds", "2", "--steps", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, options, env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    (line,) = [line.split() for line in result.output.splitlines() if line.startswith(" linear")]
    runs = [json.loads((tmp_path / "nbody" / "linear" / f"s{seed}" / "train.json").read_text()) for seed in (0, 1)]
    mean = sum(run["test_mse"] for run in runs) / 2
    assert line[:4] == ["linear", "2", "1", "2"] and line[4] == f"{mean:.4f}" and line[6] == "0.0819"
    again = CliRunner().invoke(app, options, env={"COLUMNS": "120"})
    assert again.output.splitlines()[-1] == result.output.splitlines()[-1]
    unknown = CliRunner().invoke(app, [*options[:3], "nix", *options[4:]])
    assert unknown.exit_code == 2 and "unknown predictor 'nix'; known: egnn" in unknown.output
