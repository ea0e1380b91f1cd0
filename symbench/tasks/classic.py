"""Gymnasium's classic control."""

from __future__ import annotations

import math

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, Metric

TASKS = (
    Task(
        name="CartPole-v1",
        env_id="CartPole-v1",
        description="balance a pole, 4 sensors",
        metric=Metric(22.28, 500.0, "random: measured; reference: the largest return there is (500 steps, reward 1)"),
        native_vector=True,
        vector_id="symbench/CartPole-v1",
        limits=Limits(steps=500, rewards=(1, 1)),
    ),
    Task(
        name="Acrobot-v1",
        env_id="Acrobot-v1",
        description="swing a two-link arm above a line, 6 sensors",
        metric=Metric(-498.88, -100.0, "random: measured; reference: Gymnasium's reward threshold"),
        on_request=("unshuffler-values",),
        limits=Limits(steps=500, rewards=(-1, 0)),
    ),
    Task(
        name="Pendulum-v1",
        env_id="Pendulum-v1",
        description="swing a pendulum up with a weak motor, 3 sensors",
        metric=Metric(
            -1229.12, 0.0, "random: measured; reference: the upper bound of the return (every reward is at most 0)"
        ),
        on_request=("unshuffler-values",),
        # -(angle^2 + 0.1 speed^2 + 0.001 torque^2) with |angle| <= pi, |speed| <= 8, |torque| <= 2.
        limits=Limits(steps=200, rewards=(-(math.pi**2 + 6.4 + 0.004), 0), least=200),
    ),
    Task(
        name="MountainCar-v0",
        env_id="MountainCar-v0",
        description="drive out of a valley with a weak motor, 2 sensors; it looks symmetric and is not",
        metric=Metric(-200.0, -110.0, "random: measured; reference: Gymnasium's reward threshold"),
        limits=Limits(steps=200, rewards=(-1, -1)),
    ),
    Task(
        name="MountainCarContinuous-v0",
        env_id="MountainCarContinuous-v0",
        description="the same with a motor of any force, 2 sensors; force costs, doing nothing is better than random",
        metric=Metric(-33.34, 90.0, f"{MEASURED}; reference: Gymnasium's reward threshold"),
        # -0.1 force^2 a step with |force| <= 1, and 100 once on the hill.
        limits=Limits(steps=999, rewards=(-0.1, 100), returns=(-99.9, 100)),
    ),
)
