"""Gymnasium's Box2D without CarRacing."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, Metric

_THRESHOLD = "random: measured; reference: Gymnasium's reward threshold"
_EXTRA = "'symbench[box2d]'"

# The shaping telescopes. Above: 100 for landing, 20 for the legs, 141 for the height, 100 for the largest speed at the
# start, rounded up. Below it is bounded only by how far the engines can lift and spin the lander in 1000 steps: 90
# heights, 100 radians, each worth 100, and the fuel; generous, not tight.
_LANDER = Limits(steps=1000, returns=(-25_000, 400))

TASKS = (
    Task(
        name="LunarLander-v3",
        env_id="LunarLander-v3",
        description="land between two flags, 8 sensors",
        metric=Metric(-182.01, 200.0, _THRESHOLD),
        on_request=("unshuffler-values",),
        limits=_LANDER,
        extra=_EXTRA,
    ),
    Task(
        name="LunarLanderContinuous-v3",
        env_id="LunarLanderContinuous-v3",
        description="the same with engines of any thrust, 8 sensors",
        metric=Metric(-214.40, 200.0, f"{MEASURED}; reference: Gymnasium's reward threshold"),
        limits=_LANDER,
        extra=_EXTRA,
    ),
    Task(
        name="BipedalWalker-v3",
        env_id="BipedalWalker-v3",
        description="walk on two legs over uneven ground, 24 sensors",
        metric=Metric(-100.54, 300.0, f"{MEASURED}; reference: Gymnasium's reward threshold"),
        batch=100,
        extra=_EXTRA,
    ),
)
