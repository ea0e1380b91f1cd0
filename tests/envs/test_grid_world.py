"""The grid world: the published rules, an exact symmetry on the full tables, the same episodes in both forms."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import symbench.envs  # noqa: F401
from symbench.envs.grid_world import (
    CAUGHT,
    MOVES,
    PICTURES,
    PREY_MOVES,
    REWARDS,
    SIZE,
    GridWorldEnv,
    GridWorldVectorEnv,
    move,
    relative,
)
from symbench.symmetry import ActionPermutation, GridRepresentation, SymmetryPair, dihedral
from symbench.tasks import get_task

ID = "symbench/GridWorld-v0"
D4 = dihedral(4)
PAIR = SymmetryPair(
    observation=GridRepresentation(D4, ["turn", "flip-columns"]),
    action=ActionPermutation(D4, [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]),
)
STATES = np.arange(SIZE * SIZE)


def tables() -> tuple[np.ndarray, np.ndarray]:
    """T(s'|s, a), shape (49, 5, 49), and R(s, a, s'), which depends on s' alone, shape (49,)."""
    transition = np.zeros((len(STATES), len(MOVES), len(STATES)))
    chances = [1 - PREY_MOVES, *[PREY_MOVES / 4] * 4]
    for s in STATES:
        agent = np.array([*divmod(s, SIZE), SIZE // 2, SIZE // 2])
        assert relative(agent) == s
        for a in range(len(MOVES)):
            for prey_action, chance in enumerate(chances):
                transition[s, a, relative(move(agent, a, prey_action))] += chance
    return transition, np.where(STATES == CAUGHT, REWARDS[1], REWARDS[0])


def moved_states(g: int, pair: SymmetryPair = PAIR) -> np.ndarray:
    """L_g on state numbers, read off the pictures."""
    moved = pair.observation.apply(g, PICTURES)
    same = (moved[:, None] == PICTURES).all(axis=(2, 3, 4))
    assert (same.sum(axis=1) == 1).all()
    return same.argmax(axis=1)


def test_every_state_has_its_own_picture() -> None:
    assert PICTURES.shape == (49, 21, 21, 1)
    assert len(np.unique(PICTURES.reshape(49, -1), axis=0)) == 49
    assert set(PICTURES.ravel().tolist()) == {0, 255}
    assert PICTURES[CAUGHT].sum() == 5 * 255  # the agent hides the prey


@pytest.mark.parametrize("g", D4.elements)
def test_transition_and_reward_are_invariant_on_the_full_tables(g: int) -> None:
    transition, reward = tables()
    np.testing.assert_allclose(transition.sum(axis=2), 1.0)
    state, action = moved_states(g), PAIR.action.apply(g, np.arange(5))
    np.testing.assert_array_equal(transition[np.ix_(state, action, state)], transition)
    np.testing.assert_array_equal(reward[state], reward)


def test_a_wrong_action_map_is_no_symmetry() -> None:
    transition, _ = tables()
    wrong = ActionPermutation(D4, [[0, 4, 1, 2, 3], [0, 1, 4, 3, 2]])  # clockwise, pictures turn counter-clockwise
    state, action = moved_states(1), wrong.apply(1, np.arange(5))
    assert np.abs(transition[np.ix_(state, action, state)] - transition).max() > 0.5


def test_the_square_makes_10_orbits_of_49_states() -> None:
    orbits = {frozenset(int(moved_states(g)[s]) for g in D4.elements) for s in STATES}
    assert len(orbits) == 10
    assert sorted(map(len, orbits)) == [1, 4, 4, 4, 4, 4, 4, 8, 8, 8]


def transformed(g: int, state: np.ndarray) -> np.ndarray:
    """g on the positions of agent and prey, as the module's page says."""
    turns, flips = g % 4, g // 4
    for _ in range(flips):
        state = state * [1, -1, 1, -1]
    for _ in range(turns):
        state = np.array([-state[1], state[0], -state[3], state[2]])
    return state


@pytest.mark.parametrize("g", D4.elements)
def test_random_rollouts_are_bit_equal_under_the_group(g: int) -> None:
    plain, mirrored = GridWorldEnv(), GridWorldEnv()
    mirrored.prey_map = PAIR.action.maps[g]
    rng = np.random.default_rng(g)
    for seed in range(25):
        plain.reset(seed=seed), mirrored.reset(seed=seed)
        mirrored.state = transformed(g, plain.state)
        for action in rng.integers(5, size=40):
            seen, *said, _ = plain.step(action)
            expected = PAIR.observation.apply(g, seen[None])[0]
            seen, *also_said, _ = mirrored.step(PAIR.action.apply(g, np.array([action]))[0])
            np.testing.assert_array_equal(seen, expected)
            assert said == also_said


def test_positions_start_uniform_and_may_coincide() -> None:
    envs = GridWorldVectorEnv(10_000)
    envs.reset(seed=0)
    counts = np.bincount(relative(envs.state), minlength=49)
    assert np.abs(counts / 10_000 - 1 / 49).max() < 5 * np.sqrt(1 / 49 / 10_000)
    for row in envs.state:
        assert np.abs(np.bincount(row, minlength=7) / 10_000 - 1 / 7).max() < 0.02


def test_the_prey_moves_seldom_and_in_all_directions() -> None:
    envs = GridWorldVectorEnv(1000)
    envs.reset(seed=1)
    steps = []
    for _ in range(99):  # an episode may end meanwhile, which does not disturb the others
        before, running = envs.state[2:], ~envs.ended
        envs.step(np.zeros(1000, np.int64))
        steps.append(((envs.state[2:] - before + 3) % 7 - 3)[:, running])
    step = np.concatenate(steps, axis=1)
    shares = [(step == each[:, None]).all(axis=0).mean() for each in MOVES]
    np.testing.assert_allclose(shares, [0.85, 0.0375, 0.0375, 0.0375, 0.0375], atol=0.004)


def test_rewards_and_the_end() -> None:
    env = gym.make(ID)
    env.reset(seed=0)
    env.unwrapped.prey_map = np.zeros(5, np.int64)  # a prey that stays
    env.unwrapped.state = [3, 3, 5, 3]
    assert env.step(1)[1:4] == (-0.1, False, False)
    assert env.step(1)[1:4] == (1.0, True, False)
    env.reset(seed=1)
    env.unwrapped.state = [0, 0, 0, 3]
    ends = [env.step(0)[2:4] for _ in range(100)]
    assert ends[-2:] == [(False, False), (False, True)]


def scalar_episodes(seed: int, actions: np.ndarray, reset_costs_a_step: bool, limit: int) -> list[np.ndarray]:
    """What a scalar environment with automatic resets shows, row by row."""
    env = gym.make(ID, max_episode_steps=limit)
    rows, ended = [env.reset(seed=seed)[0]], False
    for action in actions:
        if ended and reset_costs_a_step:
            rows.append(env.reset()[0])
            ended = False
            continue
        observation, *_ = outcome = env.step(action)
        ended = outcome[2] or outcome[3]
        rows.append(env.reset()[0] if ended and not reset_costs_a_step else observation)
    return rows


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    mode=st.sampled_from([AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]),
    limit=st.sampled_from([20, 100, 250]),  # 250: the prey's moves are drawn more than once an episode
)
def test_vector_plays_the_scalar_episodes_bit_for_bit(seed: int, mode: AutoresetMode, limit: int) -> None:
    envs = gym.make_vec(ID, 3, autoreset_mode=mode, max_episode_steps=limit)
    actions = np.random.default_rng(seed).integers(5, size=(600, 3))
    actions[:, 0] = 0  # this one lasts long
    rows = [envs.reset(seed=seed)[0], *(envs.step(action)[0] for action in actions)]
    for i in range(3):
        expected = scalar_episodes(seed + i, actions[:, i], mode == AutoresetMode.NEXT_STEP, limit)
        np.testing.assert_array_equal(np.array(rows)[:, i], np.array(expected))


def test_constants_are_the_exact_returns_of_random_and_best_play() -> None:
    transition, reward = tables()

    def value(choose: str) -> float:
        values = np.zeros(49)
        for _ in range(100):
            values = getattr(transition @ (reward + np.where(STATES == CAUGHT, 0.0, values)), choose)(axis=1)
        return float(values.mean())  # of uniform first states

    task = get_task("GridWorld")
    assert task.metric.random_return == pytest.approx(value("mean"), abs=0.005)
    assert task.metric.reference_return == pytest.approx(value("max"), abs=0.005)


@pytest.mark.filterwarnings("ignore:.*The minimal resolution:UserWarning")
def test_gymnasium_and_sb3_checkers_pass() -> None:
    check_env(gym.make(ID, render_mode="rgb_array").unwrapped)
    check_env_sb3(GridWorldEnv())


def test_rendering_shows_agent_and_prey_where_they_are() -> None:
    env = GridWorldEnv(render_mode="rgb_array")
    env.reset(seed=0)
    env.state = [1, 2, 6, 0]
    frame = env.render()
    assert frame is not None
    assert (frame.shape, frame.dtype) == ((420, 420, 3), np.uint8)
    for colour, (row, column) in (((0, 114, 178), (1, 2)), ((230, 159, 0), (6, 0))):
        where = np.argwhere((frame == colour).all(axis=2))
        np.testing.assert_array_equal(np.unique(where // 60, axis=0), [[row, column]])


@pytest.mark.parametrize("make", [GridWorldEnv, GridWorldVectorEnv])
def test_wrong_render_mode_is_refused_by_grid_worlds(make: type) -> None:
    with pytest.raises(ValueError, match="human"):
        make(render_mode="human")


def test_reading_the_state_before_reset_is_refused() -> None:
    with pytest.raises(gym.error.ResetNeeded):
        _ = GridWorldEnv().state
