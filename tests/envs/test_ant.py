"""Ant: Ant-v5's episodes, seen through the 28 sensors of the paper."""

from __future__ import annotations

import math
import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import symbench.envs  # noqa: F401
from symbench.envs.ant import LARGEST, NAMES, AntEnv, roll_pitch_yaw
from symbench.testing import check_wrapper
from symbench.wrappers import ShuffleSensors
from symbench.zoo import load_published

HEADING = [NAMES.index(name) for name in ("sine-to-target", "cosine-to-target")]
CONTACTS = [i for i, name in enumerate(NAMES) if name.endswith("contact")]


@pytest.fixture
def ant() -> AntEnv:
    env = AntEnv()
    env.reset(seed=0)
    return env


def sensor(observation: np.ndarray, name: str) -> float:
    return float(observation[NAMES.index(name)])


def turned(env: AntEnv, angle: float) -> np.ndarray:
    """What the ant sees where its whole world is turned about the vertical through the origin."""
    positions, velocities = env.data.qpos.copy(), env.data.qvel.copy()
    (c, s), (w, x, y, z) = (math.cos(angle), math.sin(angle)), positions[3:7].copy()
    half_c, half_s = math.cos(angle / 2), math.sin(angle / 2)
    rotation = np.array([[c, -s], [s, c]])
    positions[:2], velocities[:2] = rotation @ positions[:2], rotation @ velocities[:2]
    positions[3:7] = half_c * w - half_s * z, half_c * x - half_s * y, half_c * y + half_s * x, half_c * z + half_s * w
    env.set_state(positions, velocities)
    return env._get_obs()


def test_rewards_and_endings_are_those_of_ant_v5() -> None:
    ours, theirs = gym.make("symbench/Ant-v0"), gym.make("Ant-v5")
    ours.reset(seed=5), theirs.reset(seed=5)
    rng, ended = np.random.default_rng(0), False
    while not ended:
        action = rng.uniform(-1, 1, 8).astype(np.float32)
        seen, *told = ours.step(action)
        *same, _ = theirs.step(action)[1:]
        assert told[:3] == same
        assert seen.shape == (28,) and seen.dtype == np.float32 and np.abs(seen).max() <= LARGEST
        ended = told[1] or told[2]


def test_a_turned_world_changes_the_direction_of_the_target_alone(ant: AntEnv) -> None:
    ant.action_space.seed(0)
    for _ in range(10):
        ant.step(ant.action_space.sample())
    before, after = turned(ant, 0.0), turned(ant, 0.7)
    others = [i for i in range(28) if i not in HEADING]
    np.testing.assert_allclose(after[others], before[others], atol=1e-5)
    angle = math.atan2(*after[HEADING]) - math.atan2(*before[HEADING])
    assert angle == pytest.approx(-0.7, abs=0.01)  # the target is not at infinity


def test_speeds_are_told_in_the_frame_of_the_heading(ant: AntEnv) -> None:
    positions, velocities = ant.init_qpos.copy(), np.zeros(14)
    positions[3:7] = math.cos(math.pi / 4), 0, 0, math.sin(math.pi / 4)  # looking along y
    velocities[:3] = 1.0, 2.0, 3.0
    ant.set_state(positions, velocities)
    speeds = [sensor(ant._get_obs(), f"{name}-speed") for name in ("forward", "sideward", "upward")]
    np.testing.assert_allclose(speeds, [0.6, -0.3, 0.9], atol=1e-6)


def test_joints_are_at_one_where_they_stop_and_order_is_that_of_the_names(ant: AntEnv) -> None:
    positions, velocities = ant.init_qpos.copy(), np.zeros(14)
    low, high = ant.model.jnt_range[1:].T
    positions[7:] = (low + high) / 2
    positions[7 + 2], positions[7 + 5], velocities[6 + 7] = high[2], low[5], 4.0
    ant.set_state(positions, velocities)
    seen = ant._get_obs()
    told = {name: float(value) for name, value in zip(NAMES[8:24], seen[8:24], strict=True) if abs(value) > 1e-6}
    assert told == pytest.approx({"hip-2-angle": 1.0, "ankle-3-angle": -1.0, "ankle-4-speed": 0.4})


def test_feet_tell_whether_they_are_on_the_floor_and_height_counts_from_the_start(ant: AntEnv) -> None:
    for _ in range(80):
        standing = ant.step(np.zeros(8, np.float32))[0]
    assert standing[CONTACTS].all()
    ant.set_state(ant.data.qpos + np.eye(15)[2], ant.data.qvel * 0)
    lifted = ant._get_obs()
    assert not lifted[CONTACTS].any()
    assert sensor(lifted, "height") == pytest.approx(sensor(standing, "height") + 1, abs=1e-5)
    assert sensor(ant.reset(seed=1)[0], "height") == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_angles_are_those_about_the_fixed_axes(axis: int) -> None:
    quaternion = 3 * np.array([math.cos(0.2), *(math.sin(0.2) * np.eye(3)[axis])])
    assert roll_pitch_yaw(quaternion) == pytest.approx(tuple(0.4 * np.eye(3)[axis]))


def test_it_keeps_what_environments_and_wrappers_promise() -> None:
    env = gym.make("symbench/Ant-v0").unwrapped
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*infinity")  # as Gymnasium's own Ant
        check_env(env, skip_render_check=True)
    assert pickle.loads(pickle.dumps(env)).observation_space == env.observation_space
    check_wrapper(ShuffleSensors, lambda: gym.make("symbench/Ant-v0"), resample=10)


@pytest.mark.reference
@pytest.mark.skipif("SYMBENCH_REFERENCE" not in os.environ, reason="SYMBENCH_REFERENCE is not set")
def test_the_published_agent_reads_these_sensors() -> None:
    """It was trained on another body in another simulator: it need not run, but its actions answer to what it sees."""
    folder = Path(os.environ["SYMBENCH_REFERENCE"]) / "attention_neuron"
    agent: Any = load_published("ant_pi", folder / "ant_pi.weights.npz")
    env = gym.make("symbench/Ant-v0")
    observation, _ = env.reset(seed=0)
    actions = []
    for _ in range(50):
        actions.append(agent.act(observation))
        observation, *_ = env.step(actions[-1])
    assert np.shape(actions) == (50, 8) and np.std(actions, axis=0).min() > 0.05
