"""Agents that plan whole tours: heuristics, LKH, PyVRP and DPDP by their names, models, edge scorers.

* :data:`SOLVERS` - name -> what it solves
* :func:`solvers_of` - those that can play a task
* :func:`solver_agent` - one of them as an agent
* :func:`planning_agent` - a model, where ``decode`` is said, or beams that an edge scorer guides
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gymnasium.spaces import Space
    from numpy.typing import NDArray

    from symbench.policies.routing import EdgeScorer, TourAgent
    from symbench.zoo.agent_files import Network

    Instances = Mapping[str, NDArray[Any]]
    Tours = NDArray[np.int64]

DPDP: Final = "dpdp"
"""Beams that distances guide; the only solver that has a ``decode``."""
_ITERATIONS: Final = 500  # of PyVRP for an instance; not seconds, so that its routes are the same everywhere
_BEAM: Final = 1000  # states of DPDP, the least that was published
_AT_ONCE: Final = 100  # instances whose heatmaps are made together


@dataclass(frozen=True)
class Solver:
    """A solver without weights.

    Attributes:
        problem: ``"tsp"`` or ``"cvrp"``.
        solve: From a batch of instances to tours, (B, T).
        needs: A package of the extra ``[routing]``.
        one_by_one: Whether it solves one instance after the other, so that a batch saves nothing.
    """

    problem: str
    solve: Callable[[Instances], Tours]
    needs: str = ""
    one_by_one: bool = False


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


def _dpdp_of_distances(instances: Instances, width: int = _BEAM) -> Tours:
    from symbench.solvers.dpdp import dpdp

    return np.stack([dpdp(each, beam_size=width, score="costheatmap_potential") for each in instances["cities"]])


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
    DPDP: Solver("tsp", _dpdp_of_distances, one_by_one=True),
    "lkh": Solver("tsp", _lkh, needs="elkai", one_by_one=True),
    "savings": Solver("cvrp", _savings, one_by_one=True),
    "pyvrp": Solver("cvrp", _pyvrp, needs="pyvrp", one_by_one=True),
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


def read_solver(name: str) -> dict[str, str]:
    """Version of the package that a solver needs, if any.

    Raises:
        SymbenchError: The package is missing.
    """
    if needs := SOLVERS[name].needs:
        require(needs, f"agents called {name}")
        return {needs: version(needs)}
    return {}


def planning_agent(network: Network, agent: str, decode: str | None, action_space: Space[Any]) -> TourAgent:
    """A network that plans whole tours instead of playing step by step.

    Args:
        network: A model that builds tours, or an edge scorer, which guides DPDP.
        agent: How tables call it.
        decode: See :mod:`symbench.policies.routing.whole_tours`; of edge scorers ``"beam:N"`` or ``None``.
        action_space: The task's (single) space.

    Raises:
        SymbenchError: It builds no tours, or cannot decode so.
    """
    from symbench.policies.routing import EdgeScorer, ModelPlanner, RoutingModel, TourAgent

    if isinstance(network, EdgeScorer):
        width = _beam_width(decode, agent)
        return TourAgent(_guided(network, width), "tsp", agent, action_space, f"DPDP with beams of {width}")
    if not isinstance(network, RoutingModel):
        raise SymbenchError(f"agent {agent!r} is a {network.kind}: decode is an option of models that build tours")
    planner = ModelPlanner(network, decode or "greedy")
    return TourAgent(planner, network.problem, agent, action_space, f"{network.kind}, decode={planner.decode}")


def solver_agent(name: str, decode: str | None, action_space: Space[Any], agent: str) -> TourAgent:
    """A solver as an agent.

    Args:
        name: One of :data:`SOLVERS`.
        decode: ``"beam:N"`` of DPDP, else ``None``.
        action_space: The task's (single) space.
        agent: How tables call it.

    Raises:
        SymbenchError: The solver has no such option.
    """
    from symbench.policies.routing import TourAgent

    if name == DPDP:
        width = _beam_width(decode, agent)
        how = f"DPDP with beams of {width}, guided by distances"
        return TourAgent(lambda each, _: _dpdp_of_distances(each, width), "tsp", agent, action_space, how)
    if decode is not None:
        raise SymbenchError(f"agent {agent!r}: decode is an option of models that build tours and of DPDP")
    solver = SOLVERS[name]
    return TourAgent(lambda instances, _: solver.solve(instances), solver.problem, agent, action_space, name)


def _beam_width(decode: str | None, agent: str) -> int:
    way, _, number = (decode or f"beam:{_BEAM}").partition(":")
    if way != "beam":
        raise SymbenchError(f"agent {agent!r}: DPDP has beams, decode=beam:N, received decode={decode}")
    return int(number)


def _guided(scorer: EdgeScorer, width: int) -> Callable[[Instances, Sequence[tuple[int, int]]], Tours]:
    import torch

    from symbench.solvers.dpdp import guided_tour

    def plan(instances: Instances, _: Sequence[tuple[int, int]]) -> Tours:
        cities = torch.tensor(instances["cities"], dtype=torch.float32)
        with torch.inference_mode():
            heatmaps = torch.cat([scorer(part) for part in torch.split(cities, _AT_ONCE)]).numpy()
        return np.stack([guided_tour(*each, width) for each in zip(cities.numpy(), heatmaps, strict=True)])

    return plan


def _has(package: str) -> bool:
    return find_spec(package) is not None
