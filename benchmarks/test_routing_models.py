"""Attention model on 1,000 instances of TSP20: all at once against one instance at a time, both in this run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.policies import NetworkAgent
from symbench.policies.routing import AttentionModel, greedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

INSTANCES, CITIES, ALONE = 1000, 20, 20


def seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    """Least processor time."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)


def played(agent: NetworkAgent, cities: np.ndarray) -> list[int]:
    """One tour, step by step, as an agent plays it in an environment."""
    agent.reset(1)
    tour: list[int] = []
    mask = np.ones(len(cities), np.int8)
    for _ in range(len(cities)):
        ends = {"first": tour[0] if tour else len(cities), "current": tour[-1] if tour else len(cities)}
        tour.append(int(agent.act({"cities": cities, **ends, "action_mask": mask})))
        mask[tour[-1]] = 0
    return tour


def test_greedy_tours_of_a_batch_against_one_at_a_time(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(1)
    model = AttentionModel().eval()
    cities = torch.rand(INSTANCES, CITIES, 2, generator=torch.Generator().manual_seed(0))
    agent, some = NetworkAgent(model, "attention-model"), [one.numpy() for one in cities[:ALONE]]
    tours = greedy(model, {"cities": cities[:ALONE]}).nodes[:, 0].tolist()
    assert [played(agent, one) for one in some] == tours
    benchmark(greedy, model, {"cities": cities})
    together = seconds(lambda: greedy(model, {"cities": cities}))
    alone = seconds(lambda: [played(agent, one) for one in some]) * INSTANCES / ALONE
    benchmark.extra_info.update(measured=f"{alone / together:.1f}x", aim=">= 20x")
