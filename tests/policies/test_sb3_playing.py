"""The network that trains is the one that plays: alone, on the plain environment, it does what its model does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import ACTIONS, FRAMES, ON_POLICY, TRAINED, Toy, model_of, plain, rough, shown

from symbench.policies import NetworkAgent, SB3Agent, actor_network
from symbench.wrappers import OccludePatches, SensorHistory, TransformByGroup
from symbench.zoo import load_agent, save_agent

if TYPE_CHECKING:
    from symbench.policies import Agent

OTHER_ACTIONS: dict[str, spaces.Space[Any]] = {
    "several choices": spaces.MultiDiscrete([2, 3]),
    "switches": spaces.MultiBinary(3),
    "a table of numbers": spaces.Box(-1, 1, (2, 2)),
}


def episode(model: Any, agent: Agent, own: gym.Env[Any, Any], task: gym.Env[Any, Any], seed: int) -> list[Any]:
    """What both do, step by step: the model as it sees the environment, the agent as the task shows it."""
    (observation, _), (plainly, _) = own.reset(seed=seed), task.reset(seed=seed)
    state, begins, over, played = None, True, False, []
    masked = type(model).__name__ == "MaskablePPO"
    agent.reset(seed=0)
    while not over:
        options: dict[str, Any] = {}
        if masked:
            masks = task.get_wrapper_attr("action_masks")()
            options = {"action_masks": masks}
            agent.allow(masks[None])
        action, state = model.predict(
            observation, state=state, episode_start=np.array([begins]), deterministic=True, **options
        )
        np.testing.assert_allclose(agent.act(plainly), action, atol=1e-4)
        played.append(action)
        observation, *_ = own.step(action)
        plainly, _, terminated, truncated, _ = task.step(action)
        over, begins = terminated or truncated, False
    return played


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind", "form"), TRAINED)
def test_the_network_plays_as_its_model_also_when_it_was_saved(name: str, kind: str, form: str, tmp_path: Path) -> None:
    model = model_of(name, kind, form).learn(32)
    network = actor_network(model)
    assert network is model.policy.network is actor_network(model.policy)
    own, task, played = shown(plain(kind, form), name, kind), plain(kind, form), list[Any]()
    for seed in range(4):
        rough(model, seed=seed)
        save_agent(network, tmp_path / "mine", {"agent": "mine"})
        for agent in (NetworkAgent(network, "mine"), load_agent(tmp_path / "mine")):
            assert agent.incompatibility(task.observation_space, task.action_space) is None
            played += episode(model, agent, own, task, seed)
    assert len(np.unique(np.round(played, 4), axis=0)) > 1
    assert task.allowed or name != "MaskablePPO"


@pytest.mark.parametrize("name", [name for name in ON_POLICY if name != "MaskablePPO"])
@pytest.mark.parametrize("actions", OTHER_ACTIONS)
def test_any_form_of_actions_is_trained_and_played(name: str, actions: str) -> None:
    kind = "attention-neuron" if name == "RecurrentPPO" else "mlp"
    toys = [Toy(OTHER_ACTIONS[actions], frames=False) for _ in range(2)]
    own = shown(toys[0], name, kind)
    model, played = model_of(name, kind, "discrete", own).learn(64), list[Any]()
    agent = NetworkAgent(model.policy.network, "mine")
    for seed in range(3):
        played += episode(rough(model, seed=seed), agent, own, toys[1], seed)
    assert len(np.unique(np.round(played, 4), axis=0)) > 1


@pytest.mark.parametrize("name", ["PPO", "RecurrentPPO", "DQN"])
def test_hidden_patches_are_hidden_from_both(name: str) -> None:
    """The mask reaches the network through SB3, and through the benchmark."""
    kind = "vision-attention-neuron"
    tasks = [OccludePatches(plain(kind, "discrete"), ratio=0.5, patch_size=6, patch_mask=True) for _ in range(2)]
    own = shown(tasks[0], name, kind)
    model = rough(model_of(name, kind, "discrete", own).learn(32))
    agent = NetworkAgent(model.policy.network, "mine")
    assert agent.incompatibility(tasks[1].observation_space, tasks[1].action_space) is None
    episode(model, agent, own, tasks[1], seed=0)


@pytest.mark.parametrize("kind", ["vision-attention-neuron", "set-transformer"])
def test_pixels_are_read_exactly(kind: str) -> None:
    """SB3 gives floats; patches of the right places, of every frame, come out as the bytes they were."""
    network = model_of("PPO", kind, "discrete").policy.network
    pixels = torch.arange(256, dtype=torch.uint8).repeat(2 * 36 * 36 // 256 + 1)[: 2 * 36 * 36].reshape(1, 2, 36, 36)
    told = torch.tensor([[0.0, 1.0, 0.0]])
    history, previous, mask = network.remembered({"frames": pixels.float(), "previous_action": told})
    assert history.dtype == torch.uint8 and mask is None and previous is told
    state = network.initial_state(1, 36, 36, 1)
    for frame in pixels[0]:
        (expected, *_), state = network.perceive(frame[None, :, :, None], state)
    assert torch.equal(history, expected)
    assert torch.equal(history[0, 7, 1], pixels[0, 1, 6:12, 6:12].flatten())


@pytest.mark.parametrize(("name", "kind"), [("PPO", "nature-cnn"), ("DQN", "equivariant-cnn"), ("SAC", "nature-cnn")])
def test_frames_are_the_bytes_they_were(name: str, kind: str) -> None:
    """SB3 hands them over as numbers from 0 to 255, and divides nothing."""
    model = model_of(name, kind, "continuous" if name == "SAC" else "discrete")
    network, observations = model.policy.network.eval(), model.get_env().reset()
    tensor, _ = model.policy.obs_to_tensor(observations)
    with torch.no_grad():
        seen = network.remembered(model.policy.extract_features(tensor, model.policy.make_features_extractor()))
    assert torch.equal(seen[0], tensor["frames"].float() if isinstance(tensor, dict) else tensor.float())
    assert seen[0].max() > 200


@pytest.mark.parametrize("kind", ["attention-neuron", "equivariant-mlp"])
def test_the_network_is_no_copy(kind: str) -> None:
    model = model_of("PPO", kind, "discrete")
    network = model.policy.network
    before = [parameter.clone() for parameter in network.parameters()]
    model.learn(32)
    assert model.policy.network is network
    assert not all(map(torch.equal, before, network.parameters()))


def rewards_of(env: gym.Env[Any, Any], agent: NetworkAgent, steps: int = 60) -> list[float]:
    observation, _ = env.reset(seed=0)
    agent.reset()
    rewards = []
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return rewards


@pytest.mark.parametrize(("name", "env_id"), [("PPO", "CartPole-v1"), ("DQN", "CartPole-v1"), ("SAC", "Pendulum-v1")])
def test_a_transformed_environment_is_played_alike(name: str, env_id: str) -> None:
    """The sharpest test of a policy from end to end, and one that needs no symmetry of the environment."""
    model = model_of(name, "equivariant-mlp", "", gym.make(env_id), table={"symmetry": env_id, "hidden": [8]})
    agent = NetworkAgent(rough(model.learn(40), 0.1).policy.network, name, dtype=torch.float64)
    plainly = rewards_of(gym.make(env_id), agent)
    transformed = rewards_of(TransformByGroup(gym.make(env_id), symmetry=env_id, element=1), agent)
    assert len(plainly) > 5
    np.testing.assert_allclose(transformed, plainly, atol=1e-4)


def test_models_of_the_benchmark_play_through_sb3_too() -> None:
    own = SensorHistory(Toy(ACTIONS["discrete"], frames=False), length=3)
    model = rough(model_of("PPO", "attention-neuron", "discrete", own))
    agent, observation = SB3Agent(model, "mine"), own.reset(seed=0)[0]
    assert agent.incompatibility(own.observation_space, own.action_space) is None
    assert agent.act(observation) == model.predict(observation, deterministic=True)[0]
    assert "attention-neuron" not in FRAMES
