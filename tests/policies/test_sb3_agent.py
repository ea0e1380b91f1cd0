"""Any model of SB3 plays in the benchmark through ``predict``."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from sb3_cases import ACTIONS, ROLLOUTS, Toy, model_of, rough, shown
from sb3_contrib import RecurrentPPO
from stable_baselines3 import PPO

from symbench.policies import SB3Agent


def test_recurrent_state_is_kept_for_each_environment() -> None:
    model = RecurrentPPO("MlpLstmPolicy", gym.make("Pendulum-v1"), seed=0, device="cpu")
    check_states(SB3Agent(model, "lstm"), 3)


@pytest.mark.parametrize("kind", ["attention-neuron", "recurrent-attention-neuron"])
def test_so_is_that_of_a_network(kind: str) -> None:
    check_states(SB3Agent(rough(model_of("RecurrentPPO", kind, "continuous")), "set"), 5)


def check_states(agent: SB3Agent, sensors: int) -> None:
    observations = np.random.default_rng(0).normal(size=(6, 3, sensors)).astype(np.float32)
    agent.reset(3)
    undisturbed = [agent.act(step) for step in observations]
    agent.reset(3)
    for t, step in enumerate(observations):
        if t == 3:
            agent.restart(np.array([False, True, False]))
        actions = agent.act(step)
        np.testing.assert_allclose(actions[[0, 2]], undisturbed[t][[0, 2]], atol=1e-6)
    assert not np.array_equal(actions[1], undisturbed[-1][1])


def test_single_observations_are_taken() -> None:
    agent = SB3Agent(PPO("MlpPolicy", gym.make("CartPole-v1")), "ppo")
    assert np.shape(agent.act(np.zeros(4, dtype=np.float32))) == ()
    agent.reset(7)
    assert agent.act(np.zeros((7, 4), dtype=np.float32)).shape == (7,)


def test_it_says_why_it_does_not_fit() -> None:
    env = gym.make("CartPole-v1")
    agent = SB3Agent(PPO("MlpPolicy", env), "ppo")
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    assert (
        agent.incompatibility(spaces.Box(-1, 1, (9,)), env.action_space) == "ppo observes Box(4,), the task has Box(9,)"
    )
    assert agent.incompatibility(env.observation_space, spaces.Discrete(3)) == (
        "ppo acts in Discrete(2), the task has Discrete(3)"
    )
    toy = Toy(ACTIONS["discrete"], frames=False)
    history = SB3Agent(
        model_of("PPO", "attention-neuron", "discrete", shown(toy, "PPO", "attention-neuron")), "history"
    )
    assert history.incompatibility(toy.observation_space, toy.action_space) == (
        "history observes Dict(actions: Box(3, 3), sensors: Box(5, 3)), the task has Box(5,)"
    )


def test_a_model_of_plain_frames_fits_a_task_that_tells_what_is_hidden() -> None:
    toy = Toy(ACTIONS["discrete"], frames=True)
    agent = SB3Agent(PPO("CnnPolicy", toy, device="cpu", **ROLLOUTS), "cnn")
    masked = spaces.Dict(image=toy.observation_space, mask=spaces.MultiBinary(36))
    assert agent.incompatibility(toy.observation_space, toy.action_space) is None
    assert agent.incompatibility(masked, toy.action_space) is None
    assert agent.incompatibility(spaces.Box(0, 255, (96, 96, 1), np.uint8), toy.action_space) is not None
    agent.reset(2)
    frames = np.random.default_rng(0).integers(0, 256, (2, 36, 36, 1), dtype=np.uint8)
    actions = agent.act({"image": frames, "mask": np.ones((2, 36), np.int8)})
    np.testing.assert_array_equal(actions, agent.act(frames))
