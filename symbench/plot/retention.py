"""What is left of the clean score at rising severity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.plot.panels import conditions, names, of_agent, one_panel, require_columns
from symbench.plot.slots import Group, label_axis, severity_groups
from symbench.plot.style import Look, context, line_style, looks, own_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

COLUMNS: Final = (
    *("suite", "task", "perturbation", "severity", "agent", "training_runs"),
    *("retention", "retention_low", "retention_high", "baseline", "severity_order", "condition"),
)
_LEAST, _MOST = -0.5, 1.5  # of the axis; what lies beyond is not shown
_ASIDE: Final = 0.09  # slots between the intervals of agents at single conditions


def retention(frame: pd.DataFrame, ax: Any = None, *, agents: Mapping[str, Look] | None = None) -> Any:
    """Draw retention against severity, a line for each agent, with its 95% interval as a band.

    Each perturbation of several severities begins at the clean condition, where retention is 1; conditions that are in
    order with no other stand by themselves. The numbers are those of the frame. Dashed: fewer than five training runs.

    Args:
        frame: Of one task under one suite, as :func:`symbench.load` and :func:`symbench.evaluate` return it.
        ax: Axes of matplotlib; new ones if not given.
        agents: The look of each; if not given, in their order.

    Returns:
        The axes. Each agent is one line, labelled with its name; its data are what the table says.

    Raises:
        SymbenchError: The frame holds several tasks, no perturbed condition, or no agent with anything to retain.
    """
    require_columns(frame, COLUMNS, "symbench.load or symbench.evaluate")
    panel = one_panel(frame)
    groups = severity_groups(conditions(panel))
    drawn = [name for name in names(panel) if _keeps(panel, name)]
    _check(panel, groups, drawn)
    chosen = looks(drawn) if agents is None else agents
    with context():
        ax = own_axes() if ax is None else ax
        ax.axhline(1, color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        for place, name in enumerate(drawn):
            _draw(ax, panel, groups, name, chosen[name], _ASIDE * (place - (len(drawn) - 1) / 2))
        _limit(ax, panel)
        label_axis(ax, groups)
        ax.set_ylabel("retention")
        ax.yaxis.set_major_formatter(require("matplotlib.ticker", "figures").PercentFormatter(1.0, decimals=0))
        ax.grid(axis="y", color="0.92", linewidth=0.6)
    return ax


def _keeps(panel: pd.DataFrame, name: str) -> bool:
    mine = panel[(panel["name"] == name) & ~panel["baseline"].astype(bool)]
    return bool(mine["retention"].notna().any())


def _check(panel: pd.DataFrame, groups: Sequence[Group], drawn: Sequence[str]) -> None:
    suite, task = panel.iloc[0][["suite", "task"]]
    if not groups:
        raise SymbenchError(
            f"{suite} has no perturbed condition in {task}, and retention is what one leaves; draw bars"
        )
    if not drawn:
        raise SymbenchError(
            f"no agent retains anything in {task}: none has played it both clean, with a score of at least 0.05, and "
            "perturbed; draw bars, or finish the run"
        )


def _draw(ax: Any, panel: pd.DataFrame, groups: Sequence[Group], name: str, look: Look, aside: float) -> None:
    """One line for the agent, which is broken between groups; bands along it, and bars at single conditions."""
    runs = int(panel.loc[panel["name"] == name, "training_runs"].max())
    xs, kept = [], []
    for group in groups:
        places = [slot.x + (0.0 if group.ordered else aside) for slot in group.slots]
        values = np.array([_estimate(panel, name, slot.condition) for slot in group.slots])
        xs += [*places, np.nan]
        kept += [*values[:, 0], np.nan]
        if group.ordered:
            ax.fill_between(places, values[:, 1], values[:, 2], color=look.colour, alpha=0.18, linewidth=0)
        else:
            ax.vlines(places, values[:, 1], values[:, 2], color=look.colour, linewidth=0.9)
    ax.plot(xs[:-1], kept[:-1], label=name, clip_on=True, **line_style(look, runs))


def _estimate(panel: pd.DataFrame, name: str, condition: Any) -> tuple[float, float, float]:
    """Retention and its interval; the clean score is what it is the share of, so there it is 1 without doubt."""
    found = of_agent(panel, name, condition)
    if found.empty:
        return np.nan, np.nan, np.nan
    value, low, high = found.iloc[0][["retention", "retention_low", "retention_high"]].astype(float)
    return (value, value, value) if condition.baseline else (value, low, high)


def _limit(ax: Any, panel: pd.DataFrame) -> None:
    shown = panel[["retention", "retention_low", "retention_high"]].astype(float)
    low, high = np.nanmin(shown.to_numpy()), np.nanmax(shown.to_numpy())
    ax.set_ylim(max(_LEAST, min(-0.03, low - 0.03)), min(_MOST, max(1.05, high + 0.03)))
