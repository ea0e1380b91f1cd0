"""How fast batches of routing environments are per tour, against one tour after the other in plain Python."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.envs.routing.cvrp import CVRPVectorEnv
from symbench.envs.routing.tsp import TSPVectorEnv
from tests.envs.routing.test_tour_envs import drawn, scalar

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BATCH, STEPS, ALONE = 2000, 300, 30  # tours at once, steps of each environment; tours one after the other


def batch_of_tours(envs: Any) -> float:
    """Seconds per tour, the draw of the next instances included; of this process, whatever else runs."""
    rng, seconds, tours = np.random.default_rng(0), 0.0, 0
    shown = envs.observe()
    for _ in range(STEPS):
        actions = drawn(shown["action_mask"], rng)
        start = process_time()
        shown, _, ended, *_ = envs.step(actions)
        seconds += process_time() - start
        tours += int(ended.sum())
    return seconds / tours


def one_after_the_other(envs: Any) -> float:
    """Seconds per tour, without the draw of instances."""
    rng, seconds = np.random.default_rng(0), 0.0
    for i in range(ALONE):
        game, ended = scalar(envs, i), False
        shown = game.observe()
        while not ended:
            action = int(drawn(shown["action_mask"][None], rng)[0])
            start = process_time()
            shown, _, ended = game.step(action)
            seconds += process_time() - start
    return seconds / ALONE


@pytest.mark.parametrize(
    "envs", [pytest.param(TSPVectorEnv(BATCH), id="tsp"), pytest.param(CVRPVectorEnv(BATCH), id="cvrp")]
)
def test_a_batch_against_one_after_the_other(benchmark: BenchmarkFixture, envs: Any) -> None:
    plain, batched = [], []
    for _ in range(3):  # turn by turn, so that both meet the same disturbances
        envs.reset(seed=0)
        plain.append(one_after_the_other(envs))
        batched.append(batch_of_tours(envs))
    benchmark(envs.observe)
    benchmark.extra_info.update(
        measured=f"{min(plain) / min(batched):.0f}x",
        aim=">= 50x",
        batch=BATCH,
        microseconds=round(1e6 * min(batched), 2),
        plain_microseconds=round(1e6 * min(plain), 1),
    )
