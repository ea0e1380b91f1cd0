"""Masks reach the agent wherever an environment puts them, named as the agent names its actions."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from sb3_contrib import MaskablePPO

from symbench.policies import NetworkAgent, RandomAgent, make_network
from symbench.policies.module_agent import ModuleAgent
from symbench.runner.agent_objects import agent_of
from symbench.runner.evaluate import play
from symbench.symmetry import ActionPermutation, SymmetryPair, cyclic, register_symmetry, signed_permutation
from symbench.symmetry.catalogue import registry
from symbench.wrappers import vector

SENSORS = spaces.Box(-1, 1, (3,), np.float32)
MASK = spaces.MultiBinary(3)


class OnlyOne(gym.Env[Any, Any]):
    """Allows one action of three at each step, which its sensors do not show; refuses all others."""

    action_space = spaces.Discrete(3)

    def __init__(self, where: str) -> None:
        self.where, self.steps = where, 0
        self.observation_space = spaces.Dict(sensors=SENSORS, action_mask=MASK) if where == "observation" else SENSORS
        if where == "method":
            self.action_masks = self._mask

    def _mask(self) -> Any:
        return np.arange(3) == (self.steps * self.steps + 1) % 3

    def _shown(self) -> tuple[Any, dict[str, Any]]:
        seen, mask = np.zeros(3, np.float32), self._mask().astype(np.int8)
        observation = {"sensors": seen, "action_mask": mask} if self.where == "observation" else seen
        return observation, {"action_mask": mask} if self.where == "info" else {}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps, self.length = 0, 4 + (seed or 0) % 3
        return self._shown()

    def step(self, action: Any) -> Any:
        allowed = self._mask()[action]
        self.steps += 1
        observation, info = self._shown()
        return observation, float(allowed), self.steps == self.length, False, info


def envs_of(where: str, count: int = 6) -> Any:
    return SyncVectorEnv([partial(OnlyOne, where)] * count, autoreset_mode=AutoresetMode.DISABLED)


def masked_model(where: str) -> MaskablePPO:
    env = OnlyOne(where)
    policy = "MultiInputPolicy" if where == "observation" else "MlpPolicy"
    return MaskablePPO(policy, env, device="cpu", seed=0)


class Asking:
    def act(self, observation: Any, action_mask: Any) -> int:
        return int(np.flatnonzero(action_mask)[0])


class AskingForAll:
    batched = True

    def act(self, observations: Any, action_mask: Any) -> Any:
        return action_mask.argmax(axis=1)


@pytest.mark.parametrize("where", ["observation", "method", "info"])
@pytest.mark.parametrize("who", ["random", "maskable", "object", "batched"])
def test_only_allowed_actions_are_chosen(where: str, who: str) -> None:
    envs = envs_of(where)
    seen, acts = envs.single_observation_space, envs.single_action_space
    agents: dict[str, Any] = {"object": Asking, "batched": AskingForAll}
    agent = RandomAgent(acts) if who == "random" else None
    agent = agent or agent_of(masked_model(where) if who == "maskable" else agents[who], who, seen, acts)
    episodes = play(envs, agent, list(range(6)))
    assert episodes.lengths.tolist() == [4, 5, 6, 4, 5, 6]
    np.testing.assert_array_equal(episodes.returns, episodes.lengths)


@pytest.mark.parametrize("where", ["method", "info"])
def test_masks_name_actions_as_the_agent_does_under_a_group(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CATALOGUE", dict(registry.CATALOGUE))
    group = cyclic(3)
    turn = signed_permutation(group, orders=[[1, 2, 0]], signs=[[1, 1, 1]])
    register_symmetry(
        "symbench-tests/Only", SymmetryPair(observation=turn, action=ActionPermutation(group, [[1, 2, 0]]))
    )
    envs = vector.TransformByGroup(envs_of(where), symmetry="symbench-tests/Only", resample="step")
    episodes = play(envs, RandomAgent(envs.single_action_space), list(range(6)))
    np.testing.assert_array_equal(episodes.returns, episodes.lengths)


def test_logits_of_modules_are_masked() -> None:
    envs = envs_of("method")
    agent = ModuleAgent(torch.nn.Linear(3, 3), "net", SENSORS, envs.single_action_space)
    np.testing.assert_array_equal(play(envs, agent, list(range(6))).returns, [4, 5, 6, 4, 5, 6])


@pytest.mark.parametrize("where", ["method", "info"])
@pytest.mark.parametrize("kind", ["mlp", "attention-neuron", "recurrent-attention-neuron"])
def test_networks_choose_what_is_allowed(kind: str, where: str) -> None:
    envs = envs_of(where)
    agent = NetworkAgent(make_network(kind, SENSORS, envs.single_action_space), kind)
    np.testing.assert_array_equal(play(envs, agent, list(range(6))).returns, [4, 5, 6, 4, 5, 6])


def test_random_play_without_a_mask_and_with_one_that_allows_all_is_the_same() -> None:
    for space in (spaces.Discrete(4, start=2), spaces.MultiDiscrete([3, 4])):
        size = int(np.sum(space.nvec)) if isinstance(space, spaces.MultiDiscrete) else 4
        agent, draws = RandomAgent(space), []
        for masks in (None, np.ones((5, size), bool)):
            agent.reset(5, seed=1)
            agent.allow(masks)
            draws.append([agent.act(np.zeros((5, 2))).tolist() for _ in range(100)])
        assert draws[0] == draws[1]


def test_random_play_draws_all_allowed_actions_equally_often() -> None:
    agent = RandomAgent(spaces.MultiDiscrete([3, 2]))
    agent.reset(1000, seed=0)
    agent.allow(np.tile([True, False, True, False, True], (1000, 1)))
    drawn = np.concatenate([agent.act(np.zeros((1000, 2))) for _ in range(10)])
    assert set(map(tuple, drawn.tolist())) == {(0, 1), (2, 1)}
    assert abs((drawn[:, 0] == 0).mean() - 0.5) < 0.02
