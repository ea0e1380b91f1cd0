"""The page plays what Python plays: physics and networks agree over whole trajectories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from symbench.demo import exported_agent
from symbench.demo.export import TASK
from symbench.envs.cartpole_swingup import CartPoleSwingUpEnv, observation_of
from symbench.policies import (
    AttentionNeuronNetwork,
    HistoryMLPNetwork,
    MLPNetwork,
    RecurrentAttentionNeuronNetwork,
)
from symbench.zoo import bundled, load_agent, save_agent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Page

    Array = NDArray[np.float64]
    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

STEPS = 200
FORCE = Box(-1.0, 1.0, (1,), np.float32)
NETWORKS = {
    "mlp": lambda: MLPNetwork(5, FORCE, hidden=(16, 8)),
    "history-mlp": lambda: HistoryMLPNetwork(5, FORCE, history=6, hidden=(16,)),
    "attention-neuron": lambda: AttentionNeuronNetwork(FORCE, history=6, num_codes=5, key_widths=(12, 10, 7)),
    "attention-neuron-relu": lambda: AttentionNeuronNetwork(FORCE, key_activation="relu", activation="relu"),
    "recurrent": lambda: RecurrentAttentionNeuronNetwork(FORCE),
    "recurrent-biased": lambda: RecurrentAttentionNeuronNetwork(FORCE, bias=True, scale=True, hidden=(9,)),
}
# The page's run in orders and with noise that Python drew; returns (steps, 4) states and (steps,) returns.
PLAY = """([agent, {state, order, noise}]) => {
  const mine = new Session([agent]);
  mine.setNoiseChannels(order.length - SENSORS.length);
  mine.perturbations.order = order;
  const [run] = mine.runs;
  run.begin(state, order.length);
  const states = noise.map((channels) => { run.step(mine.perturbations, channels); return run.state; });
  return { states, returns: run.returns.slice(1) };
}"""


@pytest.fixture
def random_agent(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(3)
    network = NETWORKS[request.param]()
    with torch.no_grad():  # large enough weights that it does something
        for parameter in network.parameters():
            parameter.mul_(2.0)
    save_agent(network, tmp_path / "mine", {"agent": "mine"})
    return tmp_path / "mine"


def an_episode(seed: int, shuffled: bool, channels: int = 0) -> dict[str, Any]:
    """First state, order and noise, as JSON values."""
    generator = np.random.default_rng(seed)
    order = np.arange(5 + channels)
    state = generator.uniform([-1, -1, 2, -1], [1, 1, 4, 1])
    noise = 0.1 * generator.standard_normal((STEPS, channels), dtype=np.float32)
    shuffle = generator.permutation(order) if shuffled else order
    return {"state": state.tolist(), "order": shuffle.tolist(), "noise": noise.tolist()}


def played(path: Path, episode: dict[str, Any], precise: bool = True) -> tuple[Array, Array]:
    """States (T, 4) and returns (T,) of the agent in Python; ``precise``: the network in float64, its actions not."""
    agent, env = load_agent(path), CartPoleSwingUpEnv()
    if precise:
        agent.network.double()
        decode = agent.network.action.decode
        agent.network.action.decode = lambda *given: decode(*given).float().double()
    agent.reset(1)
    env.reset(seed=0)
    env.state = np.array(episode["state"])
    states, rewards = [], []
    for noise in episode["noise"]:
        seen = np.concatenate([observation_of(env.state), np.array(noise, np.float32)])
        _, reward, *_ = env.step(agent.act(seen[episode["order"]]))
        states.append(env.state)
        rewards.append(reward)
    return np.array(states), np.cumsum(rewards)


def differences(page: Page, path: Path, episode: dict[str, Any]) -> float:
    found = page.evaluate(PLAY, [exported_agent(path), episode])
    states, returns = played(path, episode)
    return max(np.abs(states - found["states"]).max(), np.abs(returns - found["returns"]).max())


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ("mlp", "history-mlp", *NETWORKS) if name in bundled(TASK)])
def test_bundled_agents_go_the_same_way_for_200_steps(visit: Open, name: str) -> None:
    page, path = visit(), bundled(TASK)[name][0]
    for seed in range(4):
        for shuffled in (False, True):
            assert differences(page, path, an_episode(seed, shuffled)) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["attention-neuron", "recurrent-attention-neuron"])
def test_agents_of_any_sensors_go_the_same_way_among_noise(visit: Open, name: str) -> None:
    page, path = visit(), bundled(TASK)[name][0]
    for seed in range(4):
        assert differences(page, path, an_episode(seed, True, channels=5)) < 1e-5


@pytest.mark.parametrize("random_agent", NETWORKS, indirect=True)
def test_networks_of_any_size_go_the_same_way(visit: Open, random_agent: Path) -> None:
    page = visit()
    for shuffled in (False, True):
        assert differences(page, random_agent, an_episode(7, shuffled)) < 1e-5


def test_one_wrong_weight_would_be_noticed(visit: Open) -> None:
    page, path = visit(), bundled(TASK)["mlp"][0]
    episode, agent = an_episode(0, False), exported_agent(path)
    exact = page.evaluate(PLAY, [agent, episode])
    agent["weights"]["head.0.bias"]["float32"] = agent["weights"]["head.2.bias"]["float32"]
    changed = page.evaluate(PLAY, [agent, episode])
    assert np.abs(np.array(exact["states"]) - changed["states"]).max() > 1e-2


def test_in_single_precision_actions_agree_step_by_step(visit: Open) -> None:
    """As agents play in Python: rounding grows with time, so each action is compared on the same inputs."""
    page = visit()
    act = """([agent, inputs]) => {
      const network = makeNetwork(agent);
      network.begin(5);
      return inputs.map((seen) => network.act(Float64Array.from(seen)));
    }"""
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((100, 5), dtype=np.float32)
    for name in ("mlp", "attention-neuron", "recurrent-attention-neuron"):
        agent = load_agent(bundled(TASK)[name][0])
        agent.reset(1)
        expected = [float(agent.act(seen)[0]) for seen in inputs]
        found = page.evaluate(act, [exported_agent(bundled(TASK)[name][0]), inputs.tolist()])
        assert np.abs(np.array(expected) - found).max() < 1e-4, name


def test_first_states_are_those_of_the_task(visit: Open) -> None:
    code = "() => Array.from({ length: 4000 }, (_, seed) => firstState(new Random(seed, 0), 'task'))"
    states = np.array(visit().evaluate(code))
    low, high = np.array([-2.4, -10, np.pi / 2, -10]), np.array([2.4, 10, 3 * np.pi / 2, 10])
    assert (states >= low).all() and (states <= high).all()
    deciles = np.quantile((states - low) / (high - low), np.arange(0.1, 1, 0.1), axis=0)
    assert np.abs(deciles - np.arange(0.1, 1, 0.1)[:, None]).max() < 0.03


def test_orders_and_noise_are_drawn_fairly(visit: Open) -> None:
    code = """() => { const random = new Random(0, 1), found = [];
      for (let i = 0; i < 6000; i++) found.push(random.shuffled([0, 1, 2]).join(''));
      return { orders: found, noise: found.map(() => random.normal()) }; }"""
    found = visit().evaluate(code)
    _, counts = np.unique(found["orders"], return_counts=True)
    assert len(counts) == 6 and (np.abs(counts - 1000) < 120).all()
    assert abs(np.mean(found["noise"])) < 0.05 and abs(np.std(found["noise"]) - 1) < 0.05
