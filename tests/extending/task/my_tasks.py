"""A task of a package, announced by an entry point of the group ``symbench.tasks``."""

import my_envs  # noqa: F401  (registers the environment)

from symbench.tasks import Metric, Task

LONG_WALK = Task(
    name="LongWalk",
    env_id="Walk-v0",
    description="walk to a goal ten steps away, 3 sensors",
    metric=Metric(None, 1.0, "random: measured; reference: the largest return there is"),
    kwargs={"size": 10},
)
