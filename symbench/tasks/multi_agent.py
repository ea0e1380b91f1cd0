"""Worlds of several agents that one policy moves together, by van der Pol et al. (2022)."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, Metric

_NO_REFERENCE = f"{MEASURED}; reference: none is published"

TASKS = (
    Task(
        name="Wildlife",
        env_id="symbench/Wildlife-v0",
        description="3 drones trap a poacher on a 7x7 torus, each seeing itself and him (van der Pol et al. 2022)",
        metric=Metric(-2.77, None, _NO_REFERENCE),
        native_vector=True,
        episodes=1000,
        observes="entities",
        # -0.05 a step; at the end 1 for the drone on the poacher's cell and for each beside it.
        limits=Limits(steps=100, rewards=(-0.05, 2.95), returns=(-5, 2.95)),
    ),
    Task(
        name="Traffic",
        env_id="symbench/Traffic-v0",
        description="4 junctions set their lights so that cars wait little, 35x35 pictures (van der Pol et al. 2022)",
        metric=Metric(-2.49, None, _NO_REFERENCE),
        native_vector=True,
        observes="entities",
        limits=Limits(steps=500, rewards=(-0.5, 0)),  # minus the mean of steps waited, over 1000
    ),
)
