"""Recipes: what is read and what is trained."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from symbench.errors import SymbenchError
from symbench.policies import (
    AttentionNeuronNetwork,
    MLPNetwork,
    NetworkAgent,
    PolicyNetwork,
    RecurrentAttentionNeuronNetwork,
)
from symbench.runner.evaluate import play
from symbench.runner.pipeline import make_envs
from symbench.tasks import get_task
from symbench.training import load_recipe, recipes, train
from symbench.training.evolution import evaluate_population, first_seed
from symbench.training.imitation import Segment, segment_loss
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe_parts import find_teacher, make_network
from symbench.training.session import Session
from symbench.training.train_recipe import train_network
from symbench.zoo import bundled, load_agent, load_card

if TYPE_CHECKING:
    from tests.training.conftest import Tiny

FORCE = spaces.Box(-1, 1, (1,))


@pytest.mark.slow
@pytest.mark.parametrize("name", recipes())
def test_every_recipe_trains_an_agent_with_its_whole_story(name: str, tiny: Tiny, tmp_path: Path) -> None:
    path = train(name, tmp_path, seed=1, overrides=tiny(name))
    agent, story = load_agent(path), json.loads((path.parent / "train.json").read_text())
    assert agent.name == load_recipe(name).agent
    assert load_card(path)["description"] == load_recipe(name).description
    assert {
        "recipe",
        "seed",
        "commit",
        "recipe_data",
        "curve",
        "packages",
        "cpu",
        "in_order",
    } <= story.keys()
    assert ("shuffled" in story) != (agent.network.of_team or agent.network.of_tours)
    assert story["in_order"]["low"] <= story["in_order"]["mean"] <= story["in_order"]["high"]
    assert story["curve"]
    envs = get_task(load_recipe(name).task).make_vec(4)
    observations, _ = envs.reset(seed=0)
    agent.reset(4)
    assert agent.act(observations).shape == envs.action_space.shape
    envs.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "attention-neuron", "recurrent-attention-neuron-es"])
def test_the_same_seed_gives_the_same_weights(name: str, tiny: Tiny, tmp_path: Path) -> None:
    weights = [
        load_agent(train(name, tmp_path / str(i), seed=seed, overrides=tiny(name))).network.state_dict()
        for i, seed in enumerate((3, 3, 4))
    ]
    for key in weights[0]:
        assert torch.equal(weights[0][key], weights[1][key])
    assert any(not torch.equal(weights[0][key], weights[2][key]) for key in weights[0])


@pytest.mark.parametrize(
    "student",
    [
        AttentionNeuronNetwork(FORCE, history=3, num_codes=4, key_widths=(8, 8), hidden=(8,)),
        RecurrentAttentionNeuronNetwork(FORCE),
    ],
)
def test_imitation_brings_the_student_closer_to_its_teacher(student: PolicyNetwork) -> None:
    rng = np.random.default_rng(0)
    steps, batch = 6, 64
    observations = torch.from_numpy(rng.standard_normal((steps, batch, 3), dtype=np.float32))
    targets = torch.tanh(observations.sum(dim=2, keepdim=True))  # a function of the set of sensors
    starts = torch.zeros(steps, batch)
    starts[0] = 1.0
    state = student.initial_state(batch, 3)
    segment = Segment(state, observations, starts, torch.zeros(steps, batch, 1), targets)
    optimizer = torch.optim.Adam(student.parameters(), 1e-2)
    losses = []
    for _ in range(60):
        loss = segment_loss(student, segment, torch.arange(batch))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_an_episode_start_forgets_what_came_before() -> None:
    student = RecurrentAttentionNeuronNetwork(FORCE)
    observations, targets = torch.randn(2, 5, 3), torch.zeros(2, 5, 1)
    actions, starts = torch.randn(2, 5, 1), torch.ones(2, 5)
    one_by_one = [
        segment_loss(
            student,
            Segment(
                student.initial_state(5, 3), *(part[t : t + 1] for part in (observations, starts, actions, targets))
            ),
            torch.arange(5),
        )
        for t in range(2)
    ]
    together = segment_loss(
        student, Segment(student.initial_state(5, 3), observations, starts, actions, targets), torch.arange(5)
    )
    torch.testing.assert_close(together, torch.stack(one_by_one).mean())


def test_a_population_scores_as_its_candidates_alone() -> None:
    recipe = load_recipe("recurrent-attention-neuron-es")
    network = make_network(recipe, 0)
    size = sum(parameter.numel() for parameter in network.parameters())
    candidates = np.random.default_rng(0).standard_normal((3, size))
    together = evaluate_population(recipe, network, candidates, rollouts=4, seed=7)
    alone = [evaluate_population(recipe, network, row[None], rollouts=4, seed=7)[0] for row in candidates]
    np.testing.assert_allclose(together, alone, rtol=1e-3)
    assert len(set(together)) == 3


def test_training_may_start_from_an_agents_weights() -> None:
    fresh = load_recipe("attention-neuron")
    recipe = fresh.model_copy(update={"start": "attention-neuron"})
    for run, path in enumerate(bundled("CartPoleSwingUp")["attention-neuron"][:2]):
        torch.testing.assert_close(make_network(recipe, run).state_dict(), load_agent(path).network.state_dict())
    assert recipe.digest != fresh.digest


STARTS_FROM = """
description = "goes on from the bundled MLP"
agent = "mine"
task = "CartPole-v1"
start = "mlp"
network = { kind = "mlp", hidden = [64, 64], activation = "tanh" }
algorithm = { name = "%s", %s }
"""
SMALL_PPO = "steps = 256, num_envs = 4, n_steps = 32, batch_size = 64, n_epochs = 1"


@pytest.mark.parametrize(
    ("name", "settings", "moved"),
    [
        ("ppo", f"{SMALL_PPO}, learning_rate = 1e-12", False),
        ("ppo", f"{SMALL_PPO}, critic_steps = 128, privileged_critic = true", True),
        ("ppo", SMALL_PPO, True),
        ("imitation", 'teacher = "mlp", steps = 128, num_envs = 4, batch = 4, learning_rate = 1e-12', False),
        ("evolution", "generations = 1, population = 3, rollouts = 2, sigma = 1e-9", False),
    ],
)
def test_every_algorithm_goes_on_from_the_weights_it_starts_from(
    name: str, settings: str, moved: bool, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(STARTS_FROM % (name, settings))
    paths = train(str(tmp_path / "mine.toml"), tmp_path), bundled("CartPole-v1")["mlp"][0]
    trained, start = (parameters_to_vector(load_agent(path).network.parameters()).detach() for path in paths)
    assert bool((trained - start).abs().max() > 1e-6) == moved


def test_while_the_critic_learns_alone_the_agent_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STARTS_FROM % ("ppo", SMALL_PPO))
    plan = load_recipe(str(tmp_path / "mine.toml"))
    alone = plan.algorithm.model_copy(update={"critic_steps": 256})  # of 256, which no recipe may say
    start = parameters_to_vector(make_network(plan, 0).parameters()).detach().clone()
    trained = train_network(plan.model_copy(update={"algorithm": alone}), Session(tmp_path / "s0", 0))
    assert torch.equal(parameters_to_vector(trained.parameters()).detach(), start)


DISCRETE = """
description = "a task with Discrete actions"
agent = "mine"
task = "CartPole-v1"
network = { %s }
algorithm = { name = "%s", %s }
"""
EVOLUTION = "generations = 1, population = 3, rollouts = 2"


@pytest.mark.parametrize(
    ("network", "name", "settings"),
    [
        ('kind = "mlp"', "ppo", SMALL_PPO),
        ('kind = "mlp"', "ppo", f"{SMALL_PPO}, privileged_critic = true"),
        ('kind = "attention-neuron"', "ppo", f"{SMALL_PPO}, privileged_critic = true"),
        ('kind = "mlp", hidden = [4]', "evolution", EVOLUTION),
        ('kind = "attention-neuron", num_codes = 4, key_widths = [4], hidden = []', "evolution", EVOLUTION),
        ('kind = "recurrent-attention-neuron"', "evolution", EVOLUTION),
    ],
)
def test_tasks_with_discrete_actions(network: str, name: str, settings: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DISCRETE % (network, name, settings))
    agent = load_agent(train(str(tmp_path / "mine.toml"), tmp_path))
    agent.reset(3)
    assert set(agent.act(np.ones((3, 4), np.float32))) <= {0, 1}


HUNTER = """
description = "a network without gradients"
agent = "mine"
task = "GridWorld"
algorithm = { name = "evolution", generations = 2, population = 3, rollouts = 2 }
[network]
kind = "vision-attention-neuron"
patch_size = 7
num_codes = 16
code_dim = 2
projection_dim = 2
head = "attention-agent"
[[perturbations]]
wrapper = "OccludePatches"
patch_size = 7
ratio = 0.3
"""


def test_candidates_that_see_frames_are_played_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Within the 20 steps of the other tests a random network catches no prey on some processors, which round otherwise.
    monkeypatch.setattr(gym.spec(get_task("GridWorld").env_id), "max_episode_steps", 100)
    (tmp_path / "hunter.toml").write_text(HUNTER)
    recipe = load_recipe(str(tmp_path / "hunter.toml"))
    network = make_network(recipe, 0)
    candidates = np.random.default_rng(0).normal(size=(3, sum(each.numel() for each in network.parameters())))
    returns = evaluate_population(recipe, network, candidates, rollouts=2, seed=7)
    assert len(set(returns.tolist())) > 1
    with closing(make_envs("GridWorld", recipe.perturbations, 2)) as envs:
        for weights, expected in zip(candidates, returns, strict=True):
            vector_to_parameters(torch.from_numpy(weights).float(), network.parameters())
            assert play(envs, NetworkAgent(network, "mine"), [7, 8]).returns.mean() == expected


@pytest.mark.slow
def test_workers_that_play_candidates_do_not_change_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the short episodes of these tests, which other processes do not have
    (tmp_path / "hunter.toml").write_text(HUNTER)
    one, two = (
        load_agent(
            train(str(tmp_path / "hunter.toml"), tmp_path / str(workers), workers=workers, allow_dirty=True)
        ).network.state_dict()
        for workers in (1, 2)
    )
    assert all(torch.equal(one[key], two[key]) for key in one)
    with pytest.raises(SymbenchError, match="workers must be at least 1"):
        train(str(tmp_path / "hunter.toml"), tmp_path, workers=0)


def test_generations_play_other_episodes_than_suites_cards_and_each_other() -> None:
    seeds = [first_seed(seed, generation, 16) for seed in range(5) for generation in range(2000)]
    assert 2**30 <= min(seeds) and max(seeds) + 16 < 2**31
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("suffix", ["", ".safetensors"])
def test_a_teacher_by_its_path(teacher: str, suffix: str) -> None:
    assert isinstance(find_teacher("CartPoleSwingUp", teacher + suffix, 5), MLPNetwork)


def test_overrides_replace_settings() -> None:
    settings = load_recipe("attention-neuron", {"steps": 5}).algorithm
    assert isinstance(settings, Imitation)
    assert settings.steps == 5


def test_discrete_actions_are_imitated_too() -> None:
    student = MLPNetwork(3, spaces.Discrete(3))
    observations = torch.randn(6, 64, 3)
    targets = observations.argmax(dim=2)
    done = torch.nn.functional.one_hot(targets, 3).float()
    segment = Segment((), observations, torch.zeros(6, 64), done, targets)
    optimizer, losses = torch.optim.Adam(student.parameters(), 1e-2), []
    for _ in range(60):
        loss = segment_loss(student, segment, torch.arange(64))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def trained_on(device: str, folder: Path, tiny: Tiny) -> dict[str, torch.Tensor]:
    plan = load_recipe("pong-attention-neuron", tiny("pong-attention-neuron"))
    torch.manual_seed(0)
    with Session(folder, 0) as session:
        return train_network(plan, session, device).state_dict()


def test_a_student_whose_gradients_are_computed_elsewhere_learns_the_same(tiny: Tiny, tmp_path: Path) -> None:
    # To imitation "cpu:0" is another device than "cpu": it learns with a copy there.
    here, there = (trained_on(device, tmp_path / device[-1], tiny) for device in ("cpu", "cpu:0"))
    for name, weights in here.items():
        torch.testing.assert_close(there[name], weights)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_on_a_gpu_too(tiny: Tiny, tmp_path: Path) -> None:
    here, there = (trained_on(device, tmp_path / device, tiny) for device in ("cpu", "cuda"))
    for name, weights in here.items():
        torch.testing.assert_close(there[name], weights, atol=1e-3, rtol=1e-2)
