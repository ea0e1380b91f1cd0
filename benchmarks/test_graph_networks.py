"""What a training step of graph networks costs: N-body systems of five charges, batch 100, one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from test_equivariant import in_turn
from torch import nn

from symbench.policies import EGNN, SE3Transformer, SteerableGNN

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

BATCH, NODES = 100, 5


def training_step(net: nn.Module, edge_features: int) -> Callable[[], None]:
    """Forward, backward and Adam, on random scenes."""
    torch.set_num_threads(1)
    positions, velocities = torch.randn(2, BATCH, NODES, 3)
    features = velocities.norm(dim=-1, keepdim=True)
    attributes = torch.randn(BATCH, NODES, NODES, edge_features)
    optimizer = torch.optim.Adam(net.parameters())

    def step() -> None:
        optimizer.zero_grad()
        out = net(features, positions, velocities, edge_attributes=attributes)
        out.positions.square().mean().backward()
        optimizer.step()

    return step


def test_training_an_egnn(benchmark: BenchmarkFixture) -> None:
    """The published size: 4 layers, 64 wide."""
    torch.manual_seed(0)
    benchmark(training_step(EGNN(1, 2, velocity="initial", coordinates="mean"), 2))
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.4f} s", aim="<= .03 s")


def test_training_an_se3_transformer(benchmark: BenchmarkFixture) -> None:
    """Scalars and vectors, 8 channels, 4 layers."""
    torch.manual_seed(0)
    benchmark(training_step(SE3Transformer(1, 1, degrees=2, div=1), 1))
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.4f} s", aim="<= .26 s")


def test_training_a_steerable_network_against_e3nn(benchmark: BenchmarkFixture) -> None:
    """The published size, in closed form, and made of e3nn's products and gates: the same number of parameters."""
    peer = pytest.importorskip("e3nn_peer", reason="needs e3nn")
    torch.manual_seed(0)
    net, theirs = SteerableGNN(1, 1), peer.E3nnSteerableGNN()
    assert parameters(net) == parameters(theirs)
    ours, other = training_step(net, 1), training_step(theirs, 1)
    for _ in range(4):  # e3nn compiles at its first calls
        other()
    benchmark(ours)
    first, second = in_turn([ours, other], 20)
    benchmark.extra_info.update(measured=f"{second / first:.2f}x", aim=">= 1.8x")


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
