"""What a page says about one agent under one condition, with the intervals that the tables of all agents leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symbench.leaderboard.board import conditions_of, normalised
from symbench.leaderboard.bootstrap import UNDEFINED, Estimate
from symbench.leaderboard.gaps import gap_draws, mean_gap, ranked_by_gap, submitted_gaps
from symbench.leaderboard.retention import ALL_OF_IT, has_learned, retention_on_a_board, score, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from symbench.leaderboard.board import Line
    from symbench.suites import Perturbation

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellSummary:
    """One agent in one task under one condition.

    Attributes:
        condition: The condition.
        cannot_act: Why the agent cannot act under it; empty if it can.
        mean_return: Mean return over training runs and episodes; NaN if it cannot act.
        score: Normalised score, IQM over training runs.
        retention: Share of the clean score that is left, all of it at most, IQM over training runs; undefined for the
            condition without perturbation, and if there was nothing to lose.
        shares: The same of every training run.
        gap: To the references in %, of tasks that are ranked by it.
    """

    condition: Perturbation
    cannot_act: str
    mean_return: float
    score: Estimate
    retention: Estimate = UNDEFINED
    shares: tuple[float, ...] = ()
    gap: Estimate = UNDEFINED


def cell_summaries(line: Line, task: str) -> list[CellSummary]:
    """The cells of one line of a board of a task, in the order of the suite."""
    clean = normalised(line.submission, task, line.submission.suite.baseline.id)
    return [_summary(line, task, condition, clean) for condition in conditions_of(line.submission.suite, task)]


def _summary(line: Line, task: str, condition: Perturbation, clean: Array) -> CellSummary:
    seed, name = line.submission.suite.seed, line.card.name
    scores, reason = normalised(line.submission, task, condition.id), line.entry.cannot_act.get(condition.id, "")
    learned, means = has_learned(clean) and not condition.baseline, scores.mean(axis=-1)
    kept = shares(means, clean.mean(axis=-1), ALL_OF_IT) if learned else ()
    return CellSummary(
        condition=condition,
        cannot_act=reason,
        mean_return=float("nan") if reason else float(line.submission.returns(task, condition.id).mean()),
        score=score(scores, seed, name),
        retention=UNDEFINED if condition.baseline else retention_on_a_board(scores[None], clean, seed, name),
        shares=tuple(map(float, kept)),
        gap=_gap(line, task, condition) if ranked_by_gap(task) else UNDEFINED,
    )


def _gap(line: Line, task: str, condition: Perturbation) -> Estimate:
    gaps = submitted_gaps(line.submission, task, [condition.id])
    return mean_gap(gap_draws(gaps, line.submission.suite.seed, line.card.name))


def by_perturbation(cells: Sequence[CellSummary]) -> dict[str, list[CellSummary]]:
    """Perturbation -> its cells, in the order of the suite; without the clean one."""
    found: dict[str, list[CellSummary]] = {}
    for cell in cells:
        if not cell.condition.baseline:
            found.setdefault(cell.condition.name, []).append(cell)
    return found
