"""The true state of a simulator: what an agent's code may or may not know."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.symmetry.catalogue import CATALOGUE
from symbench.tasks import get_task
from symbench.training.controllers.pong import BALL_X, BALL_Y, PADDLE

if TYPE_CHECKING:
    from symbench.viz.replay import Replay

ENEMY_Y: Final = 50  # MEASURED: byte of Pong's memory
LOOK_AHEAD: Final = 20.0  # m of road over which CarRacing's curvature ahead is averaged
_TILE: Final = 3.5  # m between the points of CarRacing's track

_SENSORS: Final = {
    "CartPoleSwingUp": ("x (m)", "v (m/s)", "cos(angle)", "sin(angle)", "spin (rad/s)"),
    "CartPole-v1": ("x (m)", "v (m/s)", "angle (rad)", "spin (rad/s)"),
    "Pendulum-v1": ("cos(angle)", "sin(angle)", "spin (rad/s)"),
}
_PONG: Final = ("ball x", "ball y", "paddle y", "enemy y")
_ROAD: Final = ("speed (m/s)", "lateral offset (m)", "heading error (rad)", "curvature ahead (1/m)")


def sensor_names(replay: Replay) -> tuple[str, ...]:
    """What the sensors of a task are called, here or in the catalogue of symmetries; else they are numbered."""
    count, task = int(np.size(replay.original)), get_task(replay.task)
    declared = [each.components for each in CATALOGUE.get(task.env_id, ()) if each.kwargs == task.kwargs]
    known = (_SENSORS.get(replay.task, ()), *declared)
    numbered = tuple(f"sensor {i + 1}" for i in range(count))
    return next((names for names in known if len(names) == count), numbered)


def state_names(replay: Replay) -> tuple[str, ...]:
    """What :func:`state` returns, by name; empty for frames of an unknown game."""
    if not replay.is_frames:
        return sensor_names(replay)
    simulator: Any = replay.env.unwrapped
    if hasattr(simulator, "ram"):
        return _PONG
    return _ROAD if hasattr(simulator, "track") else ()


def state(replay: Replay) -> tuple[float, ...]:
    """The true state now, in the order of :func:`state_names`; NaN for what is not there, e.g. a ball between points.

    Vector tasks: the unperturbed sensors. Pong: pixels of the screen. CarRacing: metres, seconds, radians, left
    positive.
    """
    if not replay.is_frames:
        return tuple(float(value) for value in np.ravel(replay.original))
    simulator: Any = replay.env.unwrapped
    if hasattr(simulator, "ram"):
        return _pong(simulator.ram)
    return _car_racing(simulator) if hasattr(simulator, "track") else ()


def _pong(ram: Any) -> tuple[float, ...]:
    ball = (float(ram[BALL_X]), float(ram[BALL_Y])) if ram[BALL_Y] else (math.nan, math.nan)
    return (*ball, float(ram[PADDLE]), float(ram[ENEMY_Y]))


def _car_racing(env: Any) -> tuple[float, ...]:
    hull, track = env.car.hull, np.array(env.track)
    points, headings = track[:, 2:], track[:, 1]
    position, angle = np.array(hull.position), hull.angle
    nearest = int(np.square(points - position).sum(axis=1).argmin())
    # Gymnasium's headings and angles: 0 is north, left is positive.
    left = np.array([-math.cos(headings[nearest]), -math.sin(headings[nearest])])
    ahead = round(LOOK_AHEAD / _TILE)
    turn = _wrapped(headings[(nearest + ahead) % len(track)] - headings[nearest])
    forwards = np.array([-math.sin(angle), math.cos(angle)])
    speed = float(np.array(hull.linearVelocity) @ forwards)
    offset = float((position - points[nearest]) @ left)
    return speed, offset, _wrapped(angle - headings[nearest]), turn / (ahead * _TILE)


def _wrapped(angle: float) -> float:
    """An angle in radians between -pi and pi."""
    return (float(angle) + math.pi) % (2 * math.pi) - math.pi
