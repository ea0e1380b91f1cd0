"""Runs on disk as data frames: the lines of the files, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbench
from symbench.errors import SymbenchError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    policies = [lambda pole: int(pole[2] > 0), lambda pole: int(pole[3] > 0)]
    symbench.evaluate({"lean": policies}, "CartPole-v1", "sensor-noise", episodes=3, out=tmp_path / "run")
    return tmp_path / "run"


def test_agents_episodes_and_training_runs(run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    agents, runs, episodes = (symbench.load(run, per=per) for per in ("agent", "run", "episode"))
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    for frame, file in ((agents, "leaderboard.csv"), (episodes, "episodes.csv")):
        assert frame.drop(columns="source").to_csv(index=False) == (run / file).read_text()
    of_runs = episodes.groupby(["perturbation", "severity", "agent", "run"])["return"].mean()
    for line in runs.itertuples():
        assert line.mean == pytest.approx(of_runs[line.perturbation, line.severity, line.agent, line.run])


def test_retention_of_training_runs_averages_to_that_of_the_agent(run: Path) -> None:
    agents, runs = symbench.load(run), symbench.load(run, per="run")
    kept = runs[runs["agent"] == "lean"].groupby("severity")["retention"].mean()  # of two runs nothing is trimmed
    told = agents[agents["agent"] == "lean"].set_index("severity")["retention"]
    assert kept.to_dict() == pytest.approx(told.to_dict())


def test_several_runs_say_where_each_line_is_from(run: Path) -> None:
    frame = symbench.load(run, str(run))
    assert set(frame["source"]) == {str(run)} and len(frame) == 2 * len(symbench.load(run))


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="which run"):
        symbench.load()
    with pytest.raises(SymbenchError, match="holds no run"):
        symbench.load(tmp_path)
    with pytest.raises(
        SymbenchError, match=r"a directory is expected, received list; several: symbench.load\(\*runs\)"
    ):
        symbench.load([tmp_path])  # type: ignore[arg-type]
    with pytest.raises(SymbenchError, match="per must be"):
        symbench.load(tmp_path, per="seed")  # type: ignore[arg-type]
