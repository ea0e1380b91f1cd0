"""Gymnasium's MuJoCo bodies. Where Gymnasium names no reward threshold there is no reference: scores are returns."""

from __future__ import annotations

from typing import Any

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import MEASURED, Metric

# A reward is 1, the speed in m/s, and two costs: at most 4 for the actions, 0.05 for contacts. Speed is bounded only by
# what the legs can do; 20 m/s is three times what the best agents run.
_ANT = Limits(steps=1000, rewards=(-24.05, 21))


def _body(
    name: str,
    description: str,
    random_return: float | None,
    threshold: float | None = None,
    env_id: str | None = None,
    limits: Limits | None = None,
    **kwargs: Any,
) -> Task:
    reference = "Gymnasium's reward threshold" if threshold is not None else "none, Gymnasium names no threshold"
    return Task(
        name=name,
        env_id=env_id or name,
        description=description,
        metric=Metric(random_return, threshold, f"{MEASURED}; reference: {reference}"),
        kwargs=kwargs,
        rests=True,
        batch=100,
        limits=limits,
        extra="'symbench[mujoco]'",
    )


TASKS = (
    _body(
        "Ant",
        "run on four legs, the 28 sensors of Tang & Ha 2021 on MuJoCo's body",
        -59.01,
        6000.0,
        env_id="symbench/Ant-v0",
        limits=_ANT,
    ),
    _body("Ant-v5", "the same with 105 sensors, 78 of them contact forces", -59.01, 6000.0, limits=_ANT),
    _body(
        "Ant27",
        "the same without contact forces, 27 sensors",
        -59.01,
        6000.0,
        env_id="Ant-v5",
        include_cfrc_ext_in_observation=False,
    ),
    _body("HalfCheetah-v5", "run on two legs in a plane, 17 sensors", -279.32, 4800.0),
    _body("Hopper-v5", "hop on one leg in a plane, 11 sensors", 16.48, 3800.0),
    _body("Walker2d-v5", "walk on two legs in a plane, 17 sensors", 1.33),
    _body("Humanoid-v5", "walk as a human does, 348 sensors", 113.59),
    _body("Reacher-v5", "reach a target with an arm of two joints, 10 sensors", -42.85, -3.75),
    _body("Swimmer-v5", "swim with a body of three parts, 8 sensors", 2.06, 360.0),
    _body("InvertedPendulum-v5", "balance a pole on a cart, 4 sensors", 5.3, 950.0),
)
