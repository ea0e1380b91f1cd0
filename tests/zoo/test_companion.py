"""Agents of symbench-zoo are found where its version is that of symbench; otherwise a line says how to get them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from symbench import __version__
from symbench.cli.list import _agents
from symbench.errors import SymbenchError
from symbench.leaderboard.gap_against_seconds import methods_of
from symbench.runner import agents, make_plan
from symbench.suites import load_suite
from symbench.tasks import TASKS
from symbench.training.recipe_parts import find_teacher
from symbench.zoo import agent_files, bundled, load_agent, not_installed
from symbench.zoo.companion import FOLDERS

CHECKOUT = agent_files.WEIGHTS
GET_IT = f"pip install symbench-zoo=={__version__}"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Symbench as its wheel holds it: the folder where packages would be installed."""
    weights = tmp_path / "inside"
    weights.mkdir()
    for folder in CHECKOUT.iterdir():
        if folder.name not in FOLDERS:
            shutil.copytree(folder, weights / folder.name)
    monkeypatch.setattr(agent_files, "WEIGHTS", weights)
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    return site


def install(site: Path, version: str) -> None:
    shutil.copytree(CHECKOUT / "TSP20" / "edge-scorer", site / "symbench_zoo" / "weights" / "TSP20" / "edge-scorer")
    shutil.copytree(CHECKOUT / "Pong" / "cnn", site / "symbench_zoo" / "weights" / "Pong" / "cnn")
    (site / "symbench_zoo" / "__init__.py").touch()
    info = site / f"symbench_zoo-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: symbench-zoo\nVersion: {version}\n")


def test_a_checkout_lacks_nothing() -> None:
    assert not any(map(not_installed, TASKS)) and {"CarRacing", "Pong", "TSP20"} < FOLDERS
    assert all(bundled(task) for task in FOLDERS)


def test_what_the_default_suite_plays_comes_with_symbench(alone: Path) -> None:
    (task,) = load_suite("shuffle").played
    assert not not_installed(task)
    assert {source.name for source in agents.resolve([], task)} >= {"mlp", "attention-neuron", "random"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda: agents.resolve([], "PongSticky"),
        lambda: agents.resolve(["vision-attention-neuron"], "Pong"),
        lambda: methods_of("TSP50"),
        lambda: find_teacher("CarRacing", "cnn", 0),
    ],
)
def test_what_is_missing_says_how_to_get_it(ask: object, alone: Path) -> None:
    assert callable(ask)
    with pytest.raises(SymbenchError, match=f"it is not installed: {GET_IT}$"):
        ask()


def test_a_suite_of_which_some_tasks_lack_their_agents_names_the_others(alone: Path) -> None:
    """By default ``group`` plays CartPole and swing-up, whose agents are here, and three others."""
    with pytest.raises(SymbenchError, match=r"here: --task CartPole-v1 --task CartPoleSwingUp$"):
        make_plan(load_suite("group"))
    both = make_plan(load_suite("group"), tasks=["CartPole-v1", "CartPoleSwingUp"])
    assert {cell.task for cell in both.cells} == {"CartPole-v1", "CartPoleSwingUp"}
    with pytest.raises(SymbenchError, match=f"{GET_IT}$"):
        make_plan(load_suite("routing"))


def test_a_wrong_name_elsewhere_is_a_wrong_name(alone: Path) -> None:
    with pytest.raises(SymbenchError, match="unknown agent 'vision-attention-neuron'") as error:
        agents.resolve(["vision-attention-neuron"], "CartPoleSwingUp")
    assert "symbench-zoo" not in str(error.value)


def test_ones_own_agents_play_without_it(alone: Path) -> None:
    assert [source.name for source in agents.resolve(["random"], "Pong")] == ["random"]


def test_it_is_found_once_it_is_installed(alone: Path) -> None:
    install(alone, __version__)
    (path,) = bundled("PongSticky")["cnn"]
    assert alone in path.parents and not not_installed("Pong")
    assert load_agent(path).name == "cnn"
    assert not_installed("CarRacing").endswith(GET_IT)  # a folder that it lacks


def test_another_version_is_not_taken(alone: Path) -> None:
    install(alone, "0.0.1")
    assert bundled("Pong") == {}
    with pytest.raises(SymbenchError, match=f"version 0.0.1 is installed beside symbench {__version__}: {GET_IT}$"):
        agents.resolve(["cnn"], "Pong")


def test_the_list_of_agents_says_what_is_missing(alone: Path) -> None:
    lines = _agents()[1]
    missing = {line[1] for line in lines if line[0] == "not installed" and line[3].endswith(GET_IT)}
    assert FOLDERS <= missing and "CartPoleSwingUp" not in missing
    assert "symbench_zoo" not in sys.modules  # data are looked for, nothing is imported
