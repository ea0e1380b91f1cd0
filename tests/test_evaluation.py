"""``symbench.evaluate``: what the command does, from Python."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import pandas as pd
import pytest
import torch
from gymnasium.spaces import Discrete
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import symbench
from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.policies import MLPNetwork, NetworkAgent
from symbench.zoo import bundled, load_agent

if TYPE_CHECKING:
    from pathlib import Path

TASK, EPISODES = "CartPole-v1", 6


@pytest.fixture(autouse=True)
def _torch() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.toml"
    file.write_text(
        'name = "tiny"\nversion = 1\ndescription = "two conditions"\ntasks = ["CartPole-v1", "Pendulum-v1"]\n'
        "seed = 100\nepisodes = 5\n"
        '[[perturbations]]\nname = "none"\nlevel = "in-order"\nlabel = "in order"\nbaseline = true\n'
        '[[perturbations]]\nname = "shuffle"\nlevel = "every-10"\n'
        'apply = [{ wrapper = "ShuffleSensors", resample = 10 }]\n'
    )
    return file


def of_command(*arguments: Any, out: Path) -> pd.DataFrame:
    from typer.testing import CliRunner

    given = [str(argument) for argument in arguments]
    result = CliRunner().invoke(app, ["run", *given, "--out", str(out), "--episodes", str(EPISODES), "--only"])
    assert result.exit_code == 0, result.output
    return pd.read_csv(out / "leaderboard.csv")


def assert_same_numbers(frame: pd.DataFrame, table: pd.DataFrame, agent: str) -> None:
    where = ["perturbation", "severity"]
    numbers = ["mean", "std", "iqm", "iqm_low", "iqm_high", "retention", "mean_length", "episodes", "training_runs"]
    ours, theirs = (each[each.agent == agent].set_index(where)[numbers] for each in (frame, table))
    assert len(ours) == 2
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True, check_dtype=False)


@pytest.mark.slow
def test_a_model_has_the_numbers_of_its_zip_in_the_command(suite: Path, tmp_path: Path) -> None:
    venv = VecNormalize(DummyVecEnv([lambda: gym.make(TASK)]))
    model = PPO("MlpPolicy", venv, device="cpu", seed=0, n_steps=32, batch_size=32).learn(32)
    model.save(tmp_path / "mine.zip")
    venv.save(str(tmp_path / "vecnormalize.pkl"))
    spec = f"mine=ppo:{tmp_path}/mine.zip"
    table = of_command("--suite", suite, "--task", TASK, "--agent", spec, "--trust", out=tmp_path / "run")
    frame = symbench.evaluate({"mine": model}, TASK, suite, episodes=EPISODES)
    assert_same_numbers(frame, table, "mine")
    assert_same_numbers(frame, table, "random")


@pytest.mark.slow
def test_a_bundled_agent_has_the_numbers_of_the_command(suite: Path, tmp_path: Path) -> None:
    table = of_command("--suite", suite, "--task", TASK, "--agent", "mlp", out=tmp_path / "run")
    by_name = symbench.evaluate("mlp", TASK, suite, episodes=EPISODES)
    files = bundled(TASK)["mlp"]
    objects = symbench.evaluate({"mlp": [load_agent(file) for file in files]}, TASK, suite, episodes=EPISODES)
    for frame in (by_name, objects):
        assert_same_numbers(frame, table, "mlp")
        assert list(frame.columns) == list(table.columns)
        assert frame.agent.tolist() == ["mlp", "random"] * 2


def test_agents_networks_modules_functions_and_objects_play(suite: Path) -> None:
    class Lean:
        def act(self, observation: Any) -> int:
            return int(observation[2] + 0.5 * observation[3] > 0)

    network = MLPNetwork(4, Discrete(2), hidden=(8,)).train()
    agents: list[Any] = [NetworkAgent(network, "agent"), network, torch.nn.Linear(4, 2), Lean(), Lean, Lean().act]
    frame = symbench.evaluate(agents, TASK, suite, episodes=3)
    clean = frame[frame.severity == "in-order"].set_index("agent")["mean"]
    assert list(clean.index) == ["agent", "MLPNetwork", "Linear", "Lean-3", "Lean-4", "act", "random"]
    assert clean["Lean-3"] == clean["Lean-4"] == clean["act"] > 150
    assert clean["agent"] == clean["MLPNetwork"]
    assert agents[0].name == "agent"
    assert network.training is False  # as NetworkAgent made it
    assert agents[2].training  # what is played is a copy


@pytest.mark.slow
def test_objects_and_texts_play_together(suite: Path, tmp_path: Path) -> None:
    PPO("MlpPolicy", TASK, device="cpu", seed=0).save(tmp_path / "mine.zip")
    agents = {"zip": f"ppo:{tmp_path}/mine.zip", "up": lambda pole: 1}
    frame = symbench.evaluate(agents, TASK, suite, episodes=2, trust=True)
    assert frame.agent.tolist() == ["zip", "up", "random"] * 2
    assert frame["mean"].notna().all()


def test_what_goes_wrong_is_an_error_or_a_note(suite: Path) -> None:
    with pytest.raises(SymbenchError, match=r"agent 'wrong' answered with 7 at step 0 of the episode with seed 100"):
        symbench.evaluate({"wrong": lambda pole: 7}, TASK, suite, episodes=2)
    frame = symbench.evaluate({"wrong": lambda pole: 7, "up": lambda pole: 1}, TASK, suite, episodes=2)
    assert frame[frame.agent == "wrong"].note.str.contains("answered with 7").all()
    with pytest.raises(SymbenchError, match=r"unknown task 'CartPol-v1'.*did you mean 'CartPole-v1'"):
        symbench.evaluate(lambda pole: 1, "CartPol-v1", suite)
    with pytest.raises(SymbenchError, match="'object': object has no method act"):
        symbench.evaluate(object(), TASK, suite)
    with pytest.raises(SymbenchError, match=r"two agents are called 'random'|'random' is the name of random play"):
        symbench.evaluate({"random": lambda pole: 1}, TASK, suite)


def test_an_environment_in_place_of_a_name_is_told_what_a_task_is(suite: Path) -> None:
    wrong: Any
    for wrong in (gym.make(TASK), [gym.Env], lambda: gym.make(TASK)):
        with pytest.raises(SymbenchError, match=r"task: a name is expected, .* 'my_envs:Walk-v0' for what my_envs reg"):
            symbench.evaluate(lambda pole: 0, wrong, suite)


def test_statistics_that_are_gone_are_missed(suite: Path, tmp_path: Path) -> None:
    venv = VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")]))
    A2C("MlpPolicy", venv, device="cpu", seed=0).learn(20).save(tmp_path / "mine.zip")
    model = A2C.load(tmp_path / "mine.zip", device="cpu")
    with pytest.raises(SymbenchError, match="was trained inside VecNormalize, which is not around its environment"):
        symbench.evaluate({"mine": model}, "Pendulum-v1", suite, episodes=1)


def test_a_directory_keeps_what_was_played(suite: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = torch.nn.Linear(4, 2)
    first = symbench.evaluate({"mine": module}, TASK, suite, episodes=2, out=tmp_path / "out")
    cells = {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "cells").rglob("*.json")}
    again = symbench.evaluate({"mine": module}, TASK, suite, episodes=2, out=tmp_path / "out")
    pd.testing.assert_frame_equal(first, again)
    assert cells == {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "cells").rglob("*.json")}
    with torch.no_grad():
        module.weight.add_(1)
    with pytest.raises(SymbenchError, match="holds another result"):
        symbench.evaluate({"mine": module}, TASK, suite, episodes=2, out=tmp_path / "out")


def test_importing_symbench_loads_neither_torch_nor_gymnasium() -> None:
    code = "import sys, symbench; assert not {'torch', 'gymnasium', 'pandas'} & set(sys.modules); symbench.evaluate"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_script_without_a_guard_is_told_what_is_missing(tmp_path: Path) -> None:
    """Workers import the script that started them; without a guard it would start itself again in each."""
    (tmp_path / "script.py").write_text(
        "import symbench\nsymbench.evaluate('mlp', 'CartPole-v1', episodes=2, workers=2, out='run')\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode and 'call symbench under: if __name__ == "__main__":' in done.stderr
