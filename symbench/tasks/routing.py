"""Tours through cities of the unit square, learned city by city; an instance's best tour is known."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, GapMetric

_REFERENCE = "reference: mean of the stored tours of LKH (symbench/solvers/data)"


def _longest(edges: int) -> Limits:
    """No edge is longer than the diagonal of the unit square."""
    return Limits(steps=edges, returns=(-(2**0.5) * edges, 0))


TASKS = (
    Task(
        name="TSP20",
        env_id="symbench/TSP-v0",
        description="a short tour through 20 cities of the plane",
        metric=GapMetric(-10.45, -3.83, f"{MEASURED}; {_REFERENCE}", references="TSP20"),
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=_longest(20),
    ),
    Task(
        name="TSP50",
        env_id="symbench/TSP-v0",
        description="the same through 50 cities",
        metric=GapMetric(-26.09, -5.69, f"{MEASURED}; {_REFERENCE}", references="TSP50"),
        kwargs={"n": 50},
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=_longest(50),
    ),
    Task(
        name="TSP100",
        env_id="symbench/TSP-v0",
        description="the same through 100 cities",
        metric=GapMetric(-52.13, -7.76, f"{MEASURED}; {_REFERENCE}", references="TSP100"),
        kwargs={"n": 100},
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=_longest(100),
    ),
    Task(
        name="CVRP20",
        env_id="symbench/CVRP-v0",
        description="short routes of a vehicle that serves 20 customers of the plane from a depot",
        metric=GapMetric(-13.26, -6.12, f"{MEASURED}; {_REFERENCE.replace('LKH', 'PyVRP')}", references="CVRP20"),
        native_vector=True,
        episodes=1000,
        observes="entities",
        # A vehicle may go back to the depot after every customer: 39 steps, and the edge of the final return.
        limits=Limits(steps=39, returns=(-(2**0.5) * 40, 0)),
    ),
)
