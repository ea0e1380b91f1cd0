"""Attention model on 1,000 instances of TSP20: all at once against one instance at a time, both in this run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from symbench.policies import NetworkAgent
from symbench.policies.routing import AttentionModel, greedy

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

INSTANCES, CITIES, ALONE = 1000, 20, 20


def seconds(work: Callable[[], Any], repeats: int = 3) -> float:
    """Least processor time of some runs."""
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


@torch.no_grad()
def bare_products(model: AttentionModel) -> None:
    """The products with weights of all nodes of all instances and nothing else, in parts of the model's own size."""
    part = model.micro_batch_size((CITIES, 2))
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear) and layer is not model.decoder.whole]
    for layer in layers:
        nodes = torch.ones(part * CITIES, layer.in_features)
        out = torch.empty(part * CITIES, layer.out_features)
        for _ in range(INSTANCES // part):
            torch.mm(nodes, layer.weight.T, out=out)


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
    least = seconds(lambda: bare_products(model))
    benchmark.extra_info.update(
        measured=f"{alone / together:.1f}x",
        aim=">= 20x",
        seconds=round(together, 3),
        seconds_alone=round(alone, 3),
        seconds_of_bare_products=round(least, 3),
        were_it_nothing_else=f"{alone / least:.1f}x",
    )
