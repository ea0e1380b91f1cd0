"""Solvers of tours as agents: heuristics by their names, LKH, PyVRP, and beams that an edge scorer guides.

* :data:`SOLVERS` - name -> what it solves
* :func:`solvers_of` - those that can play a task
* :func:`solver_agent` - one of them as an agent; :func:`planning_agent` - a model, where ``decode`` is said
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gymnasium.spaces import Space
    from numpy.typing import NDArray

    from symbench.policies import NetworkAgent
    from symbench.policies.routing import TourAgent

    Instances = Mapping[str, NDArray[Any]]
    Tours = NDArray[np.int64]

DPDP: Final = "dpdp"
"""Algorithm of an edge scorer's file."""
_ITERATIONS: Final = 500  # of PyVRP for an instance; not seconds, so that its routes are the same everywhere
_BEAM: Final = 1000  # states of DPDP, the least that was published
_SCORER_BYTES: Final = 2**30
_AT_ONCE: Final = 100  # instances whose heatmaps are made together


@dataclass(frozen=True)
class Solver:
    """A solver without weights.

    Attributes:
        problem: ``"tsp"`` or ``"cvrp"``.
        solve: From a batch of instances to tours, (B, T).
        needs: A package of the extra ``[routing]``.
    """

    problem: str
    solve: Callable[[Instances], Tours]
    needs: str = ""


def _nearest_neighbour(instances: Instances) -> Tours:
    from symbench.solvers.heuristics import nearest_neighbour

    return nearest_neighbour(instances["cities"])


def _farthest_insertion(instances: Instances) -> Tours:
    from symbench.solvers.heuristics import farthest_insertion

    return farthest_insertion(instances["cities"])


def _two_opt(instances: Instances) -> Tours:
    from symbench.solvers.heuristics import two_opt

    return two_opt(instances["cities"])


def _lkh(instances: Instances) -> Tours:
    from symbench.solvers.references import reference_tours

    return reference_tours(instances["cities"], runs=1)


def _pyvrp(instances: Instances) -> Tours:
    from symbench.solvers.references import reference_routes

    return reference_routes(instances["cities"], instances["demands"], _ITERATIONS)


def _savings(instances: Instances) -> Tours:
    from symbench.solvers.savings import savings

    return savings(instances["cities"], instances["demands"])


SOLVERS: Final = {
    "nearest-neighbour": Solver("tsp", _nearest_neighbour),
    "farthest-insertion": Solver("tsp", _farthest_insertion),
    "two-opt": Solver("tsp", _two_opt),
    "lkh": Solver("tsp", _lkh, needs="elkai"),
    "savings": Solver("cvrp", _savings),
    "pyvrp": Solver("cvrp", _pyvrp, needs="pyvrp"),
}
"""Name, as after ``--agent`` -> solver."""

_PROBLEMS: Final = {"symbench/TSP-v0": "tsp", "symbench/CVRP-v0": "cvrp"}


def solvers_of(task: str) -> list[str]:
    """Names of the solvers that can play a task and are installed; none of a task without tours."""
    problem = problem_of(task)
    return [name for name, each in SOLVERS.items() if each.problem == problem and (not each.needs or _has(each.needs))]


def problem_of(task: str) -> str | None:
    """Which instances a task shows, ``"tsp"`` or ``"cvrp"``; ``None`` if it is about something else."""
    from symbench.tasks import get_task

    with suppress(SymbenchError):
        return _PROBLEMS.get(get_task(task).env_id)
    return None


def read_solver(name: str, path: str) -> dict[str, str]:
    """SHA-256 of what a solver reads; of one that reads nothing, version of the package that it needs.

    Raises:
        SymbenchError: The package is missing, or the file cannot be read.
    """
    if name == DPDP:
        content = read(Path(path), path, _SCORER_BYTES, "does not exist")
        return {"scorer": hashlib.sha256(content).hexdigest()}
    if needs := SOLVERS[name].needs:
        require(needs, f"agents called {name}")
        return {needs: version(needs)}
    return {}


def planning_agent(agent: NetworkAgent, decode: str, action_space: Space[Any]) -> TourAgent:
    """A model that plans whole tours instead of playing step by step.

    Args:
        agent: Which plays it.
        decode: See :mod:`symbench.policies.routing.whole_tours`.
        action_space: The task's (single) space.

    Raises:
        SymbenchError: It builds no tours, or cannot decode so.
    """
    from symbench.policies.routing import ModelPlanner, RoutingModel, TourAgent

    model = agent.network
    if not isinstance(model, RoutingModel):
        raise SymbenchError(f"agent {agent.name!r} is a {model.kind}: decode is an option of models that build tours")
    return TourAgent(
        ModelPlanner(model, decode), model.problem, agent.name, action_space, f"{model.kind}, decode={decode}"
    )


def solver_agent(name: str, path: str | None, decode: str | None, action_space: Space[Any], agent: str) -> TourAgent:
    """A solver as an agent.

    Args:
        name: One of :data:`SOLVERS`, or :data:`DPDP`.
        path: File of DPDP's edge scorer.
        decode: ``"beam:N"`` of DPDP.
        action_space: The task's (single) space.
        agent: How tables call it.

    Raises:
        SymbenchError: The file is none of an edge scorer, or the solver has no such option.
    """
    from symbench.policies.routing import TourAgent

    if name == DPDP:
        width = _beam_width(decode, agent)
        return TourAgent(_dpdp(Path(path or ""), width), "tsp", agent, action_space, f"DPDP with beams of {width}")
    if decode is not None:
        raise SymbenchError(f"agent {agent!r}: decode is an option of models that build tours and of edge scorers")
    solver = SOLVERS[name]
    return TourAgent(lambda instances, _: solver.solve(instances), solver.problem, agent, action_space, name)


def _beam_width(decode: str | None, agent: str) -> int:
    way, _, number = (decode or f"beam:{_BEAM}").partition(":")
    if way != "beam":
        raise SymbenchError(f"agent {agent!r}: an edge scorer guides beams, decode=beam:N, received decode={decode}")
    return int(number)


def _dpdp(path: Path, width: int) -> Callable[[Instances, Sequence[tuple[int, int]]], Tours]:
    import torch

    from symbench.policies.routing import EdgeScorer
    from symbench.solvers.dpdp import guided_tour

    scorer = EdgeScorer.load(path)

    def plan(instances: Instances, _: Sequence[tuple[int, int]]) -> Tours:
        cities = torch.tensor(instances["cities"], dtype=torch.float32)
        with torch.inference_mode():
            heatmaps = torch.cat([scorer(part) for part in torch.split(cities, _AT_ONCE)]).numpy()
        return np.stack([guided_tour(*each, width) for each in zip(cities.numpy(), heatmaps, strict=True)])

    return plan


def _has(package: str) -> bool:
    return find_spec(package) is not None
