"""The rows and the episodes as pandas frames, with the columns of the submission format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from symbench.leaderboard.retention import STATISTICS
from symbench.runner.measures import POLICY, VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.leaderboard.rows import Row
    from symbench.runner import Record

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
    ),
)


def leaderboard_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One line per row, with the columns :data:`COLUMNS`."""
    frame: pd.DataFrame = pd.DataFrame([_line(row) for row in rows], columns=list(COLUMNS))
    return frame


def episodes_frame(records: Sequence[Record]) -> pd.DataFrame:
    """One line per episode: where, who, ``episode``, ``seed``, ``return``, ``length``, ``terminated``."""
    return pd.concat([_episodes(record) for record in records], ignore_index=True) if records else pd.DataFrame()


def _line(row: Row) -> dict[str, Any]:
    return {
        "suite": row.suite,
        "task": row.task,
        "perturbation": row.condition.name,
        "severity": row.condition.level,
        "agent": row.agent,
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
