"""Performance profiles: how often agents keep more than each share of their clean score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.leaderboard.board_statistics import performance_profile
from symbench.leaderboard.site.profiles import TAUS
from symbench.plot.panels import CONDITION, NAME, names, one_panel, require_columns
from symbench.plot.style import Look, context, line_style, looks, own_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS: Final = ("suite", "task", "perturbation", "severity", "agent", "run", "retention", "baseline")


def profile(frame: pd.DataFrame, ax: Any = None, *, agents: Mapping[str, Look] | None = None) -> Any:
    """Draw the performance profile of each agent (Agarwal et al. 2021, arXiv 2108.13264, section 4.3).

    For each threshold the share of training runs and conditions whose retention is above it, over the perturbed
    conditions that all these agents have played; see
    :func:`~symbench.leaderboard.board_statistics.performance_profile`. Dashed, without a band: fewer than five runs.

    Args:
        frame: Of one task under one suite, as ``symbench.load(run, per="run")`` returns it.
        ax: Axes of matplotlib; new ones if not given.
        agents: The look of each; if not given, in their order.

    Returns:
        The axes. Each agent is one line, labelled with its name.

    Raises:
        SymbenchError: The frame holds several tasks, or no condition that all agents have played.
    """
    require_columns(frame, COLUMNS, 'symbench.load(run, per="run")')
    panel = one_panel(frame)
    kept = panel[~panel["baseline"].astype(bool) & panel["retention"].notna()]
    drawn = names(kept)
    shared = common(kept, drawn) if drawn else kept
    units = {name: _units(shared, name) for name in drawn}
    _check(panel, units)
    chosen = looks(drawn) if agents is None else agents
    with context():
        ax = own_axes() if ax is None else ax
        for place, (name, of_agent) in enumerate(units.items()):
            _draw(ax, of_agent, name, chosen[name], (4 + 25 * place // len(units)) % 25)
        ax.set(
            xlim=(0, TAUS[-1]),
            ylim=(-0.02, 1.02),
            xlabel="threshold of retention",
            ylabel="share above threshold",
        )
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(require("matplotlib.ticker", "figures").PercentFormatter(1.0, decimals=0))
        ax.set_xticks(TAUS[::25])
        ax.grid(color="0.92", linewidth=0.6)
    return ax


def common(kept: pd.DataFrame, drawn: Sequence[str]) -> pd.DataFrame:
    """The lines under conditions in which all these agents have as many training runs as anywhere."""
    counts = kept.groupby([NAME, *CONDITION])["run"].nunique().unstack(CONDITION, fill_value=0).loc[list(drawn)]
    complete = counts.columns[counts.eq(counts.max(axis=1), axis=0).all()]
    shared: pd.DataFrame = kept[pd.MultiIndex.from_frame(kept[CONDITION]).isin(complete)]
    return shared


def _units(shared: pd.DataFrame, name: str) -> Any:
    """Retention of the training runs of an agent under these conditions, (R, C)."""
    mine = shared[shared[NAME] == name]
    return mine.pivot(index="run", columns=CONDITION, values="retention").to_numpy(dtype=np.float64)


def _check(panel: pd.DataFrame, units: Mapping[str, Any]) -> None:
    task = panel["task"].iloc[0]
    if not units:
        raise SymbenchError(
            f"no agent retains anything in {task}: none has played it both clean, with a score of at least 0.05, and "
            "perturbed; draw bars, or finish the run"
        )
    if not next(iter(units.values())).size:
        raise SymbenchError(f"there is no condition of {task} that {', '.join(units)} have all played; choose agents")


def _draw(ax: Any, units: Any, name: str, look: Look, first: int) -> None:
    share, low, high = performance_profile(units, TAUS)
    if not np.isnan(low).any():
        ax.fill_between(TAUS, low, high, color=look.colour, alpha=0.1, linewidth=0)
    ax.plot(TAUS, share, label=name, markevery=(first, 25), **line_style(look, len(units)))
