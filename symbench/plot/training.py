"""Returns while agents train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.plot.panels import NAME, named, names, require_columns
from symbench.plot.style import Look, context, line_style, looks, own_axes
from symbench.viz.draw_curves import draw_arm

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from symbench.training.study.learning_curves import Curves

COLUMNS: Final = ("arm", "run", "step")


def training(frame: pd.DataFrame, ax: Any = None, *, agents: Mapping[str, Look] | None = None) -> Any:
    """Draw learning curves: the median over training runs, with a band from the 25% to the 75% quantile.

    Runs that were measured at other steps than the first are interpolated between their measurements, over the steps
    that all runs of the arm have. Dashed: fewer than five training runs.

    Args:
        frame: Columns ``arm``, ``run``, ``step`` and what was measured, e.g. ``return``: the ``curves.csv`` of a study,
            or :func:`symbench.training.curve_logs.read_curve_logs`.
        ax: Axes of matplotlib; new ones if not given.
        agents: The look of each arm; if not given, in their order.

    Returns:
        The axes. Each arm is one line, labelled with its name.

    Raises:
        SymbenchError: A column is missing, or nothing was measured.
    """
    from symbench.training.curve_logs import measure_of  # late: that room loads torch

    require_columns(frame, COLUMNS, "symbench.training.curve_logs.read_curve_logs")
    measure = measure_of(frame)
    curves = (frame if NAME in frame.columns else named(frame, "arm")).dropna(subset=[measure])  # arms just begun
    if curves.empty:
        raise SymbenchError(f"no {measure} was measured yet; draw the curves later")
    chosen = looks(names(curves), grey="") if agents is None else agents
    with context():
        ax = own_axes() if ax is None else ax
        for place, name in enumerate(names(curves)):
            _draw(ax, summary(curves[curves[NAME] == name], measure), name, chosen[name], place / len(chosen))
        ax.set(xlabel="steps", ylabel=measure)
        ax.xaxis.set_major_formatter(require("matplotlib.ticker", "figures").EngFormatter(sep=""))
        ax.margins(x=0.02)
        ax.grid(color="0.92", linewidth=0.6)
    return ax


def summary(of_arm: pd.DataFrame, measure: str) -> Curves:
    """The curves of one arm at common steps."""
    from symbench.training.study.learning_curves import Curves

    keys = [name for name in ("source", "run") if name in of_arm.columns]
    runs = [run.dropna(subset=[measure]).sort_values("step") for _, run in of_arm.groupby(keys, sort=False)]
    start, end = (pick(run["step"].iloc[at] for run in runs) for pick, at in ((max, 0), (min, -1)))
    steps = np.unique(np.concatenate([run["step"].to_numpy() for run in runs]))
    steps = steps[(steps >= start) & (steps <= end)]
    values = [np.interp(steps, run["step"].to_numpy(), run[measure].to_numpy(dtype=np.float64)) for run in runs]
    return Curves(str(of_arm["arm"].iloc[0]), 0, steps, np.array(values))


def _draw(ax: Any, curves: Curves, name: str, look: Look, shift: float) -> None:
    every = max(1, len(curves.steps) // 8)
    marked = (int(shift * every), every)  # the markers of two arms do not cover each other
    draw_arm(ax, curves, label=name, markevery=marked, **line_style(look, len(curves.returns)))
