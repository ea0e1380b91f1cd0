"""The driver of CarRacing stays on the road, comes back to it, and does the same again."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.envs.car_racing import CarRacingEnv
from symbench.errors import SymbenchError
from symbench.training.controllers.car_racing import CarRacingController

ROAD_HALF_WIDTH = 40 / 6  # m


class Unseen(CarRacingEnv):
    """CarRacing without pictures: the controller needs none, and no camera."""

    _camera: Any = None

    def _render(self, mode: str) -> Any:
        return None


def off_centre(env: CarRacingEnv) -> float:
    """Distance to the nearest point of the track, in m."""
    points = np.array(env.track)[:, 2:]
    return float(np.linalg.norm(points - np.array(env.car.hull.position), axis=1).min())


def drive(env: CarRacingEnv, controller: CarRacingController, steps: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Actions (steps, 3), distances from the middle (steps,), return."""
    actions, distances, total = [], [], 0.0
    for _ in range(steps):
        actions.append(controller(env))
        _, reward, terminated, _, _ = env.step(actions[-1])
        distances.append(off_centre(env))
        total += reward
        if terminated:
            break
    return np.array(actions), np.array(distances), total


def misplace(env: CarRacingEnv, sideways: float, turn: float, speed: float) -> None:
    """Put the car beside the first tile, turned, rolling at that speed."""
    _, heading, x, y = env.track[0]
    angle, hull = heading + turn, env.car.hull
    centre, rotation = np.array(hull.position), angle - hull.angle
    cos, sin = math.cos(rotation), math.sin(rotation)
    there = np.array([x + sideways * math.cos(heading), y + sideways * math.sin(heading)])
    for body in (hull, *env.car.wheels):
        offset = np.array([[cos, -sin], [sin, cos]]) @ (np.array(body.position) - centre)
        body.position, body.angle = tuple((there + offset).tolist()), body.angle + rotation
        body.linearVelocity, body.angularVelocity = (-math.sin(angle) * speed, math.cos(angle) * speed), 0.0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_lap_stays_on_the_road_and_scores_above_900(seed: int) -> None:
    env = Unseen()
    env.reset(seed=seed)
    _, distances, total = drive(env, CarRacingController(), 1000)
    assert distances.max() < ROAD_HALF_WIDTH
    assert env.tile_visited_count == len(env.track)
    assert total > 900


def test_actions_are_moderate_and_smooth() -> None:
    env = Unseen()
    env.reset(seed=2)
    actions, _, _ = drive(env, CarRacingController(), 400)
    assert actions.dtype == np.float32
    assert all(env.action_space.contains(action) for action in actions)
    assert actions[:, 1].max() <= np.float32(0.7)
    assert actions[:, 2].max() <= np.float32(0.3)
    assert not (actions[:, 1:] > 0).all(axis=1).any()
    assert np.abs(np.diff(actions[:, 0])).mean() < 0.02


def test_it_drives_pictures_and_wrappers_alike_and_has_no_memory() -> None:
    seen, unseen = gym.make("symbench/CarRacing-v0"), Unseen()
    seen.reset(seed=3)
    unseen.reset(seed=3)
    used = CarRacingController()
    drive(unseen, used, 30)
    unseen.reset(seed=3)
    for _ in range(30):
        action = used(unseen)
        np.testing.assert_array_equal(action, CarRacingController()(seen))
        seen.step(action)
        unseen.step(action)


@pytest.mark.parametrize(
    ("sideways", "turn", "speed"), [(15.0, 0.0, 0.0), (-12.0, -1.6, 20.0), (4.0, 2.5, 10.0), (-18.0, 1.2, 30.0)]
)
def test_it_returns_to_the_road(sideways: float, turn: float, speed: float) -> None:
    env = Unseen()
    env.reset(seed=5)
    misplace(env, sideways, turn, speed)
    _, distances, _ = drive(env, CarRacingController(), 250)
    assert distances[150:].max() < ROAD_HALF_WIDTH


def test_noise_is_corrected() -> None:
    env, controller, rng = Unseen(), CarRacingController(), np.random.default_rng(0)
    env.reset(seed=1)
    distances = []
    for _ in range(400):
        action = controller(env) + np.array([0.3, 0.0, 0.0]) * rng.standard_normal(3)
        env.step(np.clip(action, -1, 1).astype(np.float32))
        distances.append(off_centre(env))
    assert max(distances) < ROAD_HALF_WIDTH


def test_speed_is_as_asked() -> None:
    visited = []
    for speed in (40.0, 80.0):
        env = Unseen()
        env.reset(seed=0)
        drive(env, CarRacingController(speed), 300)
        visited.append(env.tile_visited_count)
    assert visited[1] > 1.3 * visited[0]


def test_mistakes_are_said() -> None:
    with pytest.raises(SymbenchError, match="between 20 and 100 m/s, received 500"):
        CarRacingController(500)
    for env in (gym.make("CartPole-v1"), Unseen()):
        with pytest.raises(SymbenchError, match="CarRacing after its reset"):
            CarRacingController()(env)
