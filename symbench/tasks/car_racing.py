"""Gymnasium's CarRacing, grey as Tang & Ha (2021) have it, and in colours."""

from __future__ import annotations

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import Metric

# 1000 steps of -0.1 and -100 for leaving the field; all tiles of a track are worth 1000.
_LIMITS = Limits(steps=1000, returns=(-200, 1000))
_EXTRA = "'symbench[box2d]'"

TASKS = (
    Task(
        name="CarRacing",
        env_id="symbench/CarRacing-v0",
        description="drive a lap seen from above, 96x96 grey frames (Tang & Ha 2021)",
        metric=Metric(-30.63, 900.0, "random: measured over 50 episodes; reference: Gymnasium's reward threshold"),
        preprocessing=("grey", "indicator rows 84-95 blackened"),
        episodes=50,
        rests=True,
        observes="frames",
        background={"colors": [[160], [175]], "tolerance": 8},
        camera="moves",
        limits=_LIMITS,
        extra=_EXTRA,
    ),
    Task(
        name="CarRacingRGB",
        env_id="symbench/CarRacingRGB-v0",
        description="the same, 96x96 RGB frames of CarRacing-v3",
        metric=Metric(-30.63, 900.0, "as CarRacing: the laps are the same"),
        episodes=50,
        rests=True,
        observes="frames",
        background={"colors": [[100, 202, 100], [100, 228, 100]], "tolerance": 12},
        camera="moves",
        limits=_LIMITS,
        extra=_EXTRA,
    ),
)
