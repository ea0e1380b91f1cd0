"""Draws a few seconds of each task, as the simulator shows it."""

from __future__ import annotations

import io
import logging
import os
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from symbench.errors import SymbenchError, one_line
from symbench.runner.agents import load, resolve
from symbench.viz.panels import scale
from symbench.viz.replay import Replay, play
from symbench.zoo import bundled

if TYPE_CHECKING:
    from symbench.policies.agent import Agent

if sys.platform == "linux":
    os.environ.setdefault("MUJOCO_GL", "egl")  # needs no display

SEED: Final = 1_000_000
_SECONDS, _FPS = 2.4, 10
_TIMES: Final = 2  # then it stands still: what moves for longer would need a button that stops it
_HEIGHT: Final = 240  # pixels
_BEFORE: Final = 1.5  # seconds that are played before, in which cameras come closer and bodies fall to the ground

log = logging.getLogger(f"mkdocs.hooks.{__name__}")


@dataclass(frozen=True)
class Loop:
    """A WebP that moves and a PNG that does not, and who plays."""

    moving: bytes
    still: bytes
    agent: str


def loop(task: str) -> Loop | None:
    """The pictures of one task; ``None``, and a line that says why, where its environment cannot be made or drawn."""
    try:
        with closing(Replay(task, render=True)) as replay:
            agent = _player(replay)
            pictures = _pictures(replay, agent)
    except (SymbenchError, OSError, RuntimeError, AttributeError) as error:  # what drivers of displays raise, too
        log.info("gallery: %s is not drawn (%s)", task, one_line(error))
        return None
    return Loop(_file(pictures, "WEBP"), _file(pictures[-1:], "PNG"), agent.name)


def _pictures(replay: Replay, agent: Agent) -> list[Image.Image]:
    every = max(1, round(replay.fps / _FPS))
    wanted, before = round(_SECONDS * _FPS), round(_BEFORE * replay.fps)
    found = _drawn(replay, agent, before, every, wanted) or _drawn(replay, agent, 0, every, wanted)  # short episodes
    return [Image.fromarray(scale(each, _HEIGHT)) for each in found[-wanted:]]


def _drawn(replay: Replay, agent: Agent, before: int, every: int, wanted: int) -> list[Any]:
    agent.reset(1, seed=SEED)
    moments = play(replay, agent, SEED, before + wanted * every)
    return [
        replay.picture().copy()
        for moment in moments
        if moment.step >= before and (moment.step % every == 0 or moment.action is None)
    ]


def _player(replay: Replay) -> Agent:
    """The first bundled agent, or random play."""
    names = [*bundled(replay.task), "random"]
    source = resolve([names[0]], replay.task)[0]
    return load(source, replay.env.observation_space, replay.env.action_space)


def _file(pictures: list[Image.Image], kind: str) -> bytes:
    file = io.BytesIO()
    more: dict[str, Any] = {"save_all": True, "append_images": pictures[1:], "duration": 1000 // _FPS, "loop": _TIMES}
    pictures[0].save(file, kind, **({**more, "quality": 70, "method": 3} if kind == "WEBP" else {"optimize": True}))
    return file.getvalue()
