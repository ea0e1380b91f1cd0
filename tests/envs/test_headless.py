"""Pictures where there is no display, and no variable says how to draw."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
from symbench.tasks import get_task
env = get_task({task!r}).make(render_mode="rgb_array")
env.reset(seed=0)
print(env.render().std() > 1)
"""
VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "MUJOCO_GL")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere pictures need no display")
@pytest.mark.parametrize("task", ["Ant-v5", "CarRacing", "CartPole-v1"])
def test_tasks_are_drawn(task: str) -> None:
    bare = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(task=task)], env=bare, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True"], done.stderr
