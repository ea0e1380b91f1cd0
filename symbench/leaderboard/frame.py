"""The rows, the training runs and the episodes of a run as pandas frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from symbench.leaderboard.retention import STATISTICS, has_learned, shares
from symbench.leaderboard.rows import make_rows
from symbench.leaderboard.scores import Scores
from symbench.runner.measures import POLICY, VALUE
from symbench.suites.severity_order import severity_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.rows import Row
    from symbench.leaderboard.scores import Paired
    from symbench.runner import Manifest, Record
    from symbench.suites import Perturbation

COLUMNS = (
    *("suite", "task", "perturbation", "severity", "agent", "training_runs", "episodes", "mean", "std"),
    *("iqm", "iqm_low", "iqm_high", "retention", "retention_low", "retention_high"),
    *(
        "interval_over",
        "improvement",
        "improvement_low",
        "improvement_high",
        "mean_length",
        "protocol_episodes",
        "improvement_over",
        "score",
        "policy_error",
        "value_error",
        "note",
        "statistics",
        *("gap_mean", "gap_std", "gap_changed"),
        "games",
        *("baseline", "severity_order"),
        "condition",
    ),
)


RUN_COLUMNS = (
    *("suite", "task", "perturbation", "severity", "agent", "run", "episodes", "mean", "score", "retention"),
    *("baseline", "severity_order", "protocol_episodes"),
)


def leaderboard_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One line per row, with the columns :data:`COLUMNS`."""
    orders = _orders(rows)
    lines = [{**_line(row), "severity_order": orders[row.task].get(row.condition.id)} for row in rows]
    return _typed(lines, COLUMNS)


def runs_frame(manifest: Manifest, records: Sequence[Record]) -> pd.DataFrame:
    """One line per training run, with the columns :data:`RUN_COLUMNS`.

    ``score`` and ``retention`` are means over its episodes, by the task's metric and by
    :func:`~symbench.leaderboard.retention.shares`; NaN is the retention of an agent that has nothing to lose.
    """
    scores, rows = Scores(manifest, records), make_rows(manifest, records)
    orders = _orders(rows)
    lines = [
        {**_where(row), **of_run, "severity_order": orders[row.task].get(row.condition.id)}
        for row in rows
        for of_run in _of_runs(manifest, scores, row)
    ]
    return _typed(lines, RUN_COLUMNS)


def _typed(lines: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.DataFrame(lines, columns=list(columns)).astype({"severity_order": "Int64"})
    return frame


def _of_runs(manifest: Manifest, scores: Scores, row: Row) -> list[dict[str, Any]]:
    """What is said of each training run of a row."""
    task, condition, agent = row.task, row.condition.id, row.agent
    returns, by_metric = scores.returns(task, condition, agent), scores.scores(task, condition, agent)
    if returns is None or by_metric is None:
        return []
    kept = _kept(scores.paired_gains(task, condition, manifest.suite.baseline.id, agent))
    return [
        {
            **{"run": run, "episodes": len(of_run), "mean": of_run.mean(), "score": score},
            **{"retention": kept.get(run, math.nan), "baseline": row.condition.baseline},
            "protocol_episodes": row.protocol_episodes,
        }
        for run, of_run, score in zip(
            sorted(scores.runs(task, condition, agent)), returns, by_metric.mean(axis=1), strict=True
        )
    ]


def _kept(paired: Paired | None) -> dict[int, float]:
    """Training run -> its retention; empty where nothing could be lost."""
    if paired is None or not has_learned(paired.clean):
        return {}
    return dict(zip(paired.runs, shares(paired.perturbed.mean(axis=1), paired.clean.mean(axis=1)), strict=True))


def _orders(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Task -> condition -> its place among the severities of its perturbation."""
    conditions: dict[str, dict[str, Perturbation]] = {}
    for row in rows:
        conditions.setdefault(row.task, {})[row.condition.id] = row.condition
    return {task: severity_order(list(of_task.values())) for task, of_task in conditions.items()}


def episodes_frame(records: Sequence[Record]) -> pd.DataFrame:
    """One line per episode: where, who, ``episode``, ``seed``, ``return``, ``length``, ``terminated``."""
    return pd.concat([_episodes(record) for record in records], ignore_index=True) if records else pd.DataFrame()


def _where(row: Row) -> dict[str, Any]:
    return {
        "suite": row.suite,
        "task": row.task,
        "perturbation": row.condition.name,
        "severity": row.condition.level,
        "agent": row.agent,
    }


def _line(row: Row) -> dict[str, Any]:
    return {
        **_where(row),
        "training_runs": row.runs,
        "episodes": row.episodes,
        "mean": row.mean,
        "std": row.std,
        **_spread("iqm", row.iqm),
        **_spread("retention", row.retention),
        "interval_over": row.interval_over,
        **_spread("improvement", row.improvement),
        "mean_length": row.length,
        "protocol_episodes": row.protocol_episodes,
        "improvement_over": row.improvement_over,
        "score": row.scale,
        **{name: row.measures.get(name) for name in (POLICY, VALUE)},
        "note": str(row.gap or ""),
        "statistics": STATISTICS,
        "gap_mean": row.excess,
        "gap_std": row.excess_std,
        "gap_changed": row.excess_changed,
        "games": row.games,
        "baseline": row.condition.baseline,
        "condition": row.condition.title,
    }


def _spread(name: str, estimate: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))


def _episodes(record: Record) -> pd.DataFrame:
    cell = record.cell
    where = {
        "suite": f"{cell.suite}@{cell.version}",
        "task": cell.task,
        "perturbation": cell.perturbation,
        "severity": cell.level,
        "agent": cell.agent,
        "run": cell.run,
    }
    columns = record.episodes.columns()
    frame: pd.DataFrame = pd.DataFrame({**where, "episode": range(len(record.episodes.seeds)), **columns})
    return frame
