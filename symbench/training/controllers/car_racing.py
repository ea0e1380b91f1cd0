"""A driver for CarRacing that reads the simulator's state: the teacher of agents that see pictures.

Pure pursuit (Coulter 1992, "Implementation of the Pure Pursuit Path Tracking Algorithm") of the middle of the road with
feedback of the yaw rate, and a speed that the bends ahead allow. It is meant to be imitated from a few frames: what it
does is a smooth function of the 35 metres of road that the picture shows in front of the car and of the car's motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    import gymnasium as gym
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_TILE = 3.5  # m between the points of a track
_WHEELBASE = 3.24  # m
_BEND_TILES = 3  # curvature is measured from this many tiles before a point to as many after it
_SEEN_TILES = 8  # bends are looked for up to here; with the tiles after it this is what a frame shows


@dataclass(frozen=True)
class _Road:
    """The middle of a closed road, by place: a number of tiles along it, with a fraction."""

    points: Array  # (N, 2), m
    curvature: Array  # (N,), 1/m, never negative

    @classmethod
    def of(cls, track: list[tuple[float, float, float, float]]) -> _Road:
        """From Gymnasium's ``track``: tuples of polar angle, heading, x, y."""
        _, heading, x, y = np.array(track).T
        turned = np.roll(heading, -_BEND_TILES) - np.roll(heading, _BEND_TILES)
        turned = (turned + np.pi) % (2 * np.pi) - np.pi
        return cls(np.stack([x, y], axis=1), np.abs(turned) / (2 * _BEND_TILES * _TILE))

    def at(self, values: Array, places: Array | float) -> Array:
        """Values of ``points`` or ``curvature``, interpolated at places (...)."""
        tiles = np.floor(places).astype(int)
        part = (places - tiles).reshape(tiles.shape + (1,) * (values.ndim - 1))
        interpolated: Array = (1 - part) * values[tiles % len(values)] + part * values[(tiles + 1) % len(values)]
        return interpolated

    def nearest(self, position: Array) -> float:
        """The place nearest to a position (2,)."""
        tile = int(np.square(self.points - position).sum(axis=1).argmin())
        along = self.points[(tile + 1) % len(self.points)] - self.points[tile - 1]
        passed = (position - self.points[tile]) @ along / np.linalg.norm(along) / _TILE
        return tile + float(np.clip(passed, -0.5, 0.5))


@dataclass(frozen=True)
class _Motion:
    """The car's position (2,) in m, directions forwards and right (2,), forward speed in m/s, yaw rate in rad/s."""

    position: Array
    forwards: Array
    right: Array
    speed: float
    yaw_rate: float

    @classmethod
    def of(cls, hull: Any) -> _Motion:
        sin, cos = math.sin(hull.angle), math.cos(hull.angle)
        forwards, velocity = np.array([-sin, cos]), np.array(hull.linearVelocity)
        return cls(
            np.array(hull.position), forwards, np.array([cos, sin]), float(velocity @ forwards), hull.angularVelocity
        )


class CarRacingController:
    """Drives CarRacing (any environment whose ``unwrapped`` is Gymnasium's) from the state of its simulator.

    It has no memory and no randomness: the action is a function of where the car is and how it moves.
    At 70 m/s: return 918 on average and at least 904, laps of 816 steps on average and at most 963, within 4.4 m of the
    middle (seeds 0 to 29); with Gaussian noise of standard deviation .3 on steering and on gas minus brake, 872.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/CarRacing-v0")
        >>> _ = env.reset(seed=0)
        >>> CarRacingController()(env).shape
        (3,)
    """

    lateral_acceleration = 135.0  # m/s^2 accepted in bends; the tyres hold about 215
    deceleration = 60.0  # m/s^2 before bends
    crawl = 20.0  # m/s, the least it aims at, when the road lies beside or behind the car

    def __init__(self, speed: float = 70.0) -> None:
        """Make a driver.

        Args:
            speed: Aimed at where the road is straight, in m/s.

        Raises:
            SymbenchError: The speed is not between 20 and 100.
        """
        if not self.crawl <= speed <= 100:
            raise SymbenchError(f"speed must be between {self.crawl:g} and 100 m/s, received {speed!r}")
        self.speed = speed
        self.reset()

    def reset(self) -> None:
        """Forget the track of the last episode (a new one is also noticed without it)."""
        self._track: Any = None

    def __call__(self, env: gym.Env[Any, Any]) -> NDArray[np.float32]:
        """What to do now.

        Args:
            env: CarRacing, after ``reset``.

        Returns:
            Steering (-1 is left), gas and brake, shape (3,), float32. Gas is at most .7, brake .3, and one of them 0.

        Raises:
            SymbenchError: The environment is not CarRacing, or has not been reset.
        """
        road, motion = self._road_of(env), _Motion.of(env.unwrapped.car.hull)  # type: ignore[attr-defined]
        place = road.nearest(motion.position)
        ahead = (7.0 + 0.2 * max(motion.speed, 0.0)) / _TILE
        towards = road.at(road.points, place + ahead) - motion.position
        bearing = math.atan2(towards @ motion.right, towards @ motion.forwards)
        curvature = 2 * math.sin(np.clip(bearing, -math.pi / 2, math.pi / 2)) / max(math.hypot(*towards), 0.1)
        gas, brake = self._pedals(self._target_speed(road, place, bearing) - motion.speed)
        return np.array([self._steering(curvature, motion), gas, brake], dtype=np.float32)

    def _road_of(self, env: gym.Env[Any, Any]) -> _Road:
        track = getattr(env.unwrapped, "track", None)
        if track is None or getattr(env.unwrapped, "car", None) is None:
            raise SymbenchError(f"CarRacingController drives CarRacing after its reset(), received {env}")
        if track is not self._track:
            self._track, self._road = track, _Road.of(track)
        return self._road

    @staticmethod
    def _steering(curvature: float, motion: _Motion) -> float:
        """Towards the circle of that curvature (1/m, right is positive), damped by the yaw rate (left is positive)."""
        # The wheels turn by at most .4 rad at action .4; the factor makes up for the slip of the tyres.
        steering = 1.75 * math.atan(curvature * _WHEELBASE)
        return float(np.clip(steering + 0.04 * (curvature * motion.speed + motion.yaw_rate), -1.0, 1.0))

    def _target_speed(self, road: _Road, place: float, bearing: float) -> float:
        """The highest speed from which every bend ahead can be met, lower when the road is not in front, in m/s."""
        tiles = np.arange(_SEEN_TILES, dtype=np.float64)
        bends = np.maximum(road.at(road.curvature, tiles + place), 1e-3)
        distance = np.maximum(tiles * _TILE - 4.0, 0.0)
        allowed = np.sqrt(self.lateral_acceleration / bends + 2 * self.deceleration * distance).min()
        facing = self.speed * math.cos(min(1.5 * abs(bearing), math.pi / 2))
        return float(min(self.speed, allowed, max(self.crawl, facing)))

    @staticmethod
    def _pedals(missing: float) -> tuple[float, float]:
        """Gas and brake for a speed that is too low by ``missing`` m/s; 2 m/s too fast are left to roll out."""
        return min(max(0.1 * missing, 0.0), 0.7), min(max(-0.015 * (missing + 2.0), 0.0), 0.3)
