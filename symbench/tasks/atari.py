"""Atari games as frames of one moment; stacking them is up to the agent."""

from __future__ import annotations

from symbench.envs.pong import last_frame
from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import Metric

_EXTRA = "'symbench[atari]'"
_GREY = ("1 to 30 no-ops at the start", "4 frames an action, maximum of the last two", "grey 84x84 by area")
_SCORE = "score rows 0-9 blackened"
# 108,000 frames, 4 a step, up to 30 of no-ops and 60 random actions before the first; 21 points end the game.
_LIMITS = Limits(steps=27_000, returns=(-21, 21), cut_from=26_900)
_SAME = Metric(-20.19, 21.0, "as Pong: the games are the same")

TASKS = (
    Task(
        name="Pong",
        env_id="symbench/Pong-v0",
        description="table tennis against the machine, 84x84 grey frames (Tang & Ha 2021)",
        metric=Metric(
            -20.19,
            21.0,
            "random: measured over 500 episodes; reference: the largest return there is (21 points to none)",
        ),
        preprocessing=(*_GREY, _SCORE),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[87]], "tolerance": 3},
        limits=_LIMITS,
        extra=_EXTRA,
        ends_at=last_frame,
    ),
    Task(
        name="PongSticky",
        env_id="symbench/PongSticky-v0",
        description="Pong with sticky actions and random openings: no two games are the same",
        metric=Metric(
            -20.36,
            21.0,
            "random: measured over 100 episodes; reference: the largest return there is (21 points to none)",
        ),
        preprocessing=(_GREY[0], "then 0 to 60 random actions", "sticky actions, 0.25 a frame", *_GREY[1:], _SCORE),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[87]], "tolerance": 3},
        limits=_LIMITS,
        extra=_EXTRA,
        agents_of="Pong",
    ),
    Task(
        name="PongRGB",
        env_id="symbench/PongRGB-v0",
        description="the same, 84x84 RGB frames",
        metric=_SAME,
        preprocessing=(*_GREY[:2], "84x84", _SCORE),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[144, 72, 17]], "tolerance": 3},
        limits=_LIMITS,
        extra=_EXTRA,
        ends_at=last_frame,
    ),
    Task(
        name="PongPlayfield",
        env_id="symbench/PongPlayfield-v0",
        description="the same, the court alone in 80x80 grey frames: nearly symmetric under a flip of rows",
        metric=_SAME,
        preprocessing=(*_GREY[:2], "rows 34-193 of the screen", "grey 80x80 by area"),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[87]], "tolerance": 3},
        limits=_LIMITS,
        extra=_EXTRA,
        ends_at=last_frame,
    ),
    Task(
        name="Breakout",
        env_id="symbench/Breakout-v0",
        description="knock bricks out of a wall with a ball, 5 lives, 84x84 grey frames",
        metric=Metric(
            1.16,
            None,
            "random: measured over 100 episodes; no reference",
        ),
        preprocessing=_GREY,
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[0]], "tolerance": 3},
        extra=_EXTRA,
    ),
)
