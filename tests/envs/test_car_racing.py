"""CarRacing: CarRacing-v3's pixels, rewards and endings, grey or in colour."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.box2d import car_racing as original
from gymnasium.utils.env_checker import check_env

import symbench.envs  # noqa: F401
from symbench.envs.car_racing import GRASS_GREY, GRASS_RGB, INDICATOR_ROWS, SIZE, CarRacingEnv, grey
from symbench.tasks import TASKS

Policy = Callable[[int, np.random.Generator], list[float]]
GREY, RGB = "symbench/CarRacing-v0", "symbench/CarRacingRGB-v0"


def swerving(step: int, rng: np.random.Generator) -> list[float]:
    """Full steering to alternating sides: kerbs, skids and grass."""
    return [1.0 if step // 15 % 2 else -1.0, 0.6, 0.0]


def erratic(step: int, rng: np.random.Generator) -> list[float]:
    return [rng.uniform(-1, 1), rng.uniform(0, 1), float(rng.random() < 0.1)]


def straight_out(step: int, rng: np.random.Generator) -> list[float]:
    """Full gas over the edge of the field, as fast as the car gets: the tallest indicators, and the view beyond."""
    return [0.0, 1.0, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "seed", "steps"), [(swerving, 3, 150), (erratic, 11, 150), (straight_out, 6, 190)])
def test_pixels_rewards_and_endings_are_those_of_car_racing_v3(policy: Policy, seed: int, steps: int) -> None:
    original = gym.make("CarRacing-v3")
    colour, luma = gym.make(RGB), gym.make(GREY)
    rng = np.random.default_rng(seed)
    frames = [env.reset(seed=seed)[0] for env in (original, colour, luma)]
    for step in range(steps):
        np.testing.assert_array_equal(frames[1], frames[0])
        masked = grey(frames[0])
        masked[-INDICATOR_ROWS:] = 0  # so nothing that the grey form does not draw reaches the rows above
        np.testing.assert_array_equal(frames[2][..., 0], masked)
        action = np.array(policy(step, rng), dtype=np.float32)
        frames, *outcomes = zip(*(env.step(action) for env in (original, colour, luma)), strict=True)
        for outcome in outcomes[:-1]:  # rewards, terminated, truncated
            assert outcome[1] == outcome[2] == outcome[0]
        assert [{**info, "camera": None} for info in outcomes[-1]] == [{**outcomes[-1][0], "camera": None}] * 3
        if outcomes[1][0]:
            break
    assert outcomes[1][0] == (policy is straight_out)


def test_a_frame_differs_when_the_drawing_does() -> None:
    """The negative control of the identity: another colour of the grass is seen."""
    frames = []
    for green in (230, 240):
        env = CarRacingEnv(grey=False)
        env.grass_color = np.array([102, green, 102])
        frames.append(env.reset(seed=0)[0])
    assert (frames[0] != frames[1]).mean() > 0.05


def test_rendered_pictures_are_gymnasiums_and_do_not_disturb() -> None:
    original, plain = gym.make("CarRacing-v3", render_mode="rgb_array"), gym.make(RGB)
    rendered = gym.make(RGB, render_mode="rgb_array")
    for env in (original, plain, rendered):
        env.reset(seed=4)
    for _ in range(12):
        action = np.array([0.3, 0.5, 0.0], np.float32)
        original.step(action)
        np.testing.assert_array_equal(rendered.step(action)[0], plain.step(action)[0])
        np.testing.assert_array_equal(rendered.render(), original.render())


@pytest.mark.parametrize("name", [GREY, RGB])
def test_gymnasium_accepts_it(name: str) -> None:
    check_env(gym.make(name).unwrapped)


def test_equal_seeds_play_equal_episodes_in_fresh_arrays() -> None:
    env, copy = CarRacingEnv(), pickle.loads(pickle.dumps(CarRacingEnv()))
    action = np.array([0.1, 0.4, 0.0], np.float32)
    first = [env.reset(seed=7)[0], *(env.step(action)[0] for _ in range(10))]
    again = [copy.reset(seed=7)[0], *(copy.step(action)[0] for _ in range(10))]
    np.testing.assert_array_equal(first, again)
    assert not any(np.shares_memory(a, b) for a, b in itertools.pairwise(first))
    assert (first[0] != env.reset(seed=8)[0]).any()


@pytest.mark.parametrize("size", [(0, 3), (96, 96, 3), (50_000, 3)])
def test_grey_is_opencvs(size: tuple[int, ...]) -> None:
    cv2 = pytest.importorskip("cv2")
    rgb = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    if rgb.size:
        flat = rgb.reshape(-1, 1, 3)
        np.testing.assert_array_equal(grey(rgb).ravel(), cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY).ravel())
    assert grey(rgb).shape == size[:-1]


def test_grass_has_the_documented_colours() -> None:
    colour, luma = CarRacingEnv(grey=False), CarRacingEnv()
    frames = [env.reset(seed=0)[0] for env in (colour, luma)]
    for _ in range(60):  # the zoom of the first second blends the patches
        frames = [env.step(np.array([0.0, 0.2, 0.0], np.float32))[0] for env in (colour, luma)]
    of_grass = (frames[0][..., None, :] == np.array(GRASS_RGB)).all(axis=-1)
    assert of_grass.any(axis=(0, 1)).all()
    assert of_grass[:-INDICATOR_ROWS].any(axis=-1).mean() > 0.5
    assert set(frames[1][of_grass.any(axis=-1)].ravel().tolist()) == set(GRASS_GREY)


@pytest.mark.parametrize("name", [GREY, RGB])
def test_the_camera_says_which_piece_of_the_ground_a_pixel_shows(name: str) -> None:
    """The lighter patches of grass are drawn where they should lie, as the car drives, turns and the view zooms in."""
    env, rng = gym.make(name), np.random.default_rng(0)
    observation, info = env.reset(seed=1)
    light, dark = (GRASS_GREY[1], GRASS_GREY[0]) if name == GREY else (GRASS_RGB[1], GRASS_RGB[0])
    for step in range(120):
        if step % 20 == 19:
            rows, columns = np.indices((SIZE - INDICATOR_ROWS, SIZE)).reshape(2, -1)
            ground = info["camera"] @ [rows, columns, np.ones_like(rows)]
            across, down = 16.2 * 96 / 1000, 16.2 * 96 / 800  # pixels per unit: the usual zoom, the frame shrunk
            x, y = ground[1] / across, -ground[0] / down
            cell = original.GRASS_DIM
            expected = (np.floor(x / cell) % 2 == 0) & (np.floor(y / cell) % 2 == 0)
            shown = observation[rows, columns]
            is_light, is_dark = (shown == light).all(axis=1), (shown == dark).all(axis=1)
            assert is_light.any() and is_dark.any()
            assert (expected == is_light)[is_light | is_dark].mean() > 0.997
        observation, *_, info = env.step(np.array(swerving(step, rng), np.float32))


def test_without_box2d_the_package_imports_and_the_remedy_is_said() -> None:
    code = (
        "import sys; sys.modules['Box2D'] = None\n"
        "import gymnasium as gym, symbench.envs\n"
        "try: gym.make('symbench/CarRacing-v0')\n"
        "except gym.error.DependencyNotInstalled as error: print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'symbench[box2d]'" in out


def test_the_tasks_name_the_grass_as_their_background() -> None:
    assert TASKS["CarRacing"].background["colors"] == [[level] for level in GRASS_GREY]
    assert TASKS["CarRacingRGB"].background["colors"] == [list(color) for color in GRASS_RGB]
