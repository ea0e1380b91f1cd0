"""How fast agents act: one call for a batch of environments beside one call for each, in one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest
import torch

import symbench.envs  # noqa: F401
from symbench.policies import NETWORKS, NetworkAgent, VisionAttentionNeuronNetwork
from symbench.policies.vision.patches import to_patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

BATCH = 256
SENSORS = 5  # cart-pole


def seconds(function: Callable[[], object], repeats: int) -> float:
    """The shortest of some runs: what the machine can do when nothing disturbs it."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def agent_of(kind: str, num_envs: int) -> NetworkAgent:
    agent = NetworkAgent(NETWORKS[kind](action_space=gym.spaces.Box(-1, 1, (1,))), kind)
    agent.reset(num_envs)
    return agent


@pytest.mark.parametrize("kind", ["attention-neuron", "recurrent-attention-neuron"])
def test_a_batch_of_256_against_256_single_calls(benchmark: BenchmarkFixture, kind: str) -> None:
    torch.set_num_threads(1)
    observations = np.random.default_rng(0).normal(size=(BATCH, SENSORS)).astype(np.float32)
    batch, single = agent_of(kind, BATCH), agent_of(kind, 1)

    def one_by_one() -> None:
        for observation in observations:
            single.act(observation)

    one_by_one()
    benchmark(batch.act, observations)
    ratio = seconds(one_by_one, 7) / seconds(lambda: batch.act(observations), 200)
    benchmark.extra_info.update(measured=f"{ratio:.0f}x", aim=">= 50x")


def one_at_a_time(network: VisionAttentionNeuronNetwork, stack: np.ndarray, action: torch.Tensor) -> torch.Tensor:
    """The published algorithm: patches (4, H, W) cut by two loops, attention over all of them, one observation."""
    layer, size, pictures = network.layer, network.patch_size, torch.from_numpy(stack).float() / 255.0
    patches = []
    for row in range(0, pictures.shape[1], size):
        for column in range(0, pictures.shape[2], size):
            patches.append(pictures[:, row : row + size, column : column + size].flatten(1))
    frames = torch.stack(patches)
    told = action.expand(len(frames), -1)
    keys = layer.project_key(torch.cat([(frames[:, 1:] - frames[:, :-1]).flatten(1), told], dim=1))
    values = layer.project_value(layer.norm_patch(frames).flatten(1))
    scores = layer.project_query(layer.queries) @ keys.T / keys.shape[1] ** 0.5
    codes = layer.norm_code(torch.relu(torch.softmax(scores, dim=-1) @ values))
    return network.head(network.head.features(codes[None]), ())[0][0]


def test_64_frames_of_pong_against_the_published_algorithm(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(1)
    network = VisionAttentionNeuronNetwork(gym.spaces.Discrete(6)).eval()
    frames, action = frames_of_pong(67), torch.zeros(6)
    stacks = [np.ascontiguousarray(frames[i : i + 4, ..., 0]) for i in range(64)]
    cut = to_patches(torch.from_numpy(frames), network.patch_size)
    patches = torch.stack([cut[i : i + 4].transpose(0, 1) for i in range(64)]).contiguous()
    newest, state = torch.from_numpy(frames[3:]), (torch.ones(64, 1, dtype=torch.bool), patches, torch.zeros(64, 6))

    def batch() -> torch.Tensor:
        with torch.inference_mode():
            return network.logits(newest, state)[0]

    def singles() -> torch.Tensor:
        with torch.inference_mode():
            return torch.stack([one_at_a_time(network, stack, action) for stack in stacks])

    with torch.inference_mode():
        known = network.head(network.features(patches, torch.zeros(64, 6), None), ())[0]
    torch.testing.assert_close(singles(), known, atol=1e-4, rtol=0)
    benchmark(batch)
    ratio = seconds(singles, 5) / seconds(batch, 20)
    benchmark.extra_info.update(measured=f"{ratio:.1f}x", aim=">= 10x")


def frames_of_pong(count: int) -> np.ndarray:
    """Frames of a game with random actions, (count, 84, 84, 1), after the ball came into play."""
    env = gym.make("symbench/Pong-v0")
    env.reset(seed=0)
    env.action_space.seed(0)
    return np.stack([env.step(env.action_space.sample())[0] for _ in range(30 + count)][30:])
