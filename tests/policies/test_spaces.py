"""What two spaces must share for an agent of one to play in the other."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import PPO, SAC

from symbench.policies import MLPNetwork, NetworkAgent, RandomAgent, RescaledAgent, SB3Agent, actor_network
from symbench.policies.spaces import described, same_actions, same_observations

UNIT, TWICE = spaces.Box(-1, 1, (1,)), spaces.Box(-2, 2, (1,))


@pytest.mark.parametrize(
    ("own", "task"),
    [
        (UNIT, TWICE),
        (UNIT, spaces.Box(-1, 2, (1,))),
        (UNIT, spaces.Box(-1, 1, (2,))),
        (UNIT, spaces.Box(-np.inf, np.inf, (1,))),
        (UNIT, spaces.Box(-1, 1, (1,), np.int64)),
        (UNIT, spaces.Discrete(1)),
        (spaces.Discrete(2), spaces.Discrete(3)),
        (spaces.Discrete(2), spaces.Discrete(2, start=1)),
        (spaces.Discrete(3), spaces.MultiDiscrete([3])),
        (spaces.MultiDiscrete([2, 2, 2]), spaces.MultiDiscrete([5, 5, 5])),
        (spaces.MultiDiscrete([2, 2]), spaces.MultiDiscrete([2, 2], start=[0, 1])),
        (spaces.MultiBinary(3), spaces.MultiBinary(4)),
        (spaces.MultiBinary(2), spaces.MultiDiscrete([2, 2])),
        (spaces.Dict(a=UNIT), spaces.Dict(b=UNIT)),
        (spaces.Dict(a=UNIT), spaces.Dict(a=TWICE)),
        (spaces.Tuple((UNIT, UNIT)), spaces.Tuple((UNIT, TWICE))),
        (spaces.Tuple((UNIT,)), spaces.Tuple((UNIT, UNIT))),
        (spaces.Tuple((UNIT,)), spaces.Dict(a=UNIT)),
    ],
)
def test_actions_of_other_spaces_mean_something_else(own: Any, task: Any) -> None:
    assert same_actions(own, own)
    assert same_actions(task, task)
    assert not same_actions(own, task)
    assert not same_actions(task, own)
    assert described(own) != described(task)


def test_precision_alone_is_no_difference() -> None:
    own = spaces.Box(np.float32([-0.1, -np.inf]), np.float32([0.1, np.inf]))
    assert same_actions(own, spaces.Box(np.array([-0.1, -np.inf]), np.array([0.1, np.inf]), dtype=np.float64))
    assert same_actions(spaces.Discrete(3), spaces.Discrete(3, dtype=np.int32))


@pytest.mark.parametrize(
    ("own", "task", "same"),
    [
        (UNIT, TWICE, True),  # bounds of sensors: perturbations change them
        (UNIT, spaces.Box(-1, 1, (1,), np.float64), True),
        (UNIT, spaces.Box(-1, 1, (2,)), False),
        (spaces.Box(0, 255, (4,), np.uint8), spaces.Box(0, 1, (4,)), False),
        (spaces.Box(0, 255, (4,), np.uint8), spaces.Box(-np.inf, np.inf, (4,)), True),
        (spaces.Box(0, 255, (8, 8, 1), np.uint8), spaces.Box(0, 1, (8, 8, 1)), False),
        (spaces.Box(0, 255, (8, 8, 1), np.uint8), spaces.Box(-np.inf, np.inf, (8, 8, 1)), False),
        (spaces.Box(0, 255, (8, 8, 1)), spaces.Box(0, 1, (8, 8, 1)), False),
        (spaces.Box(0, 255, (8, 8, 1), np.uint8), spaces.Box(0, 255, (8, 8, 1), np.uint8), True),
        (spaces.Discrete(4), spaces.Discrete(5), False),
        (spaces.MultiDiscrete([2, 3]), spaces.MultiDiscrete([3, 2]), False),
        (spaces.Dict(a=UNIT, b=spaces.Discrete(2)), spaces.Dict(a=TWICE, b=spaces.Discrete(2)), True),
        (spaces.Dict(a=UNIT, b=spaces.Discrete(2)), spaces.Dict(a=UNIT, b=spaces.Discrete(3)), False),
        (spaces.Tuple((UNIT, spaces.Discrete(2))), spaces.Tuple((UNIT, spaces.Discrete(3))), False),
    ],
)
def test_observations(own: Any, task: Any, same: bool) -> None:
    assert same_observations(own, task) is same
    assert same_observations(task, own) is same


class Five(gym.Env):
    """Three choices of five."""

    observation_space = spaces.Box(-1, 1, (3,))
    action_space = spaces.MultiDiscrete([5, 5, 5])


def test_agents_name_both_spaces() -> None:
    two = PPO("MlpPolicy", gym.make("CartPole-v1"), device="cpu")
    two.action_space = spaces.MultiDiscrete([2, 2, 2])
    two.observation_space = Five.observation_space
    reason = SB3Agent(two, "two").incompatibility(Five.observation_space, Five.action_space)
    assert reason == "two acts in MultiDiscrete([2, 2, 2]), the task has MultiDiscrete([5, 5, 5])"
    network = NetworkAgent(MLPNetwork(3, UNIT), "mlp")
    assert network.incompatibility(spaces.Box(-1, 1, (3,)), UNIT) is None
    assert network.incompatibility(spaces.Box(-1, 1, (3,)), TWICE) == (
        "mlp acts in Box(1,) from -1 to 1, the task has Box(1,) from -2 to 2 (AGENT,rescale maps them)"
    )
    assert "from -1 to 1, the task has Box(1,) from -2 to 2" in str(RandomAgent(UNIT).incompatibility(UNIT, TWICE))


def returns(agent: Any, env: gym.Env) -> float:
    agent.reset()
    (observation, _), total, over = env.reset(seed=3), 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        total, over = total + float(reward), terminated or truncated
    return total


@pytest.mark.parametrize("exported", [False, True])
def test_a_model_of_rescaled_actions_plays_when_they_are_mapped(exported: bool) -> None:
    """The first version played SAC of [-1, 1] in Pendulum's [-2, 2] without a word, with half its force."""
    task = gym.make("Pendulum-v1")
    trained_in = RescaleAction(gym.make("Pendulum-v1"), np.float32([-1]), np.float32([1]))
    model = SAC("MlpPolicy", trained_in, seed=0, buffer_size=10, device="cpu")
    agent = NetworkAgent(actor_network(model), "sac") if exported else SB3Agent(model, "sac")
    assert agent.incompatibility(task.observation_space, task.action_space) == (
        "sac acts in Box(1,) from -1 to 1, the task has Box(1,) from -2 to 2 (AGENT,rescale maps them)"
    )
    mapped = RescaledAgent(agent, task.action_space)
    assert mapped.incompatibility(task.observation_space, task.action_space) is None
    assert mapped.preprocessing == ("actions from -1 to 1 are mapped to -2 to 2",)
    assert returns(mapped, task) == pytest.approx(returns(SB3Agent(model, "sac"), trained_in), abs=0.01)
    assert returns(agent, task) != pytest.approx(returns(mapped, task), abs=1)


def test_rescaling_keeps_the_ends_and_the_middle() -> None:
    agent = RescaledAgent(
        NetworkAgent(MLPNetwork(2, spaces.Box(-1, 1, (2,))), "mlp"), spaces.Box(np.float32([0, -3]), np.float32([1, 5]))
    )
    network = agent.agent.network  # type: ignore[attr-defined]
    for bias, expected in (([-9.0, -9.0], [0, -3]), ([0.0, 0.0], [0.5, 1]), ([9.0, 9.0], [1, 5])):
        for parameter in network.parameters():
            parameter.data.zero_()
        network.head[-1].bias.data[:] = torch.tensor(bias)
        agent.reset()
        acted = agent.act(np.zeros(2))
        assert acted.dtype == np.float32
        np.testing.assert_array_equal(acted, np.float32(expected))


@pytest.mark.parametrize(
    "space",
    [spaces.Discrete(1), spaces.Box(-np.inf, np.inf, (1,)), spaces.Box(-2, 2, (2,)), spaces.Box(0, 9, (1,), int)],
)
def test_only_bounds_of_real_numbers_can_be_rescaled(space: spaces.Space) -> None:
    agent = RescaledAgent(NetworkAgent(MLPNetwork(3, UNIT), "mlp"), space)
    assert "only bounds of real numbers can be rescaled" in str(agent.incompatibility(spaces.Box(-1, 1, (3,)), space))
