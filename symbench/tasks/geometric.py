"""Bodies in empty space, pushed by forces of any direction; wind, an argument, breaks their symmetry."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, Metric

_NO_REFERENCE = f"{MEASURED}; reference: none is known"

# A body starts at most 1 from the origin and moves at most .2 a step (largest speed 2), in wind .3: two bodies are at
# most 2 + .6 t apart after t steps, on average over T steps 2 + .3 (T + 1). Charges push each other 3.4 times as hard
# as an agent at most, which makes 1 a step beside targets that rest: 2 + .5 (T + 1).
TASKS = (
    Task(
        name="ParticleSpread",
        env_id="symbench/ParticleSpread-v0",
        description="3 agents cover 3 landmarks in the plane without meeting each other",
        metric=Metric(-34.69, None, _NO_REFERENCE),
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=Limits(steps=50, returns=(-50 * (1.5 + 17.3), 0)),  # three that meet cost 1.5
    ),
    Task(
        name="Pursuit",
        env_id="symbench/Pursuit-v0",
        description="3 agents chase an evader in the plane that flees by a rule",
        metric=Metric(-49.78, None, _NO_REFERENCE),
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=Limits(steps=100, rewards=(-6.2, 1), returns=(-100 * 3.23, 100)),
    ),
    Task(
        name="NBodyControl",
        env_id="symbench/NBodyControl-v0",
        description="5 charged particles in space are pushed to targets of their charge",
        metric=Metric(-97.54, None, _NO_REFERENCE),
        native_vector=True,
        episodes=1000,
        observes="entities",
        limits=Limits(steps=100, returns=(-100 * 53, 0)),
    ),
)
