"""The agents that come with the package are what their cards and the README say they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from symbench.policies import NetworkAgent
from symbench.runner.agents import load, resolve
from symbench.runner.evaluate import play
from symbench.tasks import TASKS, get_task
from symbench.wrappers import vector
from symbench.zoo import bundled, load_agent, load_card, load_network

TASK, EPISODES = "CartPoleSwingUp", 200
EXPENSIVE = ("Ant", "Pong", "PongSticky", "CarRacing")  # an episode takes seconds
CHEAP = [task for task in TASKS if task not in EXPENSIVE]
RUNS = [path for task in CHEAP if not TASKS[task].agents_of for paths in bundled(task).values() for path in paths]


def mean_and_error(agent: str, *wrappers: tuple[str, dict[str, int]]) -> tuple[float, float]:
    """Over all training runs of an agent."""
    returns = []
    for path in bundled(TASK)[agent]:
        envs = get_task(TASK).make_vec(EPISODES)
        for name, parameters in wrappers:
            envs = getattr(vector, name)(envs, **parameters)
        returns.append(play(envs, load_agent(path), list(range(1_000_000, 1_000_000 + EPISODES))).returns)
    return float(np.mean(returns)), float(np.mean(returns, axis=0).std(ddof=1) / np.sqrt(EPISODES))


def test_there_are_enough_training_runs() -> None:
    runs = {agent: len(paths) for agent, paths in bundled(TASK).items()}
    assert runs["mlp"] >= 5
    assert runs["attention-neuron"] >= 3
    assert runs["recurrent-attention-neuron"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("path", RUNS, ids=lambda path: "-".join(path.parts[-3:]))
def test_cards_tell_where_an_agent_comes_from_and_what_it_scores(path: object) -> None:
    card = load_card(str(path))
    assert {"agent", "task", "recipe", "seed", "algorithm", "commit", "parameters"} <= card.keys()
    assert not card["commit"].endswith("+changes")
    network, task = load_network(str(path)), get_task(card["task"])
    assert card["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    with task.make() as env:
        agent = load(resolve([f"{path}.json"], card["task"])[0], env.observation_space, env.action_space)
    score = card["in_order"]
    seeds = list(range(score["first_seed"], score["first_seed"] + 100))
    returns = play(task.make_vec(len(seeds)), agent, seeds).returns
    assert returns.mean() == pytest.approx(score["mean"], abs=max(4 * returns.std() / np.sqrt(len(seeds)), 0.01))


@pytest.mark.slow
def test_the_mlp_needs_its_sensors_in_order() -> None:
    in_order, error = mean_and_error("mlp")
    shuffled, _ = mean_and_error("mlp", ("ShuffleSensors", {}))
    assert in_order > 600 - 3 * error
    assert shuffled < 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at_least", "wrappers"),
    [
        (550, [("ShuffleSensors", {})]),
        (500, [("ShuffleSensors", {"resample": 100})]),
        (300, [("ShuffleSensors", {"resample": 25})]),
        (495, [("AddNoiseChannels", {"n": 5}), ("ShuffleSensors", {})]),
    ],
)
def test_attention_neuron_does_not(at_least: float, wrappers: list[tuple[str, dict[str, int]]]) -> None:
    mean, error = mean_and_error("attention-neuron", *wrappers)
    assert mean > at_least - 3 * error


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "agent", "shuffled", "low", "high"),
    [
        ("Pong", "vision-attention-neuron", True, 12, 21),
        ("CarRacing", "vision-attention-neuron", True, 400, 1000),
        ("CarRacing", "cnn", False, 800, 1000),
        ("CarRacing", "cnn", True, -200, 100),
        ("CarRacing", "patch-unshuffler", True, 800, 1000),
    ],
)
def test_agents_that_see_frames(task: str, agent: str, shuffled: bool, low: float, high: float) -> None:
    envs = get_task(task).make_vec(2)
    envs = vector.ShufflePatches(envs) if shuffled else envs
    returns = play(envs, load_agent(bundled(task)[agent][0]), [1_000_000, 1_000_001]).returns
    assert low <= returns.mean() <= high


@pytest.mark.slow
def test_in_float64_a_game_of_shuffled_patches_is_the_same_game() -> None:
    network = load_agent(bundled("Pong")["vision-attention-neuron"][0]).network
    agent = NetworkAgent(network, "float64", torch.float64)
    envs = get_task("Pong").make_vec(1)
    plain, shuffled = (play(each, agent, [1_000_000]) for each in (envs, vector.ShufflePatches(envs)))
    assert plain.columns() == shuffled.columns()
