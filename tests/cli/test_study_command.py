"""``symbench study``: from a name to curves, table and figure; mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from symbench.cli import app

RUN = CliRunner()
SMALL = """
description = "two short runs"
task = "CartPole-v1"
steps = 160
eval_every = 80
eval_episodes = 2
seed = 0
seeds = 2
stack = 2
threshold = 1.0

[algorithm]
name = "ppo"

[[arms]]
name = "mlp"
learning_rate = 0.001
network = { kind = "plain-mlp", num_sensors = 4, action_dim = 2 }
"""


def test_a_study_writes_runs_curves_table_and_figure(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "mine.toml").write_text(SMALL)
    result = RUN.invoke(app, ["study", str(tmp_path / "mine.toml"), "--out", str(tmp_path / "out"), "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "2 of 2" in result.output
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written == {
        *(f"mine/{name}" for name in ("curves.csv", "curves.png", "summary.csv")),
        *(f"mine/mlp/s{run}.json" for run in (0, 1)),
    }


def test_a_study_in_turned_worlds_says_what_is_lost(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    where = ["--out", str(tmp_path), "--workers", "1", "--seeds", "1", "--steps", "2048", "--arm", "mlp"]
    result = RUN.invoke(app, ["study", "particle-spread-zero-shot", *where])
    assert result.exit_code == 0, result.output
    assert "episodes that change" in result.output and "100%" in result.output
    assert len((tmp_path / "particle-spread-zero-shot" / "orientations.csv").read_text().splitlines()) == 1 + 4


def test_list_names_the_bundled_studies() -> None:
    result = RUN.invoke(app, ["study", "--list"])
    assert result.exit_code == 0
    assert "cartpole" in result.output
    assert "grid-world" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "which study?"),
        (["cartpol"], "did you mean 'cartpole'?"),
        (["cartpole", "--arm", "cnn"], "unknown arm 'cnn'"),
        (["cartpole", "--workers", "0"], "workers must be at least 1"),
    ],
)
def test_mistakes_of_study_are_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["study", *arguments, "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
