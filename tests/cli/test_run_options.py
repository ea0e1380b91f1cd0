"""What `symbench run` answers, a run in parts, batches that hang, and two agents of one run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from symbench.cli.console import cell_progress
from symbench.runner import Outcome

if TYPE_CHECKING:
    from tests.cli.conftest import Symbench

RUN = ("run", "--suite", "tiny.toml", "--task", "CartPole-v1", "--workers", "1", "--only")
MINE = ("--agent", "mine=mlp.safetensors")


def cells(directory: str) -> dict[str, bytes]:
    return {path.name + path.parent.parent.name: path.read_bytes() for path in Path(directory).glob("cells/**/*.json")}


def test_the_answer_is_the_last_line(symbench: Symbench) -> None:
    result = symbench(*RUN, *MINE)
    last = result.stdout.splitlines()[-1]
    assert last == "CartPole-v1: too low a clean score to keep any of it: mine"  # it has not been trained
    assert symbench("report", "runs/tiny").stdout.splitlines()[-1] == last


def test_parts_of_a_run_are_merged(symbench: Symbench) -> None:
    symbench(*RUN, *MINE)
    for number in (1, 2):
        result = symbench(*RUN, *MINE, "--shard", f"{number}/2")
        assert result.stdout == f"runs/tiny-{number}-of-2: 2 of 4 cells are there\n"
    result = symbench("merge", "both", "runs/tiny-1-of-2", "runs/tiny-2-of-2")
    assert result.exit_code == 0 and result.stdout.splitlines()[-1] == "both: 4 of 4 cells are there"
    assert "CartPole-v1: too low a clean score" in result.stdout
    assert cells("both") == cells("runs/tiny") != {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--shard 3", "a shard is a number from 1 and how many there are, e.g. 3/16; received '3'"),
        ("--timeout 0", "timeout must be above 0 seconds, received 0"),
        ("--executor slurm", "unknown executor 'slurm'; known: local, ray"),
    ],
)
def test_a_mistake_is_one_line(symbench: Symbench, words: str, message: str) -> None:
    result = symbench(*RUN, *MINE, *words.split())
    assert result.exit_code == 2 and result.stderr == f"error: {message}\n"


def test_two_agents_of_one_run_are_compared(symbench: Symbench) -> None:
    symbench(*RUN, *MINE, "--agent", "other=mlp.safetensors")
    result = symbench("compare", "runs/tiny", "--agents", "mine,other")
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if "none/in-order" in line)
    assert line.split()[2] == line.split()[3] and "+0.0" in line and "50%" in line
    wrong = symbench("compare", "runs/tiny", "--agents", "mine,nobody")
    assert wrong.exit_code == 2 and "unknown agent 'nobody' in this run; known: mine, other, random" in wrong.stderr


@pytest.mark.parametrize("width", [40, 80, 140])
def test_how_much_is_done_and_left_comes_before_the_id(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = io.StringIO()
    screen = Console(file=shown, force_terminal=True, width=width, color_system=None)
    monkeypatch.setattr("symbench.cli.console.Console", lambda **_: screen)

    class Named:
        key = type("Key", (), {"within_suite": "CartPole-v1/" + "x" * 200})()

    outcome: Any = Outcome(Named(), record=object())  # type: ignore[arg-type]
    with cell_progress(debug=False) as advance:
        advance("random play in CartPole-v1", 3)
        advance(outcome, 3)
        advance(None, 8)
        advance(outcome, 8)
        advance(outcome, 8)
    measured = [line for line in shown.getvalue().split("\r") if "0/3" in line][-1]
    assert measured.index("0/3") < measured.index("left") and (width == 40 or "random play" in measured)
    last = [line for line in shown.getvalue().split("\r") if "2/8" in line][-1]
    assert "2/8 cells," in last and "left" in last
    assert last.index("2/8") < last.index("left")
    assert "CartPole" not in last or last.index("left") < last.index("CartPole")
