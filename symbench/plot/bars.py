"""The score under each condition, a bar for each agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.bootstrap import RANKED_FROM
from symbench.leaderboard.text import NOTHING
from symbench.plot.panels import NAME, conditions, names, of_agent, one_panel, require_columns
from symbench.plot.slots import Slot, condition_groups, label_axis
from symbench.plot.style import INK, QUIET, Look, context, looks, own_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

COLUMNS: Final = (
    *("suite", "task", "perturbation", "severity", "agent", "training_runs"),
    *("iqm", "iqm_low", "iqm_high", "score", "baseline", "severity_order", "condition"),
)
_FILLED: Final = 0.84  # of a slot


def bars(frame: pd.DataFrame, ax: Any = None, *, agents: Mapping[str, Look] | None = None) -> Any:
    """Draw the score under each condition, the interquartile mean over training runs, with its 95% interval.

    Random play is 0 of normalised scores, and a dotted line among returns. Hatched: fewer than five training
    runs. A dash stands where an agent cannot act or has not played.

    Args:
        frame: Of one task under one suite, as :func:`symbench.load` and :func:`symbench.evaluate` return it.
        ax: Axes of matplotlib; new ones if not given.
        agents: The look of each; if not given, in their order.

    Returns:
        The axes. The bars of each agent are one container, labelled with its name.

    Raises:
        SymbenchError: The frame holds several tasks, or nothing has been played.
    """
    require_columns(frame, COLUMNS, "symbench.load or symbench.evaluate")
    panel = one_panel(frame)
    if panel["iqm"].isna().all():
        raise SymbenchError(f"nothing has been played in {panel['task'].iloc[0]} yet; finish the run")
    groups = condition_groups(conditions(panel))
    slots = [slot for group in groups for slot in group.slots]
    playing = [name for name in names(panel) if name != "random"]
    drawn = [name for name in playing if panel.loc[panel[NAME] == name, "iqm"].notna().any()] or ["random"]
    chosen = looks(drawn) if agents is None else agents
    with context():
        ax = own_axes() if ax is None else ax
        for place, name in enumerate(drawn):
            _draw(ax, panel, slots, name, chosen[name], (place, len(drawn)))
        _draw_random(ax, panel, drawn)
        ax.axhline(0, color=INK, linewidth=0.6)
        ax.spines["bottom"].set_visible(False)
        label_axis(ax, groups)
        ax.tick_params(axis="x", length=0)
        ax.set_ylabel("return (IQM)" if (panel["score"] == "raw").all() else "normalised score (IQM)")
        ax.grid(axis="y", color="0.92", linewidth=0.6)
    return ax


def _draw(ax: Any, panel: pd.DataFrame, slots: Sequence[Slot], name: str, look: Look, place: tuple[int, int]) -> None:
    width = _FILLED / place[1]
    xs = np.array([slot.x for slot in slots]) + width * (place[0] - (place[1] - 1) / 2)
    values = np.array([_estimate(panel, name, slot) for slot in slots])
    few = int(panel.loc[panel[NAME] == name, "training_runs"].max()) < RANKED_FROM
    hatched = {"hatch": "/////", "edgecolor": "white", "linewidth": 0} if few else {}
    ax.bar(xs, values[:, 0], width=0.92 * width, color=look.colour, label=name, **hatched)
    ax.vlines(xs, values[:, 1], values[:, 2], color=INK, linewidth=0.7)
    for x in xs[np.isnan(values[:, 0])]:
        ax.text(x, 0, NOTHING, ha="center", va="bottom", color=QUIET, fontsize=6.5)


def _estimate(panel: pd.DataFrame, name: str, slot: Slot) -> tuple[float, float, float]:
    found = of_agent(panel, name, slot.condition)
    if found.empty:
        return np.nan, np.nan, np.nan
    value, low, high = found.iloc[0][["iqm", "iqm_low", "iqm_high"]].astype(float)
    return value, low, high


def _draw_random(ax: Any, panel: pd.DataFrame, drawn: Sequence[str]) -> None:
    """What random play reaches where that is not 0 by definition; it does not look, so it is the same everywhere."""
    found = panel[(panel[NAME] == "random") & panel["baseline"].astype(bool)]
    if "random" not in drawn and (found["score"] == "raw").any() and found["iqm"].notna().any():
        ax.axhline(float(found["iqm"].iloc[0]), color=QUIET, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=3)
