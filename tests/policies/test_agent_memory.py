"""A batch is many single agents, whichever episodes begin anew and whichever environments are left in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from hostile_cases import SMALL, TWO, acted_in, observations_of
from sb3_contrib import RecurrentPPO
from stable_baselines3 import PPO

from symbench.policies import NETWORKS, NetworkAgent, RandomAgent, SB3Agent, action_head
from symbench.policies.policy_network import SensorNetwork
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from symbench.policies import Agent

ENVS = 7
FOUR, MANY = spaces.Box(-1e6, 1e6, (4,)), spaces.Discrete(1009)
STORY = [  # what happens, to which of the environments that are left, and how many steps follow
    ("begin", [], 3),
    ("restart", [1, 4, 6], 3),
    ("keep", [0, 2, 3, 4, 6], 4),
    ("restart", [0, 3], 0),
    ("keep", [1, 3, 4], 4),
    ("keep", [0, 1, 2], 2),
    ("keep", [2], 4),
]
COUNT = sum(steps for _, _, steps in STORY)


def rows(count: int, chosen: list[int]) -> np.ndarray:
    mask = np.zeros(count, bool)
    mask[chosen] = True
    return mask


def seen(observations: Any, *places: Any) -> Any:
    """The same part of everything that is observed."""
    return map_tree(lambda values: values[places], observations)


def played_in_a_batch(agent: Agent, observations: Any) -> list[np.ndarray]:
    """Actions of all steps of the story, of the environments that are left."""
    agent.reset(ENVS)
    left, actions = np.arange(ENVS), []
    remaining = iter(range(COUNT))
    for event, chosen, steps in STORY:
        mask = rows(len(left), chosen)
        if event == "restart":
            agent.restart(mask)
        if event == "keep":
            agent.keep(mask)
            left = left[mask]
        actions += [agent.act(seen(observations, next(remaining), left)) for _ in range(steps)]
    return actions


def played_alone(make: Callable[[], Agent], observations: Any) -> list[np.ndarray]:
    """The same by one agent for each environment, which is reset where its episode begins anew."""
    agents = [make() for _ in range(ENVS)]
    for agent in agents:
        agent.reset()
    left, actions = np.arange(ENVS), []
    remaining = iter(range(COUNT))
    for event, chosen, steps in STORY:
        if event == "restart":
            for place in chosen:
                agents[left[place]].reset()
        if event == "keep":
            left = left[chosen]
        for _ in range(steps):
            t = next(remaining)
            actions.append(np.concatenate([agents[i].act(seen(observations, t, slice(i, i + 1))) for i in left]))
    return actions


class Diary(SensorNetwork):
    """Its actions tell all that it remembers: how many steps, what it saw, what it did last."""

    kind, memory = "diary", "all"

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__(space)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def initial_state(self, batch: int, *shape: int) -> tuple[Tensor, ...]:
        return (
            self._zeros(batch),
            self._zeros(batch, *shape),
            self._zeros(batch, *shape, 2),
            self._zeros(batch, self.action.size),
        )

    def logits(self, observations: Any, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        steps, total, last, done = state
        state = (steps + 1, total + observations, torch.stack([last[..., 1], observations], dim=-1), done)
        told = [
            state[0],
            state[1] @ torch.arange(5.0),
            state[2].sum(dim=(1, 2)),
            (done * torch.arange(len(done[0]))).sum(1),
        ]
        if self.action.space == FOUR:
            return torch.stack([*told[:3], told[3] % 97], dim=1), state
        number = (told[0] + 10 * told[1] + 100 * told[2] + 7 * told[3]).long() % self.action.size
        return torch.nn.functional.one_hot(number, self.action.size).float(), state

    def update_memory(self, state: tuple[Tensor, ...], actions: Tensor) -> tuple[Tensor, ...]:
        return (*state[:3], actions)


@pytest.mark.parametrize("micro_batch_size", [1, 2, 3, 4, 1000])
@pytest.mark.parametrize("space", [FOUR, MANY], ids=str)
def test_every_memory_stays_in_its_environment(
    space: gym.Space[Any], micro_batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Diary, "micro_batch_size", lambda *_: micro_batch_size)
    observations = np.random.default_rng(0).integers(0, 9, (COUNT, ENVS, 5)).astype(np.float32)
    together = played_in_a_batch(NetworkAgent(Diary(space), "x"), observations)
    alone = played_alone(lambda: NetworkAgent(Diary(space), "x"), observations)
    assert all(np.array_equal(*pair) for pair in zip(together, alone, strict=True))
    assert len(np.unique(np.concatenate(alone), axis=0)) > 0.9 * sum(map(len, alone))


@pytest.mark.parametrize("micro_batch_size", [1, 3, 1000])
@pytest.mark.parametrize(
    "space", [action_head(spaces.Box(-1, 1, (6,)), squash="tanh").data(), spaces.Discrete(6)], ids=["tanh", "discrete"]
)
@pytest.mark.parametrize("kind", [*NETWORKS, "conv-lstm"])
def test_a_batch_is_many_single_agents(
    kind: str, space: Any, micro_batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"conv-lstm": {"lstm_dim": 8}, "attention-agent": {"top": 3}}.get(kind, {})
    kind = "vision-attention-neuron" if kind == "conv-lstm" else kind
    network = NETWORKS[kind](action_space=acted_in(kind, space), **SMALL[kind], **extra)
    monkeypatch.setattr(type(network), "micro_batch_size", lambda *_: micro_batch_size)
    observations = observations_of(network, COUNT, ENVS)
    together = played_in_a_batch(NetworkAgent(network, "x", torch.float64), observations)
    alone = played_alone(lambda: NetworkAgent(network, "x", torch.float64), observations)
    assert [len(actions) for actions in together] == [len(actions) for actions in alone]
    np.testing.assert_allclose(np.concatenate(together), np.concatenate(alone), atol=1e-6)


def larger(model: Any, factor: float) -> Any:
    """With larger weights: else all actions are about the same."""
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.mul_(factor)
    return model


def recurrent() -> SB3Agent:
    sizes = {"lstm_hidden_size": 8, "n_lstm_layers": 2}
    model = RecurrentPPO("MlpLstmPolicy", "Pendulum-v1", seed=0, policy_kwargs=sizes)
    return SB3Agent(larger(model, 3.0), "x")


def feed_forward() -> SB3Agent:
    return SB3Agent(larger(PPO("MlpPolicy", "Pendulum-v1", seed=0), 10.0), "x")


@pytest.mark.parametrize("make", [recurrent, feed_forward])
def test_a_batch_of_sb3_is_many_single_agents(make: Callable[[], SB3Agent]) -> None:
    observations = np.random.default_rng(0).normal(size=(COUNT, ENVS, 3)).astype(np.float32)
    together, alone = played_in_a_batch(make(), observations), played_alone(make, observations)
    np.testing.assert_allclose(np.concatenate(together), np.concatenate(alone), atol=1e-5)
    assert len(np.unique(np.round(np.concatenate(alone), 4))) > 40


@pytest.mark.parametrize("space", [spaces.Discrete(5), spaces.MultiDiscrete([3, 9]), spaces.Box(-1, 1, (2,))])
@pytest.mark.parametrize("moment", [1, 63, 64, 65, 130])
def test_streams_of_random_actions_go_on_in_their_environments(space: gym.Space[Any], moment: int) -> None:
    """Also beyond the steps for which actions are drawn ahead."""
    undisturbed, agent, blank = RandomAgent(space), RandomAgent(space), np.zeros((ENVS, 5))
    undisturbed.reset(ENVS, seed=3)
    expected = np.stack([undisturbed.act(blank) for _ in range(300)])
    assert not any(np.array_equal(expected[:, i], expected[:, j]) for i in range(ENVS) for j in range(i))
    agent.reset(ENVS, seed=3)
    left = np.arange(ENVS)
    for t in range(300):
        if t in (moment, 2 * moment):
            mask = rows(len(left), [0, 2, 3] if t == moment else [1, 2])
            agent.keep(mask)
            agent.restart(rows(mask.sum(), [0]))  # has no effect: nothing is remembered
            left = left[mask]
        assert np.array_equal(agent.act(blank[left]), expected[t, left])
    agent.reset(ENVS, seed=3)
    assert np.array_equal(agent.act(blank), expected[0])


@pytest.mark.parametrize("kind", ["mlp", "attention-neuron", "recurrent-attention-neuron"])
def test_environments_may_be_left_before_the_first_step_and_all_at_the_end(kind: str) -> None:
    agent = NetworkAgent(NETWORKS[kind](action_space=TWO, **SMALL[kind]), "x")
    agent.reset(4)
    agent.keep(rows(4, [1, 3]))
    assert agent.act(np.ones((2, 5))).shape == (2, 2)
    with pytest.raises(ValueError, match=r"shape \(2, 5\) until reset\(\), received \(4, 5\)"):
        agent.act(np.ones((4, 5)))
    agent.keep(rows(2, []))
    agent.reset(3)
    assert agent.act(np.ones((3, 5))).shape == (3, 2)
    agent.reset(4)
    agent.restart(rows(4, [3]))
    agent.keep(rows(4, [3]))  # nothing of before the reset is left to be kept
    assert agent.act(np.ones((1, 5))).shape == (1, 2)
