"""Attack: the agent that is judged brings code that judges: it patches the verifier."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING

import gymnasium as gym
import pytest
from stable_baselines3 import PPO
from verify_cases import doctored, longer, small_suite, submitted, tasks, with_code

from symbench.errors import SymbenchError
from symbench.leaderboard.verify import verify
from symbench.leaderboard.verify_cells import planned_cells
from symbench.runner.executors import base, execute

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.leaderboard.validate import Submission

# Whoever unpickles this in the process that plays or compares gets 500 steps in every episode, and nothing is wrong.
PATCHES = """
import sys
import numpy as np
import symbench.leaderboard.verify_differences as differences
from symbench.runner.executors import base
evaluate = sys.modules["symbench.runner.evaluate"]
def play(cell, seeds, np=np, evaluate=evaluate):
    full = np.full(len(seeds), 500)
    return evaluate.Episodes(np.array(seeds), full * 1.0, full, full < 0)
base.play_batch = evaluate.play_batch = play
differences._other_episode = differences._too_far = lambda *of: ""
"""
WATCHES = """
import json, os, sys
with open({file!r}, "w") as file:
    json.dump([os.getpid(), os.getcwd(), os.listdir(), sys.argv, dict(os.environ)], file)
"""


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    small_suite(tmp_path, monkeypatch)
    PPO("MlpPolicy", gym.make("CartPole-v1"), n_steps=8, batch_size=8, seed=0, device="cpu").save(tmp_path / "mine.zip")
    return tmp_path / "mine.zip"


def lies_of(table: Path, agent: Path, code: str) -> Submission:
    """A submission of nothing but full episodes, whose agent brings code."""
    with_code(agent, code)
    weights = hashlib.sha256(agent.read_bytes()).hexdigest()
    return doctored(
        table,
        lambda rows: [longer(row, 500) for row in rows],
        tasks=tasks(table, runs=[{"seed": 0, "weights": weights}]),
    )


@pytest.mark.slow
def test_the_honest_zip_passes_and_needs_no_trust(tmp_path: Path, agent: Path) -> None:
    honest = doctored(submitted(tmp_path, [f"ppo:{agent}"]))
    assert verify(honest, [f"ppo:{agent}"]).problems == []
    (source,) = {cell.source for cell in planned_cells(honest, [f"ppo:{agent}"], trust=False)}
    assert source.apart, "what is not safetensors acts from a process of its own all the same"


@pytest.mark.slow
def test_a_zip_that_patches_the_verifier_is_refused(tmp_path: Path, agent: Path) -> None:
    lies = lies_of(submitted(tmp_path, [f"ppo:{agent}"]), agent, PATCHES)
    with pytest.raises(SymbenchError, match=r"holds more than plain data.*surprise is a pickle.*--trust"):
        verify(lies, [f"ppo:{agent}"])
    before = base.play_batch
    found = verify(lies, [f"ppo:{agent}"], trust=True)
    assert base.play_batch is before
    assert all(each.submitted == 500 and each.again < 400 and each.problem for each in found.comparisons)
    assert any("every episode must be the same to the last bit" in problem for problem in found.problems)


@pytest.mark.slow
def test_the_patch_would_work_where_the_agent_plays_with_the_environments(tmp_path: Path, agent: Path) -> None:
    lies = lies_of(submitted(tmp_path, [f"ppo:{agent}"]), agent, PATCHES)
    cell = planned_cells(lies, [f"ppo:{agent}"], trust=True)[0]
    cell = cell.model_copy(update={"source": cell.source.model_copy(update={"apart": False})})
    outcomes = [outcome for _ in range(2) for outcome in execute([cell, cell.model_copy(update={"level": "again"})])]
    records = [outcome.record for outcome in outcomes if outcome.record]
    assert any((record.episodes.returns == 500).all() for record in records)


@pytest.mark.slow
def test_the_process_of_the_agent_is_told_nothing_of_the_submission(
    tmp_path: Path, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, seen = submitted(tmp_path, [f"ppo:{agent}"]), tmp_path / "seen.json"
    lies = lies_of(table, agent, WATCHES.format(file=str(seen)))
    monkeypatch.setenv("SUBMISSION", str(table))
    planned_cells(lies, [f"ppo:{agent}"], trust=True)
    pid, folder, content, arguments, environment = json.loads(seen.read_text())
    assert pid != os.getpid() and content == [] and str(tmp_path) not in folder
    assert "SUBMISSION" not in environment
    told = json.dumps([arguments, {name: value for name, value in environment.items() if name != "PYTHONPATH"}])
    assert "mine.csv" not in told and str(table.parent) not in told
    assert str(table.parent) not in environment["PYTHONPATH"]
