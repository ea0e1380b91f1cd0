"""What a training step of graph networks costs: N-body systems of five charges, batch 100, one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from symbench.policies import EGNN

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

    from symbench.policies.graph import GraphNetwork

BATCH, NODES = 100, 5


def training_step(net: GraphNetwork) -> Callable[[], None]:
    """Forward, backward and Adam, on random scenes."""
    torch.set_num_threads(1)
    positions, velocities = torch.randn(2, BATCH, NODES, 3)
    features = velocities.norm(dim=-1, keepdim=True) if net.num_features else None
    attributes = torch.randn(BATCH, NODES, NODES, net.num_edge_features)
    optimizer = torch.optim.Adam(net.parameters())

    def step() -> None:
        optimizer.zero_grad()
        net(features, positions, velocities, edge_attributes=attributes).positions.square().mean().backward()
        optimizer.step()

    return step


def test_training_an_egnn(benchmark: BenchmarkFixture) -> None:
    """The published size: 4 layers, 64 wide."""
    torch.manual_seed(0)
    benchmark(training_step(EGNN(1, 2, velocity="initial", coordinates="mean")))
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.4f} s", aim="<= .03 s")
