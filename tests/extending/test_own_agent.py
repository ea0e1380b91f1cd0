"""The agents of docs/my-agent.md, from the command line, from Python, and from an installed package."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs_cases import blocks, run, the_block
from typer.testing import CliRunner

import symbench
from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.runner.agents import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent / "agent"
GUIDE = Path(__file__).parents[2] / "docs" / "my-agent.md"
TASK = "CartPole-v1"


@pytest.fixture(autouse=True)
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A copy of the package in the current directory, as one that is not installed."""
    folder = tmp_path / "package"
    shutil.copytree(PACKAGE, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("COLUMNS", "140")
    yield
    sys.modules.pop("my_nets", None)


def test_the_guide_shows_the_package() -> None:
    assert (PACKAGE / "my_nets.py").read_text() in [block.code for block in blocks("python", GUIDE)]


def test_the_guides_python_runs() -> None:
    sys.path.insert(0, str(Path.cwd()))
    scores = run(the_block("python", GUIDE, 'symbench.evaluate({"tiny"'))["scores"]
    clean = scores[scores.severity == "in-order"].set_index("agent")["mean"]
    assert clean["tiny"] > 400 > clean["lean"] > clean["random"]


@pytest.mark.slow
def test_all_play_from_the_command_line_beside_a_bundled_agent(tmp_path: Path) -> None:
    import pandas as pd

    names = ["Tiny", "lean", "Net", "Smooth", "Batched"]
    agents = [text for name in names for text in ("--agent", f"my_nets:{name}")]
    command = ["run", "--suite", "noise", "--task", TASK, *agents, "--trust", "--episodes", "2", "--out", "out"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    table = pd.read_csv("out/leaderboard.csv")
    assert set(table.agent) == {*names, "mlp", "random"}
    clean = table[table.severity == "in-order"].set_index("agent")["mean"]
    assert clean["Tiny"] == clean["Batched"] > 300
    noted = table[(table.agent == "Net") & (table.severity == "+5")].note.item()
    assert "cannot read Box(9,)" in noted
    assert table[(table.agent == "Tiny")]["mean"].notna().all()


def test_an_installed_package_adds_its_agents_by_name() -> None:
    with pytest.raises(SymbenchError, match="unknown agent 'tiny' for CartPole-v1"):
        resolve(["tiny"], TASK)
    sys.path.insert(0, str(Path.cwd()))
    source = resolve(["tiny"], TASK)[0]
    assert (source.name, source.kind, source.path, source.trust) == ("tiny", "code", "my_nets:Tiny", True)
    frame = symbench.evaluate("tiny", TASK, "shuffle", episodes=1)
    assert frame[(frame.agent == "tiny") & (frame.severity == "in-order")]["mean"].item() > 200
    with pytest.raises(SymbenchError, match=r"unknown agent 'tinny' for CartPole-v1; did you mean 'tiny'\?"):
        resolve(["tinny"], TASK)
