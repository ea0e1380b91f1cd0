"""What each command does for a user whose input is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from gymnasium.spaces import Box

from symbench.policies import MLPNetwork
from symbench.suites import bundled_suites, load_suite
from symbench.tasks import TASKS
from symbench.training import recipes
from symbench.wrappers.registry import PERTURBATIONS
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from tests.cli.conftest import Symbench

RUN = ("run", "--suite", "tiny.toml", "--task", "CartPole-v1", "--workers", "1")
CELL = "tiny@1/CartPole-v1/shuffle-sensors/per-episode/mlp/s0"


def test_run_writes_everything_and_prints_the_table(symbench: Symbench, tmp_path: Path) -> None:
    result = symbench(*RUN, "--agent", "./mlp.json", "--agent", "random", "--out", "mine")
    assert result.exit_code == 0, result.output
    assert "CartPole-v1  ·  tiny@1  ·  return" in result.output and "random" in result.output
    names = {path.name for path in (tmp_path / "mine").iterdir()}
    assert names - {".lock"} == {"cells", "run.json", "leaderboard.csv", "leaderboard.md", "episodes.csv"}
    assert len(pd.read_csv(tmp_path / "mine" / "leaderboard.csv")) == 4
    story = json.loads((tmp_path / "mine" / "run.json").read_text())
    assert story["invocations"][0]["command"].split()[0] == "symbench"


def test_run_goes_on_by_default_in_a_directory_named_after_the_suite(symbench: Symbench, tmp_path: Path) -> None:
    for _ in range(2):
        assert symbench(*RUN, "--agent", "random").exit_code == 0
    story = json.loads((tmp_path / "runs" / "tiny" / "run.json").read_text())
    assert [call["evaluated"] for call in story["invocations"]] == [2, 0]


def test_quick_says_so_and_keeps_out_of_the_way_of_the_real_run(symbench: Symbench, tmp_path: Path) -> None:
    result = symbench("run", "-s", "shuffle", "-t", "CartPole-v1", "-a", "random", "-w", 1, "--quick")
    assert "REDUCED RUN: 50 episodes a cell instead of 100" in result.output
    assert (tmp_path / "runs" / "shuffle-quick" / "run.json").exists()


def test_three_files_are_three_training_runs_of_one_agent(symbench: Symbench) -> None:
    result = symbench(*RUN, *(word for _ in range(3) for word in ("--agent", "mine=./mlp.json")))
    assert "mine (3 runs)" in result.output


def test_report_makes_the_tables_again_without_the_agents(symbench: Symbench, tmp_path: Path) -> None:
    first = symbench(*RUN, "--agent", "./mlp.json", "--out", "mine").output
    for name in ("mlp.json", "mlp.safetensors", "tiny.toml", "mine/leaderboard.md"):
        (tmp_path / name).unlink()
    assert symbench("report", "mine").output == first
    assert (tmp_path / "mine" / "leaderboard.md").exists()
    assert "unknown task 'CartPole'" in symbench("report", "mine", "-t", "CartPole").output


def test_describe_prints_the_pipeline_in_order(symbench: Symbench) -> None:
    symbench(*RUN, "--agent", "./mlp.json", "--out", "mine")
    output = symbench("describe", CELL, "--run", "mine").output
    steps = [
        "CartPole-v1, 4 episodes",
        "preprocessing",
        "monitor",
        "ShuffleSensors(resample='episode')",
        "mlp, training",
    ]
    positions = [output.index(step) for step in steps]
    assert positions == sorted(positions)


def test_brackets_in_what_the_agent_sees_are_printed(symbench: Symbench) -> None:
    output = symbench("describe", "shuffle@2/CartPoleSwingUp/none/in-order/random/s0").output
    assert "[inf inf  1.  1. inf], (5,)" in output


def test_random_play_is_in_the_table_whoever_else_plays(symbench: Symbench, tmp_path: Path) -> None:
    symbench(*RUN, "--agent", "./mlp.json", "--out", "mine")
    assert set(pd.read_csv(tmp_path / "mine" / "leaderboard.csv")["agent"]) == {"mlp", "random"}


def test_describe_takes_an_agent_and_shows_what_is_its_own(symbench: Symbench, tmp_path: Path) -> None:
    save_agent(MLPNetwork(3, Box(-1, 1, (1,))), tmp_path / "half", {})  # acts from -1 to 1
    cell = "shuffle@2/Pendulum-v1/none/in-order/half/s0"
    result = symbench("describe", cell, "--agent", "half.json")
    assert result.exit_code == 2
    assert "half.json,rescale" not in result.output
    assert "acts in Box(1,) from -1 to 1, the task has Box(1,) from -2 to 2 (AGENT,rescale maps them)" in result.output
    output = symbench("describe", cell.replace("half", "h"), "--agent", "h=half.json,rescale").output
    assert "actions from -1 to 1 are mapped to -2 to 2" in output


def test_describe_knows_bundled_cells_without_a_run(symbench: Symbench) -> None:
    result = symbench("describe", "noise@1/CartPole-v1/add-noise-channels/+5/random/s0")
    assert "AddNoiseChannels(n=5, sigma=0.1, vary=False)" in result.output
    assert "seeds 1000000 to 1000099" in result.output


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("tasks", list(TASKS)),
        ("suites", [load_suite(name).tag for name in bundled_suites()]),
        ("perturbations", list(PERTURBATIONS)),
        ("agents", ["random"]),
    ],
)
def test_list_shows_what_the_other_commands_take(symbench: Symbench, what: str, names: list[str]) -> None:
    result = symbench("list", what)
    assert result.exit_code == 0
    assert all(name in result.output for name in names)


def test_train_lists_its_recipes(symbench: Symbench) -> None:
    output = symbench("train", "--list").output
    assert recipes() and all(name in output for name in recipes())


def test_train_hands_the_recipe_over(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr("symbench.training.train", lambda *args, **options: calls.append((args, options)) or "x/agent")
    result = symbench("train", "mlp", "--seed", 2, "--out", "there", "--set", "steps=10", "--no-resume")
    assert result.exit_code == 0, result.output
    ((recipe, out, seed), options) = calls[0]  # type: ignore[misc]
    assert (recipe, str(out), seed) == ("mlp", "there", 2)
    given = {"resume": False, "overrides": {"steps": "10"}, "device": "cpu", "workers": 1, "allow_dirty": False}
    assert options == {**given, "log": None, "trust": False}
    assert "symbench run --suite shuffle --task CartPoleSwingUp --agent x/agent.safetensors" in result.output


def test_what_was_trained_with_trust_is_evaluated_with_it(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.training.train", lambda *_, **__: "x/agent")
    assert symbench("train", "mlp", "--trust").output.rstrip().endswith("--agent x/agent.safetensors --trust")


def test_an_agent_of_a_recipe_of_ones_own_is_called_as_the_recipe_says(
    symbench: Symbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symbench.training.train", lambda *_, **__: "x/agent")
    Path("mine.toml").write_text(recipes()["mlp"].read_text().replace('agent = "mlp"', 'agent = "tiny"'))
    assert symbench("train", "mine.toml").output.rstrip().endswith("--agent tiny=x/agent.safetensors")


def test_train_says_which_suite_plays_the_task(symbench: Symbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.training.train", lambda *args, **options: "x/agent")
    assert "--suite group --task GridWorld" in symbench("train", "GridWorld").output
    pytest.importorskip("mujoco")
    assert "--suite shuffle --task Swimmer-v5" in symbench("train", "Swimmer-v5").output


@pytest.mark.parametrize("command", ["run", "list", "train", "report", "plot", "describe"])
def test_help_of_every_command_has_examples(symbench: Symbench, command: str) -> None:
    output = symbench(command, "--help").output
    assert "Examples" in output
    assert f"symbench {command} " in output.split("Examples")[1]
