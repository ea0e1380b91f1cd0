"""Traffic: the recorded episodes, the rules written down once more, whole turned episodes."""

from __future__ import annotations

import os
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

import symbench.envs  # noqa: F401
from symbench.envs.multi_agent.traffic import TrafficEnv, TrafficVectorEnv
from symbench.envs.multi_agent.traffic_rules import CELLS, NUMBERS
from symbench.symmetry import declarations_of
from tests.envs.multi_agent.scalar_traffic import ScalarTraffic
from tests.envs.same_episodes import assert_same_episodes

ID = "symbench/Traffic-v0"


def cars(env: TrafficEnv) -> list[tuple[int, ...]]:
    """Row, column and wait of every car on the road."""
    lane, cell = np.nonzero(env.state["waits"] >= 0)
    return sorted(map(tuple, np.column_stack([CELLS[lane, cell], env.state["waits"][lane, cell]]).tolist()))


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    folder = os.environ.get("SYMBENCH_REFERENCE")
    if not folder:
        pytest.skip("the environment variable SYMBENCH_REFERENCE is not set")
    return dict(np.load(Path(folder) / "geometric" / "traffic_env.npz", allow_pickle=False))


@pytest.mark.reference
def test_recorded_episodes_are_reproduced_exactly(recorded: dict[str, np.ndarray]) -> None:
    episodes = sorted({key.split("/")[0] for key in recorded if key.startswith("ep")})
    assert episodes
    for name in episodes:
        env = TrafficEnv(published_order=True)
        seen, _ = env.reset(seed=0)
        np.testing.assert_array_equal(seen["positions"], recorded["location_plane"])
        step, lane = recorded[f"{name}/spawn_time_route"].T
        arrivals = np.zeros((8, 100), dtype=bool)
        arrivals[lane, step] = True
        env.state = {"arrivals": arrivals, "lights": recorded[f"{name}/initial_light"]}
        images = recorded[f"{name}/image_x10"].reshape(-1, 4, 3, 35, 35)
        shown = [env.batch.observe()["images"][0]]
        for t, action in enumerate(recorded[f"{name}/action"]):
            seen, reward, ended, _, info = env.step(action)
            shown.append(seen["images"])
            vehicles = recorded[f"{name}/vehicle_row_col_wait"][t]
            assert cars(env) == sorted(map(tuple, vehicles[vehicles[:, 0] >= 0].tolist()))
            assert reward == pytest.approx(recorded[f"{name}/reward"][t], abs=1e-9)
            assert ended == recorded[f"{name}/done"][t]
            assert info["wait"] == pytest.approx(recorded[f"{name}/avg_wait"][t])
            assert info["age"] == pytest.approx(recorded[f"{name}/avg_sim"][t])
        count = min(len(images), len(shown))
        np.testing.assert_array_equal(np.round(10 * np.stack(shown[:count])), images[:count])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), in_order=st.booleans(), rate=st.sampled_from([0.05, 0.1, 0.3]))
@pytest.mark.slow
def test_batches_follow_the_rules_written_down_for_one_world(seed: int, in_order: bool, rate: float) -> None:
    rng = np.random.default_rng(seed)
    envs = TrafficVectorEnv(2, published_order=in_order)
    envs.reset(seed=seed)
    envs.state["arrivals"] = rng.random((2, 8, 100)) < rate
    worlds = [
        ScalarTraffic(
            envs.state["lights"][i].tolist(),
            [(t, lane) for lane, t in np.argwhere(envs.state["arrivals"][i])],
            in_order,
        )
        for i in range(2)
    ]
    shown = [0, 2, 1, 3] if in_order else [0, 1, 2, 3]
    switch = rng.random((80, 2, 4)) < 0.3
    actions = np.cumsum(switch, axis=0) % 2
    for action in actions:
        seen, rewards, ended, _, infos = envs.step(action)
        for i, world in enumerate(worlds):
            reward, over, wait, age = world.step(action[i].tolist())
            np.testing.assert_array_equal(seen["images"][i], world.images()[shown])
            assert (rewards[i], ended[i]) == (pytest.approx(reward), over)
            assert (infos["wait"][i], infos["age"][i]) == (pytest.approx(wait), pytest.approx(age))


@pytest.mark.parametrize("in_order", [False, True])
def test_no_two_cars_are_ever_in_one_cell_and_none_is_lost(in_order: bool) -> None:
    envs, rng = TrafficVectorEnv(20, published_order=in_order), np.random.default_rng(0)
    envs.reset(seed=0)
    envs.state["arrivals"] = rng.random((20, 8, 100)) < 0.4
    for _ in range(90):
        before = (envs.state["waits"] >= 0).sum(axis=(1, 2)) + envs.state["arrivals"].sum(axis=(1, 2))
        leaving = (envs.state["waits"][..., -1] >= 0).sum(axis=1)
        envs.step(rng.integers(2, size=(20, 4)))
        present = envs.state["waits"] >= 0
        assert (present.sum(axis=(1, 2)) + envs.state["arrivals"].sum(axis=(1, 2)) == before - leaving).all()
        for world in present:
            assert len(np.unique(NUMBERS[world])) == world.sum()


def turned_episode(turns: int, seed: int, variant: str) -> float:
    """The largest difference of rewards between an episode and the one that is turned as a whole, at its beginning."""
    declared = next(each for each in declarations_of(ID) if each.pair.name == variant)
    plain, turned = declared.make(), declared.make()
    plain.reset(seed=seed), turned.reset(seed=seed)
    assert declared.simulator is not None
    declared.simulator.align(plain, turned, turns)
    rng, worst = np.random.default_rng(seed), 0.0
    for _ in range(120):
        action = rng.integers(2, size=4)
        _, reward, ended, _, _ = plain.step(action)
        _, other, also_ended, _, _ = turned.step(declared.pair.action.apply(turns, action[None])[0])
        worst = max(worst, abs(float(reward) - float(other)))
        if ended or also_ended:
            break
    return worst


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_whole_turned_episodes_have_the_same_rewards(turns: int) -> None:
    assert max(turned_episode(turns, seed, "quarter-turn") for seed in range(8)) == 0


def test_the_published_forms_are_not_symmetric() -> None:
    assert max(turned_episode(1, seed, "published-permutation") for seed in range(3)) > 0
    assert max(turned_episode(1, seed, "quarter-turn-in-order") for seed in range(10, 14)) > 0


def test_agents_see_their_own_junction_and_in_the_published_order_two_see_each_others() -> None:
    for published, own in ((False, True), (True, False)):
        env = TrafficEnv(published_order=published)
        env.reset(seed=0)
        env.state = {"arrivals": np.zeros((8, 100), dtype=bool) | (np.arange(100) == 99)}
        before = env.step(np.array([0, 0, 0, 0]))[0]["images"]
        after = env.step(np.array([0, 1, 0, 0]))[0]["images"]
        assert np.flatnonzero((before != after).any(axis=(1, 2, 3))).tolist() == ([1] if own else [2])


@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    mode=st.sampled_from([AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]),
    limit=st.sampled_from([30, 500]),
)
def test_vector_plays_the_scalar_episodes(seed: int, mode: AutoresetMode, limit: int) -> None:
    assert_same_episodes(ID, seed, mode, steps=200, max_episode_steps=limit)


def test_cars_come_in_all_lanes_at_the_given_rate() -> None:
    envs = TrafficVectorEnv(200)
    envs.reset(seed=0)
    np.testing.assert_allclose(envs.state["arrivals"].mean(axis=(0, 2)), 0.1, atol=0.01)
    np.testing.assert_allclose(envs.state["lights"].mean(axis=0), 0.5, atol=0.15)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_the_checker_of_gymnasium_passes() -> None:
    check_env(gym.make(ID, render_mode="rgb_array").unwrapped)


def test_rendering_shows_cars_where_they_are() -> None:
    env = TrafficEnv(render_mode="rgb_array")
    env.reset(seed=0)
    waits = np.full((8, 15), -1)
    waits[0, 7] = 0  # goes down in column 12
    env.state = {"waits": waits}
    frame = env.render()
    assert frame is not None and (frame.shape, frame.dtype) == ((600, 600, 3), np.uint8)
    cells = np.argwhere((frame == (0, 114, 178)).all(axis=2)) // 40
    np.testing.assert_array_equal(np.unique(cells, axis=0), [[7, 12]])
