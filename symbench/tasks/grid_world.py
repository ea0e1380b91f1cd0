"""The predator on a torus, by van der Pol et al. (2020)."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import Metric

TASKS = (
    Task(
        name="GridWorld",
        env_id="symbench/GridWorld-v0",
        description="catch a prey on a 7x7 torus, 21x21 grey frames (van der Pol et al. 2020)",
        metric=Metric(
            -4.97,
            0.73,
            "random and reference, the best policy's return: exact, by dynamic programming over the 49 states",
        ),
        native_vector=True,
        episodes=1000,
        observes="frames",
        background={"colors": [[0]], "tolerance": 0},
        limits=Limits(steps=100, rewards=(-0.1, 1), returns=(-10, 1)),  # the prey is caught once
    ),
)
