"""The swing-up task: the published equations, the same episodes in both forms, pictures."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import symbench.envs  # noqa: F401
from symbench.envs.cartpole_swingup import CartPoleSwingUpEnv, CartPoleSwingUpVectorEnv, advance

ID = "symbench/CartPoleSwingUp-v0"


def published_step(state: list[float], action: float) -> list[float]:
    """The equations of the paper's task, scalar and as written there."""
    x, xd, th, thd = state
    g, m_cart, m_pole, length, b, dt = 9.82, 0.5, 0.5, 0.6, 0.1, 0.01
    m_pl, total, force = m_pole * length, m_cart + m_pole, 10 * min(max(action, -1), 1)
    s, c = math.sin(th), math.cos(th)
    xdd = (-2 * m_pl * thd**2 * s + 3 * m_pole * g * s * c + 4 * force - 4 * b * xd) / (4 * total - 3 * m_pole * c**2)
    thdd = (-3 * m_pl * thd**2 * s * c + 6 * total * g * s + 6 * (force - b * xd) * c) / (
        4 * length * total - 3 * m_pl * c**2
    )
    return [x + xd * dt, xd + xdd * dt, th + thd * dt, thd + thdd * dt]


@given(st.lists(st.floats(-10, 10), min_size=4, max_size=4), st.floats(-2, 2))
def test_equations_are_the_published_ones(state: list[float], action: float) -> None:
    np.testing.assert_allclose(advance(state, action), published_step(state, action), rtol=1e-12, atol=1e-12)


def test_reward_is_one_when_upright_and_centred_and_zero_when_hanging() -> None:
    env = CartPoleSwingUpEnv()
    env.reset(seed=0)
    for theta, expected in ((0.0, 1.0), (np.pi, 0.0)):
        env.state = np.array([0.0, 0.0, theta, 0.0])
        assert env.step(np.zeros(1))[1] == pytest.approx(expected, abs=1e-3)


def test_leaving_the_track_terminates_and_the_time_limit_truncates() -> None:
    env = gym.make(ID)
    env.reset(seed=0)
    env.unwrapped.state = np.array([2.39, 5.0, np.pi, 0.0])
    assert env.step(np.zeros(1, np.float32))[2:4] == (True, False)
    env.reset(seed=1)
    for _ in range(1000):
        env.unwrapped.state = np.array([0.0, 0.0, np.pi, 0.0])
        *_, terminated, truncated, _ = env.step(np.zeros(1, np.float32))
    assert (terminated, truncated) == (False, True)


def test_initial_states_cover_the_published_ranges() -> None:
    envs = CartPoleSwingUpVectorEnv(2000)
    envs.reset(seed=0)
    low, high = np.array([-2.4, -10, np.pi / 2, -10]), np.array([2.4, 10, 3 * np.pi / 2, 10])
    state = envs.state
    assert (state.T >= low).all()
    assert (state.T <= high).all()
    np.testing.assert_allclose(state.mean(axis=1), (low + high) / 2, atol=0.5)
    np.testing.assert_allclose(state.std(axis=1), (high - low) / np.sqrt(12), rtol=0.05)


def scalar_episodes(seed: int, actions: np.ndarray, reset_costs_a_step: bool) -> list[np.ndarray]:
    """What a scalar environment with automatic resets shows, row by row."""
    env = gym.make(ID)
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


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), mode=st.sampled_from([AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]))
def test_vector_plays_the_scalar_episodes_bit_for_bit(seed: int, mode: AutoresetMode) -> None:
    envs = gym.make_vec(ID, 3, autoreset_mode=mode)
    rng = np.random.default_rng(seed)
    actions = rng.uniform(-1, 1, (300, 3, 1)).astype(np.float32)
    actions[:, 0] = np.abs(actions[:, 0])  # one cart is pushed off its track; others may stay on it for 300 steps
    rows = [envs.reset(seed=seed)[0]]
    ends = 0
    for action in actions:
        observations, _, terminated, truncated, infos = envs.step(action)
        ends += int((terminated | truncated).sum())
        if mode == AutoresetMode.SAME_STEP:
            assert ("final_obs" in infos) == bool((terminated | truncated).any())
        rows.append(observations)
    assert ends > 0
    for i in range(3):
        expected = scalar_episodes(seed + i, actions[:, i], mode == AutoresetMode.NEXT_STEP)
        np.testing.assert_array_equal(np.array(rows)[:, i], np.array(expected))


def test_same_step_reports_the_final_observation() -> None:
    scalar, envs = gym.make(ID), gym.make_vec(ID, 2, autoreset_mode="SameStep")
    scalar.reset(seed=5)
    envs.reset(seed=5)
    push = np.ones((2, 1), np.float32)
    for _ in range(1000):
        last, _, terminated, truncated, _ = scalar.step(push[0])
        infos = envs.step(push)[-1]
        if terminated or truncated:
            break
    np.testing.assert_array_equal(infos["final_obs"][0], last)


def test_disabled_autoreset_wants_a_reset_mask() -> None:
    envs = gym.make_vec(ID, 4, autoreset_mode="Disabled")
    envs.reset(seed=[1, 2, 3, 4])
    ended = np.zeros(4, bool)
    while not ended.any():
        observations, _, terminated, truncated, _ = envs.step(np.ones((4, 1)))
        ended = terminated | truncated
    with pytest.raises(gym.error.ResetNeeded, match="reset_mask"):
        envs.step(np.ones((4, 1)))
    fresh, _ = envs.reset(seed=[9, 9, 9, 9], options={"reset_mask": ended})
    np.testing.assert_array_equal(fresh[~ended], observations[~ended])
    np.testing.assert_array_equal(fresh[ended][0], gym.make(ID).reset(seed=9)[0])


@pytest.mark.filterwarnings("ignore:.*infinity")  # velocities have no bound
def test_gymnasium_and_sb3_checkers_pass() -> None:
    check_env(gym.make(ID, render_mode="rgb_array").unwrapped)
    check_env_sb3(CartPoleSwingUpEnv())


def test_rendering_shows_the_pole_on_its_side() -> None:
    env = CartPoleSwingUpEnv(render_mode="rgb_array")
    env.reset(seed=0)
    pole = np.array([202, 152, 101])
    rows = {}
    for name, theta in (("up", 0.0), ("down", np.pi)):
        env.state = np.array([1.0, 0.0, theta, 0.0])
        frame = env.render()
        assert frame is not None
        assert frame.shape == (400, 600, 3)
        assert frame.dtype == np.uint8
        ys, xs = np.nonzero((frame == pole).all(axis=2))
        assert xs.mean() > 350  # x = 1 m is right of the middle
        rows[name] = ys.mean()
    assert rows["up"] < 230 < rows["down"]


@pytest.mark.parametrize("make", [CartPoleSwingUpEnv, CartPoleSwingUpVectorEnv])
def test_wrong_render_mode_is_refused(make: type) -> None:
    with pytest.raises(ValueError, match="human"):
        make(render_mode="human")


def test_stepping_before_reset_is_refused() -> None:
    with pytest.raises(gym.error.ResetNeeded):
        CartPoleSwingUpEnv().step(np.zeros(1))
