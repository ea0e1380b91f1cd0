"""Learning curves: the median over training runs with its quartiles, as figure and as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symbench.extras import require
from symbench.viz.colours import PALETTE, hexadecimal, of
from symbench.viz.figures import figure, save, save_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.training.study.learning_curves import Curves, Summary
    from symbench.training.study.orientation_loss import Turned

_LINES: Final = ("-", "--", ":")


def draw_curves(path: Path, curves: Sequence[Curves], title: str, threshold: float) -> Path:
    """Draw one line for each arm, with a band from the 25% to the 75% quantile.

    Args:
        path: The PNG.
        curves: Of all arms.
        title: Above the picture.
        threshold: Return at which a thin line is drawn.

    Raises:
        SymbenchError: It cannot be written, or matplotlib is missing.
    """
    rows = -(-len(curves) // 2)
    drawn, axes = figure(7, 4.2 + 0.25 * rows)
    axes.axhline(threshold, color="0.8", linewidth=1)
    for number, arm in enumerate(curves):
        runs = len(arm.returns)
        label = f"{arm.arm} ({runs} run{'s' if runs > 1 else ''})"
        line = _LINES[number // len(PALETTE) % len(_LINES)]  # a colour that comes again has another line
        draw_arm(axes, arm, label=label, color=hexadecimal(of(number)), linestyle=line)
    axes.set(title=title, xlabel="environment steps", ylabel="mean return (median and quartiles of runs)")
    axes.xaxis.set_major_formatter(require("matplotlib.ticker", "figures").EngFormatter(sep=""))
    drawn.legend(frameon=False, loc="outside lower center", ncols=2)  # where it covers no curve
    return save(drawn, path)


def draw_arm(axes: Any, arm: Curves, **style: Any) -> None:
    """Draw the median over training runs with a band from the 25% to the 75% quantile.

    Args:
        axes: Of matplotlib.
        arm: The curves.
        **style: Of the line; its ``color`` is that of the band.
    """
    low, median, high = arm.quantiles
    axes.fill_between(arm.steps, low, high, color=style["color"], alpha=0.2, linewidth=0)
    axes.plot(arm.steps, median, **style)


def write_curves(path: Path, curves: Sequence[Curves]) -> Path:
    """Write every measurement of every run: ``arm, run, step, return``.

    Raises:
        SymbenchError: It cannot be written.
    """
    lines = [
        (arm.arm, run, step, value)
        for arm in curves
        for run, returns in enumerate(arm.returns.tolist())
        for step, value in zip(arm.steps.tolist(), returns, strict=True)
    ]
    return save_csv(path, ("arm", "run", "step", "return"), lines)


def write_summary(path: Path, summaries: Sequence[Summary]) -> Path:
    """Write one line for each arm, with the limits of the 95% intervals.

    Raises:
        SymbenchError: It cannot be written.
    """
    header = ["arm", "runs", "parameters"]
    header += [
        f"{name}{end}" for name in ("area", "last_return", "steps_to_threshold") for end in ("", "_low", "_high")
    ]
    header += ["share_that_reached", "median_curve_reaches"]
    lines = [(s.arm, s.runs, s.parameters, *s.area, *s.last, *s.steps, s.reached, s.median_curve) for s in summaries]
    return save_csv(path, header, lines)


def write_orientations(path: Path, arms: Sequence[Turned]) -> Path:
    """Write a line for each run and orientation: ``arm, run, degrees, mean_return, episodes_changed, largest_change``.

    Raises:
        SymbenchError: It cannot be written.
    """
    header = ("arm", "run", "degrees", "mean_return", "episodes_changed", "largest_change")
    lines = [
        (arm.arm, run, degrees, arm.means[run, i], arm.changed[run, i], arm.changes[run, i].max())
        for arm in arms
        for run in range(len(arm.returns))
        for i, degrees in enumerate(arm.degrees)
    ]
    return save_csv(path, header, lines)
