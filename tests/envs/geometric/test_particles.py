"""Bodies in empty space: whole episodes turn with the scene, wind shows, forces are bounded in length."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

import symbench.envs  # noqa: F401
from symbench.envs.geometric.nbody_control import NBodyControlVectorEnv
from symbench.envs.geometric.particle_spread import ParticleSpreadEnv, ParticleSpreadVectorEnv
from symbench.envs.geometric.particles import WIND, uniform_in_ball, within_ball
from symbench.envs.geometric.pursuit import PursuitEnv, PursuitVectorEnv
from symbench.errors import SymbenchError
from symbench.symmetry import (
    DictRepresentation,
    DirectProduct,
    EntityRepresentation,
    PermutationGroup,
    euclidean,
    point_representation,
    vector_representation,
)
from tests.envs.same_episodes import assert_same_episodes

NAMES = ["ParticleSpread", "Pursuit", "NBodyControl"]


def scene(dim: int, agents: int, others: int) -> tuple[DictRepresentation, EntityRepresentation]:
    """E(d) x S_n x S_m on states and on forces."""
    space = euclidean(dim)
    group, bodies = DirectProduct(space, PermutationGroup((agents, others))), agents + others
    parts = {
        "positions": EntityRepresentation(group, point_representation(space), bodies),
        "velocities": EntityRepresentation(group, vector_representation(space), bodies),
        "attributes": EntityRepresentation(group, None, bodies),
    }
    return DictRepresentation(parts), EntityRepresentation(group, vector_representation(space), agents)


def largest_difference(name: str, dim: int, **kwargs: Any) -> float:
    """Between moved episodes and episodes of moved scenes, in positions and rewards, over 30 steps of 8 scenes."""
    first, second = (gym.make_vec(f"symbench/{name}-v0", 8, dim=dim, **kwargs).unwrapped for _ in range(2))
    first.reset(seed=0), second.reset(seed=0)
    states, forces = scene(dim, first.agents, len(first.kinds) - first.agents)
    elements = states.group.sample(np.random.default_rng(1), 8)
    second.state = states.apply(elements, first.state)
    worst = 0.0
    for pushes in np.random.default_rng(2).normal(size=(30, 8, first.agents, dim)):
        rewards, other = first.step(pushes)[1], second.step(forces.apply(elements, pushes))[1]
        expected = states.apply(elements, first.state)["positions"]
        worst = max(worst, np.abs(rewards - other).max(), np.abs(expected - second.state["positions"]).max())
    return worst


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("name", NAMES)
def test_episodes_move_with_the_scene_and_wind_breaks_that(name: str, dim: int) -> None:
    assert largest_difference(name, dim) < 1e-9
    assert largest_difference(name, dim, wind=1) > 1e-2


def test_long_forces_are_scaled_and_short_ones_are_not() -> None:
    vectors = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(within_ball(vectors), [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]])
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(within_ball(vectors @ turn.T), within_ball(vectors) @ turn.T)
    clipped = np.clip(vectors, -1, 1)
    assert np.abs(np.clip(vectors @ turn.T, -1, 1) - clipped @ turn.T).max() > 0.1


def test_first_positions_fill_the_ball_evenly() -> None:
    points = uniform_in_ball(np.random.default_rng(0), 20_000, 3)
    radii = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(np.quantile(radii, [0.125, 0.5, 1.0]), [0.5, 0.5 ** (1 / 3), 1.0], atol=0.01)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.02)


def test_wind_pushes_along_the_first_axis_by_its_severity() -> None:
    drift = []
    for wind in range(len(WIND)):
        env = ParticleSpreadEnv(wind=wind)
        env.reset(seed=0)
        before = env.state["positions"]
        env.step(np.zeros((3, 2)))
        drift.append(env.state["positions"] - before)
    np.testing.assert_allclose([each[:3, 0] for each in drift], np.array(WIND)[:, None] * 0.05 * np.ones(3))
    assert not np.any([each[:, 1] for each in drift]) and not np.any([each[3:] for each in drift])


@pytest.mark.parametrize("name", ["ParticleSpread", "Pursuit", "NBodyControl"])
def test_no_wind_is_the_task_to_the_last_bit(name: str) -> None:
    env_id = f"symbench/{name}-v0"
    calm, windless, windy = gym.make(env_id), gym.make(env_id, wind=0), gym.make(env_id, wind=1)
    seen = [env.reset(seed=0)[0] for env in (calm, windless, windy)]
    for _ in range(20):
        action = calm.action_space.sample()
        seen = [env.step(action)[:2] for env in (calm, windless, windy)]
    (first, reward), (second, same), (third, _) = seen
    assert reward == same and all(np.array_equal(first[key], second[key]) for key in first)
    assert not np.array_equal(first["positions"], third["positions"])


def test_from_west_scenes_are_the_usual_ones_with_agents_in_the_west_and_landmarks_in_the_east() -> None:
    usual, west = ParticleSpreadVectorEnv(200), ParticleSpreadVectorEnv(200, starts="west")
    anywhere = ParticleSpreadVectorEnv(200, starts="anywhere")
    for envs in (usual, west, anywhere):
        envs.reset(seed=0)
    before, after = usual.state["positions"], west.state["positions"]
    np.testing.assert_array_equal(anywhere.state["positions"], before)
    assert (after[:, :3, 0] < 0).all() and (after[:, 3:, 0] > 0).all()
    np.testing.assert_array_equal(np.abs(after[..., 0]), np.abs(before[..., 0]))
    np.testing.assert_array_equal(after[..., 1], before[..., 1])
    assert (before[:, :3, 0] > 0).mean() > 0.4
    assert_same_episodes(
        "symbench/ParticleSpread-v0", 3, AutoresetMode.SAME_STEP, steps=90, max_episode_steps=40, starts="west"
    )


def test_the_reward_of_spread_counts_distances_and_meetings() -> None:
    env = ParticleSpreadEnv()
    env.reset(seed=0)
    env.state = {"positions": [[0, 0], [0.1, 0], [3, 0], [0, 0], [0.1, 1], [3, -2]]}
    assert env.step(np.zeros((3, 2)))[1] == pytest.approx(-(0 + 1 + 2) / 3 - 0.5)


def test_evaders_flee_and_are_caught_by_whoever_is_near() -> None:
    env = PursuitEnv(pursuers=1)
    env.reset(seed=0)
    env.state = {"positions": [[0, 0], [0.1, 0]]}
    reward = env.step(np.zeros((1, 2)))[1]
    (x, y), velocity = env.state["positions"][1], env.state["velocities"][1]
    assert velocity[0] > 0 and y == 0
    assert reward == pytest.approx(1 - 0.1 * x)
    far = PursuitVectorEnv(1)
    far.reset(seed=0)
    far.state["positions"][0] = [[9, 0], [9, 1], [9, -1], [0, 0]]
    far.step(np.zeros((1, 3, 2)))
    assert far.state["velocities"][0, 3, 0] < 0


def test_targets_ask_for_their_charge() -> None:
    envs = NBodyControlVectorEnv(50, particles=4, dim=2)
    envs.reset(seed=0)
    charges = envs.state["attributes"][..., 0]
    np.testing.assert_array_equal(np.sort(charges[:, :4]), np.sort(charges[:, 4:]))
    assert set(charges.ravel().tolist()) == {-1.0, 1.0}
    envs.state["attributes"][0, :, 0] = [1, 1, -1, -1, 1, -1, 1, -1]
    envs.state["positions"][0] = [[0, 5], [0, 6], [9, 5], [9, 6], [9, 5], [0, 5], [0, 6], [9, 6]]
    # Targets 4 and 5 lie where particles of the other charge are: the nearest of theirs is 9 away.
    assert envs.rewards()[0] == pytest.approx(-(9 + 9 + 0 + 0) / 4)


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000), mode=st.sampled_from([AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]))
@pytest.mark.parametrize("name", NAMES)
def test_vector_plays_the_scalar_episodes(name: str, seed: int, mode: AutoresetMode) -> None:
    assert_same_episodes(f"symbench/{name}-v0", seed, mode, steps=90, max_episode_steps=40)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_the_checker_of_gymnasium_passes_and_pictures_show_every_body(name: str) -> None:
    env = gym.make(f"symbench/{name}-v0", render_mode="rgb_array")
    check_env(env.unwrapped)
    env.reset(seed=0)
    frame: Any = env.render()
    assert (frame.shape, frame.dtype) == ((480, 480, 3), np.uint8)
    bodies = env.unwrapped.state["positions"][:, :2]  # type: ignore[attr-defined]
    for x, y in bodies:
        row, column = round(239.5 - y / 2 * 239.5), round(239.5 + x / 2 * 239.5)
        near = frame[row - 22 : row + 23, column - 22 : column + 23].reshape(-1, 3)
        assert len(np.unique(near, axis=0)) > 1


def test_impossible_scenes_are_refused() -> None:
    with pytest.raises(SymbenchError, match="wind must be a severity from 0 to 5, received 6"):
        ParticleSpreadVectorEnv(wind=6)
    with pytest.raises(SymbenchError, match="dim must be 2 or 3"):
        PursuitVectorEnv(dim=4)
    with pytest.raises(SymbenchError, match="unknown starts 'east'"):
        ParticleSpreadVectorEnv(starts="east")
    with pytest.raises(SymbenchError, match="at least one agent and one other body"):
        PursuitVectorEnv(evaders=0)
