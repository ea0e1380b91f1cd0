"""The occlusion matrix of a run: which agent, hidden how much, with what return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from symbench.errors import SymbenchError
from symbench.leaderboard.published import Published
from symbench.runner import AgentSource, Cell, Episodes, Manifest, Record, Store
from symbench.suites import Suite
from symbench.viz.occlusion import occlusion

if TYPE_CHECKING:
    from pathlib import Path

HIDE = [{"wrapper": "OccludePatches", "ratio": 0.3, "patch_mask": True}]


def write_run(folder: Path, levels: dict[str, list[dict[str, object]]], left_out: str = "") -> None:
    """A run of two agents whose return is the number of the condition, or ten times it."""
    conditions = [
        {"name": "occlude-patches", "level": level, "apply": apply, "baseline": not apply}
        for level, apply in levels.items()
    ]
    data = {"name": "hidden", "version": 1, "description": "x", "tasks": ["Pong"], "seed": 0, "episodes": 2}
    suite = Suite.model_validate({**data, "perturbations": conditions})
    manifest, store = Manifest(suite=suite), Store(folder)
    manifest.add_task("Pong")
    for factor, agent in ((10.0, "set-50"), (1.0, "set-9")):
        for number, condition in enumerate(suite.perturbations):
            source = AgentSource(name=agent, kind="zoo", digest="x")
            cell = Cell(
                suite="hidden", version=1, task="Pong", perturbation=condition.name, level=condition.level,
                apply=condition.apply, source=source, episodes=2, seed=0,
            )  # fmt: skip
            manifest.cells[cell.id] = cell.spec_hash
            ones = np.ones(2)
            episodes = Episodes(np.arange(2), factor * number * ones, ones.astype(np.int64), ones.astype(bool))
            if cell.id.split("/")[3:5] != left_out.split("/"):
                store.write(Record(cell, (), episodes))
    manifest.save(store)


def test_returns_stand_where_they_belong_and_gaps_stay_open(tmp_path: Path) -> None:
    write_run(tmp_path, {"0": [], "30": HIDE}, left_out="30/set-9")
    assert "2 agents under 2 levels" in occlusion(tmp_path, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "occlusion.csv").set_index(["agent", "test_occlusion"])["mean_return"]
    assert table["set-50", 0.3] == 10 and table["set-50", 0.0] == 0 and np.isnan(table["set-9", 0.3])
    assert [agent for agent, _ in table.index[::2]] == ["set-9", "set-50"]  # by the number, not the letters


def test_published_numbers_stand_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = Published(
        "trained at 50% (paper)", "x", {"occlude-patches/0": (21.0, 0.0), "occlude-patches/30": (15.0, 0)}
    )
    monkeypatch.setattr("symbench.viz.occlusion.published", lambda task, suite: (paper,))
    write_run(tmp_path, {"0": [], "30": HIDE})
    occlusion(tmp_path, tmp_path)
    table = pd.read_csv(tmp_path / "occlusion.csv")
    assert table[table["source"] == "paper"]["mean_return"].tolist() == [21.0, 15.0]


def test_a_run_without_occlusion_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, {"0": [], "moved": [{"wrapper": "ShufflePatches"}]})
    with pytest.raises(SymbenchError, match="holds no occlusion"):
        occlusion(tmp_path, tmp_path)
