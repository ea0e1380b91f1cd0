"""What a page says about one agent under one condition, with the intervals that the tables of all agents leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.envs.tasks import get_task
from symbench.leaderboard.board import run_scores
from symbench.leaderboard.board_statistics import retention_matrix
from symbench.leaderboard.statistics import UNDEFINED, Estimate, bootstrap, iqm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.board import Line
    from symbench.suites import Perturbation

    Array = NDArray[np.float64]

REPETITIONS: Final = 10_000  # a fifth of those of a rank: there are many more cells than ranks


@dataclass(frozen=True)
class CellSummary:
    """One agent in one task under one condition.

    Attributes:
        condition: The condition.
        cannot_act: Why the agent cannot act under it; empty if it can.
        mean_return: Mean return over training runs and episodes; NaN if it cannot act.
        score: Normalised score, IQM over training runs.
        retention: Share of the clean score that is left, IQM over training runs; undefined for the condition without
            perturbation, and if there was nothing to lose.
        shares: The same of every training run.
    """

    condition: Perturbation
    cannot_act: str
    mean_return: float
    score: Estimate
    retention: Estimate = UNDEFINED
    shares: tuple[float, ...] = ()


def cell_summaries(line: Line, task: str, repetitions: int = REPETITIONS) -> list[CellSummary]:
    """The cells of one line of a board, in the order of the suite.

    Args:
        line: The agent.
        task: The task of the board.
        repetitions: Of every bootstrap, which resamples training runs as that of a rank does.
    """
    suite = line.submission.suite
    clean = run_scores(line.submission, task, suite.baseline.id)
    return [_summary(line, task, condition, clean, repetitions) for condition in suite.distinct(get_task(task))]


def _summary(line: Line, task: str, condition: Perturbation, clean: Array, repetitions: int) -> CellSummary:
    rng = np.random.default_rng([line.submission.suite.seed, *f"{line.card.name}/{condition.id}".encode()])
    scores = run_scores(line.submission, task, condition.id)
    reason = line.entry.cannot_act.get(condition.id, "")
    shares = None if condition.baseline else retention_matrix(clean, scores[:, None])
    return CellSummary(
        condition=condition,
        cannot_act=reason,
        mean_return=float("nan") if reason else float(line.submission.returns(task, condition.id).mean()),
        score=_over_runs(scores, rng, repetitions),
        retention=UNDEFINED if shares is None else _over_runs(shares[:, 0], rng, repetitions),
        shares=() if shares is None else tuple(map(float, shares[:, 0])),
    )


def _over_runs(units: Array, rng: np.random.Generator, repetitions: int) -> Estimate:
    """Interquartile mean over training runs (R,); no interval for a single one."""
    if len(units) == 1:
        return Estimate(float(units[0]), *UNDEFINED[1:])
    return bootstrap([units], iqm, rng, repetitions)


def by_perturbation(cells: Sequence[CellSummary]) -> dict[str, list[CellSummary]]:
    """Perturbation -> its cells, in the order of the suite; without the clean one."""
    found: dict[str, list[CellSummary]] = {}
    for cell in cells:
        if not cell.condition.baseline:
            found.setdefault(cell.condition.name, []).append(cell)
    return found
