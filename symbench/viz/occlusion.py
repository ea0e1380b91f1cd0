"""The return over occlusion in training (rows) and in test (columns): the paper's matrix for Pong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError, unknown
from symbench.leaderboard.published import published
from symbench.runner import Store, load_manifest
from symbench.viz.figures import figure, save, save_csv

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.runner import Manifest, Record
    from symbench.suites import Perturbation, Suite


@dataclass(frozen=True)
class Matrix:
    """Mean returns of agents (rows) under occlusion (columns).

    Attributes:
        title: Whose numbers these are.
        agents: Names of the rows.
        ratios: Share of hidden patches of each column.
        returns: Shape (rows, columns); NaN where nothing was measured.
    """

    title: str
    agents: tuple[str, ...]
    ratios: tuple[float, ...]
    returns: NDArray[np.float64]


def occlusion(run_dir: Path, out: Path, task: str | None = None) -> str:
    """Write ``occlusion.png`` and ``occlusion.csv`` of a run: measured here, and published where there are numbers.

    Args:
        run_dir: A run whose conditions apply ``OccludePatches``.
        out: Directory for the files.
        task: Which of its tasks; ``None`` if it has one.

    Returns:
        One line about what came out.

    Raises:
        SymbenchError: There is no run, it has no such condition or task, or a file cannot be written.
    """
    manifest = load_manifest(run_dir)
    task = _task(manifest, task)
    conditions = {each.id: ratio for each in manifest.suite.perturbations if (ratio := _ratio(each)) is not None}
    if len(set(conditions.values())) < 2:
        raise SymbenchError(f"{run_dir} holds no occlusion: make it with symbench run --suite occlusion")
    measured = _measured(Store(run_dir).records(manifest.cells), conditions, task)
    matrices = [measured, *_published(conditions, task, manifest.suite)]
    _draw(matrices, task, out)
    lines = (
        [each.title, agent, f"{ratio:g}", "" if np.isnan(value) else f"{value:.6g}"]
        for each in matrices
        for agent, row in zip(each.agents, each.returns, strict=True)
        for ratio, value in zip(each.ratios, row, strict=True)
    )
    save_csv(out / "occlusion.csv", ("source", "agent", "test_occlusion", "mean_return"), lines)
    return f"{len(measured.agents)} agents under {len(measured.ratios)} levels of occlusion in {task}"


def _task(manifest: Manifest, task: str | None) -> str:
    if task is not None and task not in manifest.tasks:
        raise unknown("task", task, manifest.tasks, "of the run")
    if task is None and len(manifest.tasks) != 1:
        raise SymbenchError(f"the run has tasks {', '.join(manifest.tasks) or 'none'}: name one with --task")
    return task or next(iter(manifest.tasks))


def _ratio(condition: Perturbation) -> float | None:
    """The share of hidden patches, 0 for the baseline; ``None`` for what is no occlusion."""
    if not condition.apply:
        return 0.0
    for step in condition.apply:
        if step.wrapper == "OccludePatches":
            return float(step.perturbation().make(**step.parameters).distance)
    return None


def _measured(records: list[Record], conditions: dict[str, float], task: str) -> Matrix:
    values: dict[tuple[str, float], list[float]] = {}
    for each in records:
        condition = f"{each.cell.perturbation}/{each.cell.level}"
        if each.cell.task == task and condition in conditions and each.cell.source.kind != "random":
            values.setdefault((each.cell.agent, conditions[condition]), []).append(float(each.episodes.returns.mean()))
    if not values:
        raise SymbenchError(f"no agent but random has played {task} there yet; go on with the run")
    agents = tuple(sorted({agent for agent, _ in values}, key=_trained_under))
    return _matrix("measured", agents, {key: float(np.mean(runs)) for key, runs in values.items()})


def _published(conditions: dict[str, float], task: str, suite: Suite) -> list[Matrix]:
    """One matrix of all published agents that have numbers for several of the conditions; none if there are none."""
    rows = [each for each in published(task, suite) if len(conditions.keys() & each.returns.keys()) > 1]
    values = {
        (each.agent, conditions[id]): mean
        for each in rows
        for id, (mean, _) in each.returns.items()
        if id in conditions
    }
    return [_matrix("paper", tuple(each.agent for each in rows), values)] if rows else []


def _matrix(title: str, agents: tuple[str, ...], values: dict[tuple[str, float], float]) -> Matrix:
    ratios = tuple(sorted({ratio for _, ratio in values}))
    returns = np.array([[values.get((agent, ratio), np.nan) for ratio in ratios] for agent in agents])
    return Matrix(title, agents, ratios, returns)


def _trained_under(agent: str) -> tuple[int, str]:
    """Agents in the order of the last number in their names, e.g. ``occluded-50``; those without one first."""
    numbers = re.findall(r"\d+", agent)
    return (int(numbers[-1]) if numbers else -1), agent


def _draw(matrices: list[Matrix], task: str, out: Path) -> None:
    rows = max(len(each.agents) for each in matrices)
    drawn, axes = figure(8.5 * len(matrices), 2.2 + 0.5 * rows, ncols=len(matrices), squeeze=False)
    limit = max(float(np.nanmax(np.abs(each.returns))) for each in matrices) or 1.0
    image: Any = None
    for axis, each in zip(axes[0], matrices, strict=True):
        image = axis.imshow(each.returns, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
        for (row, column), value in np.ndenumerate(each.returns):
            text = "-" if np.isnan(value) else f"{value:.0f}"
            axis.text(
                column, row, text, ha="center", va="center", color="white" if abs(value) > 0.6 * limit else "black"
            )
        axis.set(
            title=f"{task}, mean return ({each.title})", xlabel="patches hidden in test", ylabel="agent (trained under)"
        )
        axis.set_xticks(range(len(each.ratios)), [f"{ratio:.0%}" for ratio in each.ratios])
        axis.set_yticks(range(len(each.agents)), each.agents)
    drawn.colorbar(image, ax=axes, label="return")
    save(drawn, out / "occlusion.png")
