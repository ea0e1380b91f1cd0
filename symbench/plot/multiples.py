"""Small multiples: a panel for each task, with one legend and one look of each agent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.bootstrap import RANKED_FROM
from symbench.plot.bars import bars
from symbench.plot.panels import NAME, WHERE, named, require_columns, with_runs
from symbench.plot.profile import profile
from symbench.plot.retention import retention
from symbench.plot.slots import height_of_labels
from symbench.plot.style import blank, context, inches, looks
from symbench.plot.training import training

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

KINDS: Final = {"retention": retention, "bars": bars, "profile": profile, "training": training}
"""Name -> what draws one panel of it."""

MOST_PANELS: Final = 12
_SHARED_SCALE: Final = ("retention", "profile")
_LETTERS: Final = 16.0  # of the legend to an inch
_LINE: Final = 0.15  # inches of a line of the legend
_OF_LEGEND: Final = 5  # letters that a line and its gap take

_WHY = f"fewer than {RANKED_FROM} training runs, whose intervals are over the episodes of these runs only"
_CAPTIONS: Final = {
    "retention": "Share of the clean score that is left, interquartile mean over training runs. Bands: 95% intervals "
    f"over training runs and episodes. Dashed: {_WHY}.",
    "bars": "Score, interquartile mean over training runs. Lines: 95% intervals over training runs and episodes; "
    f"dotted: random play in the same episodes (0 of normalised scores). Hatched: {_WHY}.",
    "profile": "Performance profiles: share of training runs and conditions that keep more of their clean score than "
    f"the threshold. Bands: pointwise 95% intervals. Dashed: fewer than {RANKED_FROM} training runs, without a band.",
    "training": "Median over training runs; bands: from the 25% to the 75% quantile. Dashed: fewer than "
    f"{RANKED_FROM} training runs.",
}


def caption(kind: str, frame: pd.DataFrame | None = None) -> str:
    """What a reader must know, to be put below a figure; of a frame also what no title says, and reduced runs."""
    return _CAPTIONS[kind] if frame is None else f"{_where(frame)}{_CAPTIONS[kind]}{_reduced(frame)}"


def _where(frame: pd.DataFrame) -> str:
    """The task and the suite that all panels share: their titles do not say it."""
    shared = [str(frame[key].iloc[0]) for key in ("task", "suite") if key in frame and frame[key].nunique() == 1]
    return f"{', '.join(shared)}. " if shared else ""


def _reduced(frame: pd.DataFrame) -> str:
    if not {"episodes", "protocol_episodes"} <= set(frame.columns):
        return ""
    reduced = frame[frame["episodes"].between(1, frame["protocol_episodes"] - 1)]  # 0: left out
    if reduced.empty:
        return ""
    few, full = int(reduced["episodes"].min()), int(reduced["protocol_episodes"].max())
    return f" REDUCED RUN: {few} episodes a cell instead of {full}; look, but do not quote."


def default_kind(frame: pd.DataFrame) -> str:
    """``"retention"`` if at least half of the perturbed conditions are severities in an order, else ``"bars"``."""
    perturbed = frame[~frame["baseline"].astype(bool)]
    ordered = perturbed.drop_duplicates([*WHERE, "perturbation", "severity"])["severity_order"].notna()
    return "retention" if perturbed["retention"].notna().any() and ordered.mean() >= 0.5 else "bars"


def figure(frame: pd.DataFrame, kind: str = "retention", *, width: str | float = "single") -> Any:
    """Draw a figure: one panel for each task and suite of the frame, and one legend.

    Args:
        frame: What the kind reads, see :mod:`symbench.plot`; of one or several runs.
        kind: ``"retention"``, ``"bars"``, ``"profile"`` or ``"training"``.
        width: ``"single"``, ``"double"`` or inches, see :data:`symbench.plot.style.WIDTHS`.

    Returns:
        A figure of matplotlib, for :func:`~symbench.plot.save.save`.

    Raises:
        SymbenchError: An unknown kind or width, too many panels, or what the kind itself refuses.
    """
    if kind not in KINDS:
        raise unknown("kind of figure", kind, KINDS)
    wide, agent = inches(width), "arm" if kind == "training" else "agent"
    require_columns(frame, [agent], "symbench.load, or of read_curve_logs for training")
    tell_apart = named(frame, agent)
    panels = [tell_apart] if kind == "training" else [one for _, one in tell_apart.groupby(WHERE, sort=False)]
    if len(panels) > MOST_PANELS:
        raise SymbenchError(
            f"{len(panels)} tasks are too many for one figure of {MOST_PANELS}; choose some with --task"
        )
    chosen = looks(tell_apart[NAME], grey="" if kind == "training" else "random")
    with context():
        columns = _columns(len(panels), wide)
        rows = math.ceil(len(panels) / columns)
        drawn = blank(wide, rows * _panel_height(wide / columns))
        grid = drawn.subplots(rows, columns, squeeze=False, sharey=kind in _SHARED_SCALE).flatten()
        for ax, panel in zip(grid, panels, strict=False):
            KINDS[kind](panel, ax, agents=chosen)
        _title(grid, panels)
        for ax in grid[len(panels) :]:
            ax.remove()
        lines = _legend(drawn, grid[: len(panels)], tell_apart, wide)
        labels = max(height_of_labels(ax) for ax in grid[: len(panels)])
        drawn.set_figheight(rows * (_panel_height(wide / columns) + labels) + lines * _LINE)
    return drawn


def _columns(panels: int, wide: float) -> int:
    if wide < 5:
        return 1
    return min(panels, 2 if panels in (2, 4) else 3)


def _panel_height(wide: float) -> float:
    """Inches: flat where it is wide."""
    return min(max(0.62 * wide, 1.55), 2.4)


def _title(grid: Sequence[Any], panels: Sequence[pd.DataFrame]) -> None:
    """Say which task a panel is, and which suite if they differ; a single one needs no title."""
    if len(panels) == 1:
        return
    where = [tuple(str(value) for value in panel.iloc[0][WHERE]) for panel in panels]
    suites, tasks = ({each[place] for each in where} for place in (0, 1))
    for ax, (suite, task) in zip(grid, where, strict=False):
        ax.set_title(" · ".join([task] * (len(tasks) > 1) + [suite] * (len(suites) > 1)))
    for ax, left in zip(grid[1:], grid, strict=False):
        if ax.get_ylabel() == left.get_ylabel() and ax.get_subplotspec().rowspan == left.get_subplotspec().rowspan:
            ax.set_ylabel("")


def _legend(drawn: Any, grid: Sequence[Any], frame: pd.DataFrame, wide: float) -> int:
    """One legend below for all panels, with the number of training runs where they are few; returns its lines."""
    handles: dict[str, Any] = {}
    for ax in grid:
        for handle in [*ax.lines, *ax.containers]:
            if handle.get_label() in set(frame[NAME]):
                handles.setdefault(handle.get_label(), handle)
    texts = [with_runs(name, _runs(frame[frame[NAME] == name])) for name in handles]
    columns = _legend_columns([len(text) + _OF_LEGEND for text in texts], _LETTERS * wide)
    # The names come in afterwards: matplotlib leaves out labels that begin with an underscore.
    blanks = ["x" * len(text) for text in texts]
    place_of = {"loc": "outside lower center", "ncols": columns, "borderaxespad": 0.2}
    legend = drawn.legend(list(handles.values()), blanks, handlelength=3, columnspacing=1.4, **place_of)
    for place, text in zip(legend.get_texts(), texts, strict=True):
        place.set_text(text)
    return math.ceil(len(texts) / columns)


def _legend_columns(letters: Sequence[int], room: float) -> int:
    """The most columns that fit, filled from above, each as wide as its longest text."""
    for lines in range(1, len(letters)):
        columns = [max(letters[start : start + lines]) for start in range(0, len(letters), lines)]
        if sum(columns) <= room:
            return len(columns)
    return 1


def _runs(of_agent: pd.DataFrame) -> list[int]:
    """Training runs of an agent in each task."""
    if "training_runs" in of_agent.columns:
        return [int(count) for count in of_agent.groupby(WHERE)["training_runs"].max()]
    keys = [name for name in WHERE if name in of_agent.columns]
    counted = [key for key in ("source", "run") if key in of_agent.columns]
    groups = [one for _, one in of_agent.groupby(keys)] if keys else [of_agent]
    return [len(one.drop_duplicates(counted)) for one in groups]
