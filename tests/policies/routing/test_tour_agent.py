"""Agents that plan whole tours: they play what was planned, and what they draw does not depend on the batch."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from routing_cases import every_model, model_of
from test_routing_play import space_of

import symbench.envs  # noqa: F401  (registers the environments)
from symbench.errors import SymbenchError
from symbench.policies import NetworkAgent
from symbench.policies.routing import ModelPlanner, RoutingModel, TourAgent
from symbench.rollout import Callback, rollout

WAYS = ("greedy", "sample:4", "starts", "x8", "x8-starts", "frames", "beam:3")


class Returns(Callback):
    """The sum of rewards of each environment."""

    def __init__(self, count: int) -> None:
        self.sums = np.zeros(count)

    def rewards(self, rewards: Any, playing: Any) -> None:
        self.sums[playing] += rewards


def played(agent: Any, problem: str, seeds: list[int], nodes: int = 9) -> np.ndarray:
    kwargs = {"n": nodes} if problem == "tsp" else {"n": nodes, "capacity": 20}
    envs = gym.make_vec(f"symbench/{problem.upper()}-v0", len(seeds), autoreset_mode="Disabled", **kwargs)
    returns = Returns(len(seeds))
    rollout(envs, agent, seeds, [returns])
    return returns.sums


def planning(model: RoutingModel, decode: str, nodes: int = 9) -> TourAgent:
    space = spaces.Discrete(nodes + (model.problem == "cvrp"))
    return TourAgent(ModelPlanner(model, decode), model.problem, "mine", space)


@every_model
def test_greedy_plans_are_what_the_model_plays_step_by_step(name: str) -> None:
    model = model_of(name).float()
    seeds = list(range(12))
    step_by_step = played(NetworkAgent(model, "steps"), model.problem, seeds)
    np.testing.assert_allclose(played(planning(model, "greedy"), model.problem, seeds), step_by_step, rtol=1e-6)


@every_model
@pytest.mark.parametrize("decode", WAYS)
def test_every_way_ends_in_a_tour_that_is_as_long_as_planned(name: str, decode: str) -> None:
    model = model_of(name).float()
    if decode.startswith("beam") and model.needs_start:
        with pytest.raises(SymbenchError, match="chooses the first city, pomo does not"):
            ModelPlanner(model, decode)
        return
    returns = played(planning(model, decode), model.problem, [3, 4, 5])
    assert (returns < 0).all()
    if decode in ("starts", "x8-starts"):  # one of all starts is the first city; CVRP has other tours, too
        greedy = played(planning(model, "greedy"), model.problem, [3, 4, 5])
        assert model.problem == "cvrp" or not model.needs_start or (returns >= greedy - 1e-6).all()


@pytest.mark.parametrize("name", ["attention-model", "pomo cvrp"])
def test_drawn_tours_depend_on_the_seed_of_the_environment_alone(name: str) -> None:
    model = model_of(name).float()
    whole = played(planning(model, "sample:3"), model.problem, list(range(10)))
    parts = [played(planning(model, "sample:3"), model.problem, part) for part in ([0, 1, 2], [3, 4, 5, 6, 7, 8, 9])]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-6)
    assert (whole >= played(planning(model, "sample:1"), model.problem, list(range(10))) - 1e-6).mean() > 0.5


def test_parts_of_a_batch_are_solved_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("attention-model").float()
    instances = {"cities": np.random.default_rng(0).random((10, 6, 2), dtype=np.float32)}
    seeds = [(i, 0) for i in range(10)]
    whole = ModelPlanner(model, "sample:3")(instances, seeds)
    monkeypatch.setattr(RoutingModel, "micro_batch_size", lambda *_: 3)
    assert (ModelPlanner(model, "sample:3")(instances, seeds) == whole).mean() > 0.9  # up to near ties


def test_more_beams_than_tours() -> None:
    model = model_of("attention-model").float()
    assert (played(planning(model, "beam:50", 3), "tsp", [0, 1], nodes=3) < 0).all()


def counting(instances: Any, seeds: Any) -> np.ndarray:
    """Cities in their order; begins with the number of the episode."""
    nodes = instances["cities"].shape[1]
    return np.stack([np.roll(np.arange(nodes), -episode) for _, episode in seeds])


def shown(batch: int, nodes: int = 4) -> dict[str, Any]:
    return {"cities": np.zeros((batch, nodes, 2)), "action_mask": np.ones((batch, nodes), np.int8)}


def test_it_plans_anew_where_an_episode_begins_and_forgets_who_is_gone() -> None:
    agent = TourAgent(counting, "tsp", "count", spaces.Discrete(4))
    agent.reset(3)
    assert agent.act(shown(3)).tolist() == [0, 0, 0]
    agent.restart(np.array([False, True, False]))
    assert agent.act(shown(3)).tolist() == [1, 1, 1]
    agent.keep(np.array([True, True, False]))
    assert agent.act(shown(2)).tolist() == [2, 2]
    agent.reset(1)
    single = {key: part[0] for key, part in shown(1).items()}
    assert agent.act(single) == 0 and agent.act(single) == 1


def test_cities_that_change_within_an_episode_are_refused() -> None:
    agent = TourAgent(counting, "tsp", "count", spaces.Discrete(4))
    agent.reset(2)
    changed = shown(2) | {"action_mask": np.array([[1, 1, 1, 1], [0, 1, 1, 1]])}
    with pytest.raises(SymbenchError, match="'count' plans whole tours, so an instance must stay as it is"):
        agent.act(changed)


def test_it_says_what_it_cannot_play() -> None:
    agent = TourAgent(counting, "tsp", "mine", spaces.Discrete(5))
    assert agent.incompatibility(space_of("tsp", 5), spaces.Discrete(5)) is None
    wrong = agent.incompatibility(space_of("cvrp", 5), spaces.Discrete(5))
    assert wrong == "mine plans tours of tsp, the task gives instances of cvrp"
    assert "mine plans tours of tsp" in str(agent.incompatibility(spaces.Box(0, 1, (4,)), spaces.Discrete(2)))
    assert "goes from node to node" in str(agent.incompatibility(space_of("tsp", 5), spaces.Box(0, 1, (2,))))


def test_unknown_ways_are_named() -> None:
    for decode in ("gready", "sample", "beam:0", "x8:3", ""):
        with pytest.raises(SymbenchError, match=r"greedy, sample:N, starts, x8, .*, received"):
            ModelPlanner(model_of("attention-model"), decode)
