"""What an equivariant layer costs beside an ordinary one of the same size, measured in turn, in one run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from symbench.policies.equivariant import BasisLinear, GroupConv2d
from symbench.symmetry import cyclic, dihedral, regular

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_benchmark.fixture import BenchmarkFixture

GROUPS = {"C2": cyclic(2), "C4": cyclic(4), "D4": dihedral(4)}
WIDTH = 64


def in_turn(functions: list[Callable[[], object]], rounds: int) -> list[float]:
    """The shortest time of each, in seconds; by turns, so that what disturbs the machine disturbs all of them."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            found.append(time.perf_counter() - start)
    return [min(found) for found in times]


def training_step(
    layer: nn.Module, inputs: torch.Tensor, forward: Callable[[torch.Tensor], torch.Tensor] | None = None
) -> Callable[[], None]:
    """Forward and backward, through weights and inputs."""
    forward = forward or layer
    towards = torch.randn_like(forward(inputs))

    def step() -> None:
        layer.zero_grad()
        inputs.grad = None
        forward(inputs).backward(towards)

    return step


@pytest.mark.parametrize("batch", [64, 256])
@pytest.mark.parametrize("group", GROUPS)
def test_training_a_layer_against_an_ordinary_one(benchmark: BenchmarkFixture, group: str, batch: int) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rep, size = regular(GROUPS[group]), GROUPS[group].order * WIDTH
    layer, dense = BasisLinear(WIDTH, WIDTH, rep, rep), nn.Linear(size, size)
    # As the layers of an equivariant MLP hand them to each other.
    columns = torch.randn(rep.dim, WIDTH * batch, requires_grad=True)
    ours = training_step(layer, columns, layer.learn)
    theirs = training_step(dense, torch.randn(batch, size, requires_grad=True))
    benchmark(ours)
    first, second = in_turn([ours, theirs], 300)
    benchmark.extra_info.update(measured=f"{first / second:.2f}x", aim="<= 1.3x")


@pytest.mark.parametrize("group", GROUPS)
def test_acting_with_a_layer_against_an_ordinary_one(benchmark: BenchmarkFixture, group: str) -> None:
    """Weights are made once until they change."""
    torch.set_num_threads(1)
    rep, size = regular(GROUPS[group]), GROUPS[group].order * WIDTH
    layer, dense = BasisLinear(WIDTH, WIDTH, rep, rep), nn.Linear(size, size)
    features, flat = torch.randn(64, rep.dim, WIDTH).transpose(1, 2), torch.randn(64, size)
    with torch.inference_mode():
        benchmark(layer, features)
        first, second = in_turn([lambda: layer(features), lambda: dense(flat)], 1000)
    benchmark.extra_info.update(measured=f"{first / second:.2f}x", aim="<= 1.3x")


def test_training_a_convolution_against_an_ordinary_one(benchmark: BenchmarkFixture) -> None:
    """The second convolution of the GridWorld agent, with the 80 frames of its batch."""
    torch.set_num_threads(1)
    layer, plain = GroupConv2d(cyclic(4), ["turn"], 8, 16, 5), nn.Conv2d(32, 64, 5)
    ours = training_step(layer, torch.randn(80, 8, 4, 8, 8, requires_grad=True))
    theirs = training_step(plain, torch.randn(80, 32, 8, 8, requires_grad=True))
    benchmark(ours)
    first, second = in_turn([ours, theirs], 60)
    benchmark.extra_info.update(measured=f"{first / second:.2f}x", aim="<= 1.3x")
