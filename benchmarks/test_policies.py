"""How fast agents act: one call for a batch of environments beside one call for each, in one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from symbench.policies import NETWORKS, MLPNetwork, NetworkAgent

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
    network = MLPNetwork(SENSORS, 1) if kind == "mlp" else NETWORKS[kind](action_dim=1)
    agent = NetworkAgent(network, kind)
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
