"""How a group acts on the state of Box2D's environments: the bodies, and what the environment itself remembers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.symmetry.simulators.base import Simulator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.symmetry.simulators.base import Env

_MOON_WIDTH: Final = 20.0  # m, LunarLander's VIEWPORT_W / SCALE


@dataclass(frozen=True)
class _Motion:
    """Where a body is and how it moves, in the plane."""

    position: tuple[float, float]
    angle: float
    velocity: tuple[float, float]
    spin: float

    @classmethod
    def of(cls, body: Any) -> _Motion:
        return cls(tuple(body.position), body.angle, tuple(body.linearVelocity), body.angularVelocity)

    def mirrored(self, width: float) -> _Motion:
        """Seen in a mirror at x = width / 2."""
        (x, y), (x_dot, y_dot) = self.position, self.velocity
        return _Motion((width - x, y), -self.angle, (-x_dot, y_dot), -self.spin)

    def give_to(self, body: Any) -> None:
        body.position, body.angle = self.position, self.angle
        body.linearVelocity, body.angularVelocity = self.velocity, self.spin


class LunarLanderState(Simulator):
    """For LunarLander without wind: moon, lander, legs and all random draws are mirrored."""

    def begin(self, first: Env, second: Env, element: Any, seed: int) -> None:
        """See :meth:`Simulator.begin`."""
        first.unwrapped.np_random = np.random.default_rng(seed)
        second.unwrapped.np_random = _MirroredDraws(seed)  # type: ignore[assignment]
        first.reset()
        second.reset()

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        source: Any = first.unwrapped
        target: Any = second.unwrapped
        bodies = [source.lander, *source.legs[::-1]]
        for body, twin in zip(bodies, [target.lander, *target.legs], strict=True):
            _Motion.of(body).mirrored(_MOON_WIDTH).give_to(twin)
        for leg, twin in zip(source.legs[::-1], target.legs, strict=True):
            twin.ground_contact = leg.ground_contact
        target.prev_shaping, target.game_over = source.prev_shaping, source.game_over


class _MirroredDraws:
    """What LunarLander draws, as its mirror image would draw it.

    It draws 12 heights of the moon, of which the first 11 stand from left to right; the start's force along x and y;
    then at every step an engine's dispersion forwards and sideways.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)
        self._numbers = 0

    def uniform(self, low: float, high: float, size: tuple[int] | None = None) -> float | NDArray[np.float64]:
        if size is not None:
            self._numbers = 0
            heights = self._generator.uniform(low, high, size)
            return np.concatenate([heights[-2::-1], heights[-1:]])
        drawn, i = self._generator.uniform(low, high), self._numbers
        self._numbers += 1
        return -drawn if i == 0 or (i > 2 and i % 2) else drawn


class BipedalWalkerState(Simulator):
    """For BipedalWalker: the two legs change place."""

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        source: Any = first.unwrapped
        target: Any = second.unwrapped
        legs = source.legs[2:] + source.legs[:2]  # each an upper and a lower part
        for body, twin in zip([source.hull, *legs], [target.hull, *target.legs], strict=True):
            _Motion.of(body).give_to(twin)
        for leg, twin in zip(legs[1::2], target.legs[1::2], strict=True):
            twin.ground_contact = leg.ground_contact
        target.prev_shaping, target.game_over = source.prev_shaping, source.game_over


class _Tiles(set[Any]):
    """The tiles under a wheel: a contact may end that the other environment has never had."""

    remove = set.discard


class CarRacingState(Simulator):
    """For CarRacing: car and track are mirrored at x = 0; the lighter patches of grass stay where they are."""

    def begin(self, first: Env, second: Env, element: Any, seed: int) -> None:
        """See :meth:`Simulator.begin`."""
        super().begin(first, second, element, seed)
        _mirror_track(second.unwrapped)

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        source: Any = first.unwrapped
        target: Any = second.unwrapped
        for name in ("t", "reward", "prev_reward", "tile_visited_count", "new_lap"):
            setattr(target, name, getattr(source, name))
        for tile, twin in zip(source.road, target.road, strict=True):
            twin.road_visited, twin.color[:] = tile.road_visited, tile.color
        _Motion.of(source.car.hull).mirrored(0.0).give_to(target.car.hull)
        for wheel, i in zip(target.car.wheels, (1, 0, 3, 2), strict=True):
            _mirror_wheel(source.car.wheels[i], wheel, target.road)


def _mirror_wheel(wheel: Any, twin: Any, road: list[Any]) -> None:
    _Motion.of(wheel).mirrored(0.0).give_to(twin)
    for name in ("gas", "brake", "phase", "omega"):
        setattr(twin, name, getattr(wheel, name))
    twin.steer = -wheel.steer
    twin.tiles = _Tiles(road[tile.idx] for tile in wheel.tiles)


def _mirror_track(env: Any) -> None:
    """Put mirrored tiles in the place of those that the environment has made."""
    env.road = [_mirrored_tile(env, tile) for tile in env.road]
    env.road_poly = [([(-x, y) for x, y in corners], colour) for corners, colour in env.road_poly]
    if hasattr(env, "_corners"):  # symbench/CarRacing-v0 draws from an array, in which the grass comes first
        env._corners[0, :, -len(env.road_poly) :] *= -1


def _mirrored_tile(env: Any, tile: Any) -> Any:
    env.fd_tile.shape.vertices = [(-x, y) for x, y in tile.fixtures[0].shape.vertices]
    twin = env.world.CreateStaticBody(fixtures=env.fd_tile)
    twin.userData = twin
    for name in ("color", "road_visited", "road_friction", "idx"):
        setattr(twin, name, getattr(tile, name))
    twin.fixtures[0].sensor = True
    env.world.DestroyBody(tile)
    return twin
