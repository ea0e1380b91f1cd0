"""The routing environments against plain Python, their masks, what they refuse, and MaskablePPO."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported

import symbench.envs  # noqa: F401  (registers them)
from symbench.envs.routing.cvrp import CVRPVectorEnv
from symbench.envs.routing.tours import check_routes, check_tours, route_lengths, tour_lengths
from symbench.envs.routing.tsp import TSPVectorEnv
from symbench.envs.vec_env import VectorToVecEnv
from symbench.errors import SymbenchError
from symbench.trees import row
from tests.envs.routing.scalar_tours import ScalarCVRP, ScalarTSP

IDS = ("symbench/TSP-v0", "symbench/CVRP-v0")
BATCHES: tuple[type[Any], ...] = (TSPVectorEnv, CVRPVectorEnv)


def scalar(envs: Any, i: int) -> Any:
    cities = envs.state["cities"][i].tolist()
    if isinstance(envs, TSPVectorEnv):
        return ScalarTSP(cities)
    units = np.rint(envs.state["demands"][i] * envs.capacity).astype(int).tolist()
    return ScalarCVRP(cities, units, envs.capacity)


def drawn(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the allowed actions of each row."""
    return (rng.random(masks.shape) * masks).argmax(axis=1)


@pytest.mark.parametrize("distribution", ["uniform", "clustered"])
@pytest.mark.parametrize("batch", BATCHES)
def test_a_batch_plays_as_plain_python_does(batch: type[Any], distribution: str) -> None:
    envs, rng = batch(5, n=10, cities=distribution), np.random.default_rng(0)
    shown, _ = envs.reset(seed=3)
    games: list[Any] = [scalar(envs, i) for i in range(5)]
    played = 0
    while played < 20:
        resetting, actions = envs.ended.copy(), drawn(shown["action_mask"], rng)
        shown, rewards, ended, truncated, _ = envs.step(actions)
        assert not truncated.any()
        for i, game in enumerate(games):
            if resetting[i]:
                games[i], expected = scalar(envs, i), (scalar(envs, i).observe(), 0.0, False)
            else:
                expected = game.step(int(actions[i]))
            assert_shown(row(envs.single_observation_space, shown, i), expected[0])
            assert rewards[i] == pytest.approx(expected[1], abs=1e-12) and ended[i] == expected[2]
            played += expected[2]


def assert_shown(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    assert shown.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(shown[key], value, rtol=0, atol=1e-6 if key == "capacity" else 0, err_msg=key)
        assert shown[key].dtype == value.dtype


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("env_id", IDS)
def test_a_batch_plays_the_episodes_of_the_single_environment(env_id: str, mode: AutoresetMode) -> None:
    envs, rng = gym.make_vec(env_id, 3, n=10, autoreset_mode=mode), np.random.default_rng(1)
    singles = [gym.make(env_id, n=10) for _ in range(3)]
    shown, _ = envs.reset(seed=7)
    alone = [env.reset(seed=7 + i)[0] for i, env in enumerate(singles)]
    waiting = np.zeros(3, bool)
    for _ in range(60):
        for i in range(3):
            assert_shown(row(envs.single_observation_space, shown, i), alone[i])
        actions = drawn(shown["action_mask"], rng)
        shown, rewards, ended, *_ = envs.step(actions)
        for i, env in enumerate(singles):
            if waiting[i]:
                alone[i], _ = env.reset()
                continue
            alone[i], reward, terminated, *_ = env.step(actions[i])
            assert (reward, terminated) == (rewards[i], ended[i])
            if terminated and mode == AutoresetMode.SAME_STEP:
                alone[i], _ = env.reset()
        waiting = ended if mode == AutoresetMode.NEXT_STEP else np.zeros(3, bool)
        if mode == AutoresetMode.DISABLED and ended.any():
            shown, _ = envs.reset(options={"reset_mask": ended})
            for i in np.flatnonzero(ended):
                alone[i], _ = singles[i].reset()


@pytest.mark.parametrize("env_id", IDS)
def test_rewards_are_lengths_of_valid_tours_to_the_bit(env_id: str) -> None:
    envs, rng = gym.make_vec(env_id, 50), np.random.default_rng(2)
    shown, _ = envs.reset(seed=0)
    cities, found, tours = shown["cities"], np.zeros(50), np.zeros((50, 40), np.int64)
    playing, step = np.ones(50, bool), 0
    while playing.any():
        actions = drawn(shown["action_mask"], rng)
        tours[playing, step] = actions[playing]
        shown, rewards, ended, *_ = envs.step(actions)
        found[playing] += rewards[playing]
        playing, step = playing & ~ended, step + 1
    if env_id == IDS[0]:
        check_tours(tours[:, :20], 20)
        assert (found == -tour_lengths(cities, tours[:, :20])).all()
    else:
        check_routes(tours, gym.make_vec(env_id, 50).reset(seed=0)[0]["demands"])
        assert (found == -route_lengths(cities, tours)).all()


def test_a_load_may_fill_a_vehicle_exactly() -> None:
    env = gym.make(IDS[1], n=10)
    demands = np.array([0, *[0.1] * 10], np.float32)
    env.reset(options={"cities": np.zeros((11, 2)), "demands": demands})
    outcomes = [env.step(node) for node in range(1, 11)]
    assert [ended for _, _, ended, *_ in outcomes] == [False] * 9 + [True]
    assert outcomes[-1][0]["capacity"] == pytest.approx(0, abs=1e-6) and outcomes[-1][1] == 0


@pytest.mark.filterwarnings("ignore:.*infinity. This is probably too:UserWarning")  # cities may be anywhere
@pytest.mark.parametrize("env_id", IDS)
def test_gymnasium_finds_nothing_wrong(env_id: str) -> None:
    env = gym.make(env_id, render_mode="rgb_array", disable_env_checker=True).unwrapped
    env.action_space = _NeverZero(int(env.action_space.n))  # actions are drawn without the mask: never the depot
    check_env(env)


class _NeverZero(gym.spaces.Discrete):
    def sample(self, mask: Any = None, probability: Any = None) -> Any:
        return np.int64(self.np_random.integers(1, self.n))


@pytest.mark.parametrize("env_id", IDS)
def test_cities_may_coincide(env_id: str) -> None:
    env = gym.make(env_id, n=10, render_mode="rgb_array")
    nodes = env.action_space.n
    given: dict[str, Any] = {"cities": np.full((nodes, 2), 0.25)}
    shown, _ = env.reset(options=given if env_id == IDS[0] else {**given, "demands": [0.0] + [0.1] * (nodes - 1)})
    total, ended = 0.0, False
    while not ended:
        shown, reward, ended, *_ = env.step(int(shown["action_mask"].argmax()))
        total += reward
    assert total == 0 and env.render().shape == (480, 480, 3)


def test_given_instances_are_played_once_and_rounded_to_single_precision() -> None:
    envs, cities = TSPVectorEnv(2, n=3), np.array([[0, 0], [1 / 3, 0], [0, 1 / 3]])
    shown, _ = envs.reset(seed=0, options={"cities": cities})
    np.testing.assert_array_equal(shown["cities"], np.broadcast_to(cities.astype(np.float32), (2, 3, 2)))
    each, _ = envs.reset(seed=0, options={"cities": np.stack([cities, cities + 1])})
    np.testing.assert_array_equal(each["cities"][1], (cities + 1).astype(np.float32))
    drawn_again, _ = envs.reset(seed=0)
    np.testing.assert_array_equal(drawn_again["cities"][1], TSPVectorEnv(1, n=3).reset(seed=1)[0]["cities"][0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cities": np.zeros((4, 2))}, r"cities must have shape \(\.\.\., 3, 2\), received \(4, 2\)"),
        ({"cities": np.zeros((5, 3, 2))}, "cities of 2 environments are needed, received those of 5"),
        ({"cities": [[0, 0], [0, np.nan], [1, 1]]}, r"cities must be finite, received NaN or infinity at \[1, 1\]"),
        ({"cities": "here"}, "cities must be an array of numbers, received here"),
    ],
)
def test_bad_cities_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        TSPVectorEnv(2, n=3).reset(options=options)


@pytest.mark.parametrize(
    ("demands", "message"),
    [
        (None, "give both in the options of reset, or neither"),
        ([0, 0.5], r"demands must have shape \(\.\.\., 3\)"),
        ([0.1, 0.5, 0.5], "the depot, city 0, must have demand 0"),
        ([0, 0.5, 1.5], "shares of a vehicle's capacity, 0 to 1, received 0 to 1.5"),
        ([0, np.nan, 0.5], "demands must be finite"),
    ],
)
def test_bad_demands_are_refused(demands: Any, message: str) -> None:
    env = gym.make(IDS[1], n=2, capacity=10)
    with pytest.raises(SymbenchError, match=message):
        env.reset(options={"cities": np.zeros((3, 2)), "demands": demands})


@pytest.mark.parametrize("env_id", IDS)
def test_every_masked_action_is_refused_and_changes_nothing(env_id: str) -> None:
    env, rng = gym.make(env_id, n=10), np.random.default_rng(3)
    shown, ended = env.reset(seed=5)[0], False
    while not ended:
        for node in np.flatnonzero(shown["action_mask"] == 0):
            with pytest.raises(SymbenchError, match=f"action {node}: city {node} "):
                env.step(node)
        shown, _, ended, *_ = env.step(int(drawn(shown["action_mask"][None], rng)[0]))


def test_a_masked_action_is_one_clear_line() -> None:
    env = gym.make(IDS[0], n=3)
    env.reset(seed=0)
    env.step(2)
    with pytest.raises(SymbenchError, match="action 2: city 2 has been visited already; choose one that action_mask"):
        env.step(2)
    envs = TSPVectorEnv(2, n=3)
    envs.reset(seed=0)
    with pytest.raises(SymbenchError, match="action 3 in sub-environment 1: there are cities 0 to 2 only"):
        envs.step(np.array([0, 3]))
    with pytest.raises(SymbenchError, match=r"whole ones, received 1\.5"):
        env.step(1.5)
    vehicles = gym.make(IDS[1], n=2, capacity=10)
    vehicles.reset(options={"cities": np.zeros((3, 2)), "demands": [0, 0.6, 0.6]})
    with pytest.raises(SymbenchError, match="action 0: city 0 is the depot, where the vehicle is"):
        vehicles.step(0)
    vehicles.step(1)
    with pytest.raises(SymbenchError, match=r"city 2 demands 0\.600 of a vehicle's capacity, of which 0\.400 is left"):
        vehicles.step(2)


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        (IDS[0], {"n": 1}, "n >= 2 of cities, received n=1"),
        (IDS[0], {"n": 2.5}, "received n=2.5"),
        (IDS[0], {"cities": "unifrom"}, "unknown distribution of cities 'unifrom'; did you mean 'uniform'"),
        (IDS[1], {"n": 0}, "n >= 1 of customers, received n=0"),
        (IDS[1], {"n": 30}, "no capacity is published for n=30"),
        (IDS[1], {"capacity": 5}, "capacity must hold the largest demand, 9, received 5"),
    ],
)
def test_bad_arguments_are_refused(env_id: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        gym.make(env_id, **arguments)


def test_published_capacities() -> None:
    assert [CVRPVectorEnv(n=n).capacity for n in (10, 20, 50, 100)] == [20, 30, 40, 50]
    units = CVRPVectorEnv(200, n=20).reset(seed=0)[0]["demands"][:, 1:] * 30
    assert (np.unique(np.rint(units)) == np.arange(1, 10)).all() and np.abs(units - np.rint(units)).max() < 1e-5


def test_pictures_grow_with_the_tour() -> None:
    for env_id in IDS:
        env = gym.make(env_id, render_mode="rgb_array")
        shown, _ = env.reset(seed=0)
        ink = []
        for _ in range(3):
            shown, *_ = env.step(int(shown["action_mask"].nonzero()[0][-1]))
            ink.append(int((env.render() != 255).any(axis=-1).sum()))
        assert ink == sorted(set(ink)) and env.render().dtype == np.uint8


@pytest.mark.filterwarnings("ignore::UserWarning:stable_baselines3")
@pytest.mark.parametrize("env_id", IDS)
def test_maskable_ppo_trains_out_of_the_box(env_id: str) -> None:
    model = MaskablePPO("MultiInputPolicy", gym.make(env_id, n=20), n_steps=64, batch_size=64, n_epochs=1, seed=0)
    model.learn(300)
    assert model.num_timesteps >= 300


def test_maskable_ppo_trains_on_a_batch() -> None:
    envs = VectorToVecEnv(gym.make_vec(IDS[0], 8, n=10, autoreset_mode="SameStep"))
    assert is_masking_supported(envs)
    envs.reset()
    assert get_action_masks(envs).shape == (8, 10)
    MaskablePPO("MultiInputPolicy", envs, n_steps=16, batch_size=64, n_epochs=1, seed=0).learn(300)
