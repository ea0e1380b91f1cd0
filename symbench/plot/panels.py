"""What figures read from a data frame: panels, agents and conditions, in the order of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.bootstrap import RANKED_FROM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

WHERE: Final = ["suite", "task"]
CONDITION: Final = ["perturbation", "severity"]
NAME: Final = "name"
"""Column that :func:`named` adds: what the legend calls an agent."""


class Condition(NamedTuple):
    """A condition as a figure shows it; ``order`` is its place among the severities, 0 without one."""

    perturbation: str
    severity: str
    title: str
    baseline: bool
    order: int


def require_columns(frame: pd.DataFrame, columns: Iterable[str], remedy: str) -> None:
    """Refuse a frame of something else.

    Raises:
        SymbenchError: A column is missing, or there are no lines.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise SymbenchError(f"the frame has no column {missing[0]!r}; give that of {remedy}")
    if frame.empty:
        raise SymbenchError(f"the frame has no lines; give that of {remedy}")


def named(frame: pd.DataFrame, agent: str = "agent") -> pd.DataFrame:
    """The frame with a column ``name``, in which agents of one name and different runs are told apart.

    What two runs have in common, e.g. the random play of both, is there once.
    """
    if "source" not in frame.columns or frame["source"].nunique() < 2:
        alone: pd.DataFrame = frame.assign(**{NAME: frame[agent].astype(str)})
        return alone
    # The comparison with another agent depends on who else played; the rest is the same if the episodes are.
    same = [name for name in frame.columns if name != "source" and not name.startswith("improvement")]
    once = frame.drop_duplicates(subset=same)
    keys = [*(name for name in WHERE if name in once.columns), agent]
    sources = once.groupby(keys, sort=False)["source"].nunique()
    repeated = {key[-1] if isinstance(key, tuple) else key for key, count in sources.items() if count > 1}
    both = once[agent].astype(str) + ", " + once["source"].map(_short(list(once["source"].unique())))
    told: pd.DataFrame = once.assign(**{NAME: once[agent].astype(str).where(~once[agent].isin(repeated), both)})
    return told


def _short(sources: Sequence[str]) -> dict[str, str]:
    """What tells paths apart: as few of their last parts as that takes."""
    parts = {source: str(source).replace("\\", "/").rstrip("/").split("/") for source in sources}
    for count in range(1, max(map(len, parts.values())) + 1):
        short = {source: "/".join(path[-count:]) for source, path in parts.items()}
        if len(set(short.values())) == len(parts):
            return short
    return {source: str(source) for source in sources}


def select(
    frame: pd.DataFrame, tasks: Sequence[str] = (), agents: Sequence[str] = (), agent: str = "agent"
) -> pd.DataFrame:
    """Some tasks and agents of a frame; none given takes all.

    Raises:
        SymbenchError: A task or an agent is not there.
    """
    for column, kind, wanted in (("task", "task", tasks), (agent, agent, agents)):
        if wanted:
            known = list(dict.fromkeys(frame[column].astype(str))) if column in frame.columns else []
            for each in wanted:
                if each not in known:
                    raise unknown(kind, each, known, "of these runs")
            frame = frame[frame[column].isin(wanted)]
    return frame


def one_panel(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame, named, if it is of one task under one suite.

    Raises:
        SymbenchError: It is of several.
    """
    several = frame[WHERE].drop_duplicates()
    if len(several) > 1:
        tasks = ", ".join(f"{task} under {suite}" for suite, task in several.itertuples(index=False))
        raise SymbenchError(f"one pair of axes shows one task, received {tasks}; choose lines, or symbench.plot.figure")
    return frame if NAME in frame.columns else named(frame)


def conditions(panel: pd.DataFrame) -> list[Condition]:
    """The conditions of a panel in the order of its suite."""
    lines = panel.drop_duplicates(subset=CONDITION)[[*CONDITION, "condition", "baseline", "severity_order"]]
    return [
        Condition(
            str(name), str(level), str(title), bool(baseline), 0 if order != order or order is None else int(order)
        )
        for name, level, title, baseline, order in lines.astype({"severity_order": "float"}).itertuples(index=False)
    ]


def of_agent(panel: pd.DataFrame, name: str, condition: Condition) -> pd.DataFrame:
    """The lines of one agent under one condition."""
    here = (panel["perturbation"] == condition.perturbation) & (panel["severity"] == condition.severity)
    found: pd.DataFrame = panel[here & (panel[NAME] == name)]
    return found


def names(panel: pd.DataFrame) -> list[str]:
    """The agents of a panel, in the order of the tables."""
    return list(dict.fromkeys(panel[NAME]))


def with_runs(name: str, runs: Iterable[int]) -> str:
    """What a legend says of an agent: its name, and the number of training runs where they are few."""
    few = sorted({count for count in runs if 0 < count < RANKED_FROM})
    if not few:
        return name
    return f"{name} ({few[0]} run{'' if few == [1] else 's'})" if len(few) == 1 else f"{name} ({few[0]}–{few[-1]} runs)"  # noqa: RUF001
