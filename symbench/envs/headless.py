"""Pictures on a Linux machine without a display."""

from __future__ import annotations

import os
import sys


def draw_without_display() -> None:
    """Where there is no display, have SDL and MuJoCo draw into memory, unless the environment's variables say how."""
    if sys.platform.startswith("linux") and not os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
        os.environ.setdefault("MUJOCO_GL", "egl")
