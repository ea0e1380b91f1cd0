"""How long a large board takes: 20 agents of 10 training runs, 1000 episodes a cell, seven conditions of cart-pole."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.leaderboard.board import Board, make_boards
from symbench.leaderboard.site.pages import pages
from symbench.leaderboard.validate import Submission, read_submission

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SUBMISSIONS = Path(__file__).parents[1] / "leaderboards" / "submissions"
AGENTS, RUNS, TASK = 20, 10, "CartPoleSwingUp"


@pytest.fixture(scope="module")
def submissions() -> list[Submission]:
    """The bundled agent's submission, twenty times: other games of five training runs, each of them twice."""
    real, rng = read_submission(SUBMISSIONS / "attention-neuron-shuffle.json"), np.random.default_rng(0)
    return [_another(real, f"agent-{number}", rng) for number in range(AGENTS)]


def _another(real: Submission, name: str, rng: np.random.Generator) -> Submission:
    entry = real.card.tasks[TASK]
    entry = entry.model_copy(update={"runs": [entry.runs[run % len(entry.runs)] for run in range(RUNS)]})
    cells = {}
    for task, condition, level, run in real.cells:
        if task == TASK:
            for copy in range(int(run), RUNS, len(real.card.tasks[TASK].runs)):
                rows = deepcopy(real.cells[task, condition, level, run])
                rows.returns = rng.choice(rows.returns, rows.episodes)
                cells[task, condition, level, str(copy)] = rows
    return replace(real, card=real.card.model_copy(update={"name": name, "tasks": {TASK: entry}}), cells=cells)


def _time(benchmark: BenchmarkFixture, aim: str) -> None:
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.2f} s", aim=aim)


def test_a_board_of_20_agents(benchmark: BenchmarkFixture, submissions: list[Submission]) -> None:
    (board,) = benchmark(make_boards, submissions, {})
    assert len(board.lines) == AGENTS and all(line.rank for line in board.lines)
    _time(benchmark, "< 5 s")


def test_its_site(benchmark: BenchmarkFixture, submissions: list[Submission]) -> None:
    boards: list[Board] = make_boards(submissions, {})
    assert benchmark(pages, boards)
    _time(benchmark, "< 10 s")
