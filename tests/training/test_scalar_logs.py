"""``symbench train --log``: what TensorBoard and Weights & Biases are told is what ``train.json`` says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.training import train
from symbench.training.session import Session
from tests.training.conftest import Interrupt, Tiny

Curves = dict[str, list[tuple[int, float]]]
RECIPES = {  # an algorithm each, and one of a team
    "attention-neuron": {"return", "loss"},
    "mlp": {"return", "loss", "train/value_loss"},
    "recurrent-attention-neuron-es": {"return", "best", "sigma"},
    "unshuffler": {"return", "loss"},
    "particle-spread-gnn": {"return", "loss", "train/entropy_loss"},
    "tsp20-am": {"length", "sampled", "loss"},
}


def logged(folder: Path) -> Curves:
    """What TensorBoard reads in a folder."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator").EventAccumulator(str(folder))
    reader.Reload()
    return {tag: [(event.step, event.value) for event in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}


def curve(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "train.json").read_text())["curve"]
    return found


def assert_same(events: Curves, rows: list[dict[str, Any]]) -> None:
    assert rows
    for name in rows[0].keys() - {"done", "seconds"}:
        measured = [row for row in rows if row[name] is not None]  # no return before the first episode has ended
        assert [step for step, _ in events[name]] == [row["done"] for row in measured]
        told = np.array([value for _, value in events[name]])
        np.testing.assert_array_equal(told, np.float32([row[name] for row in measured]))


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "names"), RECIPES.items())
def test_tensorboard_is_told_the_curve_and_what_belongs_to_the_algorithm(
    recipe: str, names: set[str], tiny: Tiny, tmp_path: Path
) -> None:
    folder = train(recipe, tmp_path / "a", overrides=tiny(recipe), log="tensorboard").parent
    events, rows = logged(folder), curve(folder)
    assert_same(events, rows)
    assert names <= events.keys()
    for name in ("loss", "steps_per_second"):
        told = [value for _, value in events.get(name, [])]
        assert np.isfinite(told).all() and min(told, default=1.0) != 0, name
    speeds = [value for _, value in events["steps_per_second"]]
    assert len(speeds) == len(rows) and min(speeds) > 0


def test_an_agent_is_the_same_with_a_log_and_there_is_none_unasked(tiny: Tiny, tmp_path: Path) -> None:
    plain, told = (train("mlp", tmp_path / str(log), overrides=tiny("mlp"), log=log) for log in (None, "tensorboard"))
    assert plain.with_suffix(".safetensors").read_bytes() == told.with_suffix(".safetensors").read_bytes()
    assert [row["return"] for row in curve(plain.parent)] == [row["return"] for row in curve(told.parent)]
    assert [*told.parent.glob("events.*")] and not [*plain.parent.glob("events.*")]


@pytest.mark.parametrize("before", ["tensorboard", None])
def test_a_training_that_goes_on_tells_every_step_once(
    before: str | None, tiny: Tiny, interrupt: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The only checkpoint is that of the first point: the others before the interruption are measured once more.
    monkeypatch.setattr(Session, "checkpoint_is_due", lambda session: len(session.curve) == 1)

    def go(log: str | None, **options: Any) -> Path:
        return train("attention-neuron", tmp_path, overrides=tiny("attention-neuron"), log=log, **options).parent

    interrupt(5)
    with pytest.raises(KeyboardInterrupt):
        go(before)
    interrupt(0)
    folder = go("tensorboard")
    assert len(curve(folder)) > 5
    assert_same(logged(folder), curve(folder))
    assert len([*folder.glob("events.*")]) == (2 if before else 1)
    assert_same(logged(go("tensorboard", resume=False)), curve(folder))
    assert len([*folder.glob("events.*")]) == 1, "a training that begins anew leaves nothing of the old one"


class FakeWandb:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.runs: list[SimpleNamespace] = []

    def init(self, **options: Any) -> Any:
        rows: list[tuple[int, dict[str, float]]] = []
        run = SimpleNamespace(options=options, rows=rows, finished=False)
        run.log = lambda values, step: rows.append((step, values))
        run.finish = lambda: setattr(run, "finished", True)
        self.runs.append(run)
        return run


def test_wandb_is_told_the_same_and_what_is_trained(
    tiny: Tiny, interrupt: Interrupt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)  # type: ignore[arg-type]
    overrides = tiny("attention-neuron")
    interrupt(5)
    with pytest.raises(KeyboardInterrupt):
        train("attention-neuron", tmp_path, 3, overrides=overrides, log="wandb")
    interrupt(0)
    folder = train("attention-neuron", tmp_path, 3, overrides=overrides, log="wandb").parent
    assert [run.finished for run in wandb.runs] == [True, True]
    options = wandb.runs[1].options
    assert options["name"] == "attention-neuron/s3" and options["dir"] == str(folder)
    assert options["config"]["seed"] == 3 and options["config"]["algorithm"]["steps"] == overrides["steps"]
    rows = curve(folder)
    told = [(step, values["return"]) for step, values in wandb.runs[1].rows]
    assert told == [(row["done"], row["return"]) for row in rows], "the later run holds the whole curve"
    assert "loss" in wandb.runs[1].rows[-1][1]


def test_what_wandb_refuses_is_one_line_before_anything_is_trained(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**options: Any) -> Any:
        raise RuntimeError("api_key not configured")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))  # type: ignore[arg-type]
    with pytest.raises(SymbenchError, match=r"wandb does not begin .*api_key not configured.*WANDB_MODE=offline"):
        train("attention-neuron", tmp_path, overrides=tiny("attention-neuron"), log="wandb")
    assert not (tmp_path / "attention-neuron" / "s0" / "curve.json").exists()


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("wandb", "logs for Weights & Biases need wandb: pip install 'symbench[wandb]'"),
        ("tensorboard", "logs for TensorBoard need tensorboard: pip install 'symbench[log]'"),
        ("tensorbord", "unknown log 'tensorbord'; did you mean 'tensorboard'?"),
    ],
)
def test_what_is_missing_is_one_line(log: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("wandb", "tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    result = CliRunner().invoke(app, ["train", "mlp", "--out", str(tmp_path / "new"), "--log", log])
    assert result.exit_code == 2 and said in result.output, result.output
    assert len(result.output.strip().splitlines()) == 1 and not (tmp_path / "new").exists()
