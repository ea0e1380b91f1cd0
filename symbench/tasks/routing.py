"""Tours through cities of the unit square, learned city by city; an instance's best tour is known."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, GapMetric

_REFERENCE = "reference: mean of the stored tours of LKH (symbench/solvers/data)"


def _longest(edges: int) -> Limits:
    """No edge is longer than the diagonal of the unit square."""
    return Limits(steps=edges, returns=(-(2**0.5) * edges, 0), least=edges)


def _tsp(nodes: int, description: str, random_return: float, reference_return: float) -> Task:
    name = f"TSP{nodes}"
    return Task(
        name=name,
        env_id="symbench/TSP-v0",
        description=description,
        metric=GapMetric(random_return, reference_return, f"{MEASURED}; {_REFERENCE}", references=name),
        kwargs={} if nodes == 20 else {"n": nodes},  # 20 are the environment's own
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=_longest(nodes),
        agents_of=None if nodes == 20 else "TSP20",  # models of tours read any number of cities
    )


TASKS = (
    _tsp(20, "a short tour through 20 cities of the plane", -10.45, -3.83),
    _tsp(50, "the same through 50 cities", -26.09, -5.69),
    _tsp(100, "the same through 100 cities", -52.13, -7.76),
    Task(
        name="CVRP20",
        env_id="symbench/CVRP-v0",
        description="short routes of a vehicle that serves 20 customers of the plane from a depot",
        metric=GapMetric(-13.26, -6.12, f"{MEASURED}; {_REFERENCE.replace('LKH', 'PyVRP')}", references="CVRP20"),
        native_vector=True,
        episodes=1000,
        observes="entities",
        # A vehicle may go back to the depot after every customer: 39 steps, and the edge of the final return.
        limits=Limits(steps=39, returns=(-(2**0.5) * 40, 0), least=20),
    ),
)
