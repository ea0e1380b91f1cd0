"""How long tours are, and how long they take: ``python -m symbench.leaderboard.gap_against_seconds --task TSP20``.

Every method solves the instances of the suite's episodes, of which reference tours are stored, and is given a row:
its gap to them, and processor time on one thread. :mod:`symbench.leaderboard.gap_picture` draws the rows.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import typer

from symbench.envs.routing.tours import check_routes, check_tours
from symbench.errors import SymbenchError
from symbench.leaderboard.bootstrap import crossed, estimate, mean
from symbench.leaderboard.gap_rows import FAMILIES, FOLDER, OTHERS, GapRow, read_rows, write_rows
from symbench.runner.agents import RANDOM, load, resolve
from symbench.runner.evaluate import single_thread
from symbench.runner.tour_solvers import DPDP, SOLVERS, planning_agent, solvers_of
from symbench.solvers.reference_sets import FIRST_SEED, SETS, instances_of, lengths_in
from symbench.tasks import GapMetric, get_task
from symbench.zoo import bundled, load_card, load_network, not_installed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from symbench.policies.routing import TourAgent
    from symbench.runner.cell import AgentSource

    Instances = Mapping[str, NDArray[Any]]

BEAMS: Final = ("beam:10", "beam:100", "beam:1000")
"""Of DPDP."""
WAYS: Final = ("greedy", "sample:16", "sample:128", "x8", "beam:16", "beam:128")
STARTING_WAYS: Final = ("greedy", "starts", "sample:128", "x8", "x8-starts")
"""The same of models that are told where to begin."""

_SAME: Final = 1e-6  # in %: a gap below it is that of the reference, or of a better tour
_BATCH: Final = 100


def measure(spec: str, task: str, count: int, batch: int = _BATCH) -> GapRow:
    """The row of a method; its training runs are averaged.

    Args:
        spec: As after ``--agent``, e.g. ``"two-opt"``, ``"dpdp,decode=beam:10"``, ``"mine=am.safetensors,decode=x8"``;
            a model without ``decode`` is greedy.
        task: One of :data:`~symbench.solvers.reference_sets.SETS`.
        count: How many instances, the first of the suite's episodes.
        batch: How many are solved at once by what can do that.

    Raises:
        SymbenchError: There is no such agent or task, it plans no tours of this problem, or a tour is none.
    """
    sources = [source for source in resolve([spec], task) if source != RANDOM] or [RANDOM]
    instances, solver = _instances(task, count), SOLVERS.get(sources[0].algorithm or "")
    at_once = 1 if solver and solver.one_by_one else min(batch, count)
    agents = [_planner(source, task) for source in sources]
    with single_thread():
        solved = [_solved(agent, instances, at_once) for agent in agents]
    gaps, metric = np.empty((len(agents), count)), get_task(task).metric
    assert isinstance(metric, GapMetric)
    for row, (lengths, _) in zip(gaps, solved, strict=True):
        row[:] = metric.gaps(FIRST_SEED + np.arange(count), -lengths)
    interval = estimate(crossed(gaps[None], FIRST_SEED, sources[0].name, average=mean))
    return GapRow(
        *(task, _method(sources[0]), _family(sources[0]), SETS[task][0], count, len(agents), at_once),
        *(interval.value, float(gaps.std()), interval.low, interval.high),
        *(float(np.mean([seconds for _, seconds in solved])), float((gaps <= _SAME).mean())),
    )


def methods_of(task: str) -> list[str]:
    """What is measured where nothing is named: all solvers that are installed, and bundled agents in several ways.

    Raises:
        SymbenchError: The bundled agents are not installed.
    """
    if missing := not_installed(task):
        raise SymbenchError(missing)
    solvers = [name for name in solvers_of(task) if name != DPDP]
    beams = [f"{DPDP},decode={way}" for way in BEAMS if DPDP in solvers_of(task)]
    return [*solvers, *beams, *(f"{name},decode={way}" for name in bundled(task) for way in _ways(name, task))]


def _ways(name: str, task: str) -> tuple[str, ...]:
    from symbench.policies.routing import EdgeScorer

    network = load_network(bundled(task)[name][0])
    if isinstance(network, EdgeScorer):
        return BEAMS
    return STARTING_WAYS if getattr(network, "needs_start", False) else WAYS


def _instances(task: str, count: int) -> Instances:
    if task not in SETS:
        raise SymbenchError(f"there are no reference tours of task {task!r}; take one of {', '.join(SETS)}")
    if count > SETS[task][1]:
        raise SymbenchError(f"{SETS[task][1]} reference tours of {task} are stored, {count} instances asked for")
    return instances_of(task, count)


def _planner(source: AgentSource, task: str) -> TourAgent:
    """The agent, which plans whole tours."""
    from symbench.policies import NetworkAgent
    from symbench.policies.routing import TourAgent

    env = get_task(task).make()
    agent = load(source, env.observation_space, env.action_space)
    env.close()
    if isinstance(agent, NetworkAgent):
        agent = planning_agent(agent.network, source.name, "greedy", env.action_space)
    if not isinstance(agent, TourAgent):
        raise SymbenchError(f"agent {source.name!r} plans no whole tours: take a solver or a model of tours")
    if reason := agent.incompatibility(env.observation_space, env.action_space):
        raise SymbenchError(f"agent {source.name!r} cannot play {task}: {reason}")
    return agent


def _solved(agent: TourAgent, instances: Instances, batch: int) -> tuple[NDArray[np.float64], float]:
    """Lengths of an agent's tours, (E,), and processor time for an instance; what is loaded once is not counted."""
    count, seconds, lengths = len(instances["cities"]), 0.0, []
    parts = [slice(first, first + batch) for first in range(0, count, batch)]
    for number, part in enumerate([slice(0, 1), *parts]):
        given = {key: array[part] for key, array in instances.items()}
        seeds = [(FIRST_SEED + episode, 0) for episode in range(count)[part]]  # as the environments have them
        begun = time.process_time()
        tours = agent.planner(given, seeds)
        if number:
            seconds += time.process_time() - begun
            _check(given, tours)
            lengths.append(lengths_in(given, tours))
    return np.concatenate(lengths), seconds / count


def _check(instances: Instances, tours: NDArray[np.int64]) -> None:
    if "demands" in instances:
        check_routes(tours, instances["demands"])
    else:
        check_tours(tours, instances["cities"].shape[1])


def _method(source: AgentSource) -> str:
    way = source.options.decode
    return f"{source.name} {way}" if way else source.name


def _family(source: AgentSource) -> str:
    if source.kind == "solver":
        return FAMILIES[DPDP if source.algorithm == DPDP else ""]
    return FAMILIES.get(load_card(source.path)["kind"], OTHERS) if source.kind == "zoo" and source.path else OTHERS


def main(
    task: Annotated[str, typer.Option(help=f"One of {', '.join(SETS)}.")] = "TSP20",
    agents: Annotated[
        list[str] | None,
        typer.Option("--agent", "-a", metavar="AGENT", help="As of symbench run. [all solvers and bundled agents]"),
    ] = None,
    instances: Annotated[int, typer.Option(min=1, help="How many are solved.")] = 1000,
    batch: Annotated[int, typer.Option(min=1, help="Instances at once, for methods that can do that.")] = _BATCH,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="CSV", help="Keeps rows of other methods. [leaderboards/tours/TASK.csv]"),
    ] = None,
) -> None:
    """Measure methods and write a row for each as it comes."""
    from rich.console import Console
    from rich.progress import track

    file = out or Path("leaderboards", FOLDER, f"{task}.csv")
    try:
        rows = {row.method: row for row in read_rows(file)} if file.exists() else {}
        specs = agents or methods_of(task)
        for spec in track(specs, f"{task}, methods", console=Console(stderr=True)):
            row = measure(spec, task, instances, batch)
            rows[row.method] = row
            write_rows(file, rows.values())
            typer.echo(f"{row.method}: gap {row.gap_mean:.3f}%, {row.seconds:.2e} s")
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
