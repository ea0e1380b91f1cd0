"""``symbench plot`` and the exports of ``symbench report``: from an agent of one's own to a figure and a table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Symbench

RUN = ("run", "--suite", "tiny.toml", "--task", "CartPole-v1", "--workers", "1", "--out", "mine", "--agent")


@pytest.fixture
def run(symbench: Symbench, tmp_path: Path) -> Path:
    assert symbench(*RUN, "./mlp.json").exit_code == 0
    return tmp_path / "mine"


def test_one_command_makes_a_pdf_and_says_what_belongs_below_it(symbench: Symbench, run: Path, tmp_path: Path) -> None:
    result = symbench("plot", "mine", "--kind", "bars", "--out", "figures/fig.pdf")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "figures" / "fig.pdf").read_bytes().startswith(b"%PDF")
    name, caption = result.output.splitlines()
    assert name == "figures/fig.pdf" and "95% intervals" in caption and "fewer than 5 training runs" in caption
    assert "REDUCED" not in caption


def test_the_caption_says_that_a_run_is_reduced(symbench: Symbench, tmp_path: Path) -> None:
    assert symbench(*RUN, "./mlp.json", "--episodes", "3").exit_code == 0
    result = symbench("plot", "mine", "--kind", "bars")
    assert "REDUCED RUN: 3 episodes a cell instead of " in result.output.splitlines()[1]
    assert result.output.splitlines()[1].startswith("CartPole-v1, tiny@")
    # What an agent cannot play, such as more sensors than it has, was not reduced to nothing.
    assert symbench(*[*RUN, "./mlp.json", "--episodes", "3", "--suite", "noise", "--out", "noisy"]).exit_code == 0
    result = symbench("plot", "mine", "noisy", "--kind", "bars")
    assert "REDUCED RUN: 3 episodes a cell" in result.output and result.output.splitlines()[1].startswith(
        "CartPole-v1. Score"
    )


def test_without_severities_in_an_order_it_draws_bars(symbench: Symbench, run: Path, tmp_path: Path) -> None:
    assert symbench("plot", "mine").exit_code == 0
    assert (tmp_path / "bars.pdf").exists()


def test_what_train_wrote_is_drawn_as_curves(symbench: Symbench, tmp_path: Path) -> None:
    for seed in range(2):
        folder = tmp_path / "runs" / "train" / "net" / f"s{seed}"
        folder.mkdir(parents=True)
        curve = [{"done": 10 * step, "seconds": 1.0, "return": float(step + seed)} for step in range(1, 5)]
        content = {"agent": "net", "curve": curve} if seed else curve  # finished, and still training
        (folder / ("train.json" if seed else "curve.json")).write_text(json.dumps(content))
    result = symbench("plot", "runs/train/net", "--out", "curves.svg")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml") and "Median over training runs" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--task CartPol", "unknown task 'CartPol' of these runs; did you mean 'CartPole-v1'"),
        ("--agent nobody", "unknown agent 'nobody' of these runs; known: mlp, random"),
        ("--width wide", "unknown width 'wide'; known: single (3.25 in), double (6.75 in), or inches"),
        ("--kind retention --agent random", "no agent retains anything in CartPole-v1"),
        ("--kind profile --agent random", "no agent retains anything in CartPole-v1"),
        ("--kind training", "'mine' holds no learning curve"),
        ("--out mine/run.json/fig.pdf", "cannot write 'mine/run.json/fig.pdf'"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(symbench: Symbench, run: Path, options: str, message: str) -> None:
    before = sorted(run.parent.rglob("*"))
    result = symbench("plot", "mine", *options.split())
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ") and message in line
    assert sorted(run.parent.rglob("*")) == before


def test_an_older_figure_stays_if_there_is_no_new_one(symbench: Symbench, run: Path, tmp_path: Path) -> None:
    (tmp_path / "fig.pdf").write_text("old")
    assert symbench("plot", "mine", "--agent", "nobody", "--out", "fig.pdf").exit_code == 2
    assert (tmp_path / "fig.pdf").read_text() == "old"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"curve": 3}', '[{"done": 1}]', '[{"done": "x", "return": 1}]'])
def test_a_damaged_log_is_named(symbench: Symbench, tmp_path: Path, content: str) -> None:
    (tmp_path / "net" / "s0").mkdir(parents=True)
    (tmp_path / "net" / "s0" / "train.json").write_text(content)
    result = symbench("plot", "net")
    assert result.exit_code == 2 and "holds no learning curve" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "content", ["", "a,b\n1,2\n", "arm,run,step,return\n", "arm,run,step\na,0,1\n", "arm,run,step,return\na,0,1,x\n"]
)
def test_a_table_of_something_else_is_refused(symbench: Symbench, tmp_path: Path, content: str) -> None:
    (tmp_path / "curves.csv").write_text(content)
    result = symbench("plot", "curves.csv")
    assert result.exit_code == 2 and "curves.csv" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("option", "ending", "begins"),
    [("--latex", "tex", "% \\usepackage{booktabs}"), ("--html", "html", "<!doctype html>"), ("--csv", "csv", "suite,")],
)
def test_report_exports(symbench: Symbench, run: Path, tmp_path: Path, option: str, ending: str, begins: str) -> None:
    result = symbench("report", "mine", option)
    assert result.output.strip() == f"mine/leaderboard.{ending}"
    written = (run / f"leaderboard.{ending}").read_text()
    assert written.startswith(begins)
    assert symbench("report", "mine", option, "--out", "-").output == written
    assert symbench("report", "mine", option, "--out", f"there/x.{ending}").exit_code == 0
    assert (tmp_path / "there" / f"x.{ending}").read_text() == written


def test_exports_are_of_the_agents_that_are_named(symbench: Symbench, run: Path) -> None:
    output = symbench("report", "mine", "--csv", "--agent", "mlp", "--out", "-").output
    assert len(output.splitlines()) == 3 and "random" not in output
    result = symbench("report", "mine", "--csv", "--agent", "nobody")
    assert result.exit_code == 2 and "unknown agent 'nobody' of mine; known: mlp, random" in result.stderr
