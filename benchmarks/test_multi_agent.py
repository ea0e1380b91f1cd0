"""How fast the array programs of multi-agent environments are, against one game after the other in plain Python."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.envs.multi_agent.traffic import TrafficVectorEnv
from symbench.envs.multi_agent.wildlife import WildlifeVectorEnv
from tests.envs.multi_agent.scalar_traffic import ScalarTraffic
from tests.envs.multi_agent.scalar_wildlife import ScalarWildlife

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BATCH, STEPS = 256, 40  # games at once, steps of each


def wildlife(envs: Any, i: int) -> Any:
    game = ScalarWildlife(7, 7, envs.state["cells"][i].tolist())
    moves = envs.state["poacher_moves"][i].tolist()

    def step(t: int, actions: list[int]) -> None:
        game.step(actions, moves[t])
        game.images()

    return step


def traffic(envs: Any, i: int) -> Any:
    arrivals = [(int(t), int(lane)) for lane, t in np.argwhere(envs.state["arrivals"][i])]
    world = ScalarTraffic(envs.state["lights"][i].tolist(), arrivals, in_order=envs.published_order)

    def step(t: int, actions: list[int]) -> None:
        world.step(actions)
        world.images()

    return step


@pytest.mark.parametrize(
    ("envs", "scalar", "actions", "aim"),
    [
        pytest.param(WildlifeVectorEnv(BATCH), wildlife, (5, 3), 20, id="wildlife"),
        pytest.param(TrafficVectorEnv(BATCH), traffic, (2, 4), 10, id="traffic"),
        pytest.param(TrafficVectorEnv(BATCH, published_order=True), traffic, (2, 4), 10, id="traffic-published-order"),
    ],
)
def test_a_batch_against_one_after_the_other(
    benchmark: BenchmarkFixture, envs: Any, scalar: Any, actions: tuple[int, int], aim: int
) -> None:
    choices, agents = actions
    drawn = np.random.default_rng(0).integers(choices, size=(STEPS, BATCH, agents))
    plain, batched = [], []
    for _ in range(3):  # turn by turn, so that both meet the same disturbances
        envs.reset(seed=0)
        games = [scalar(envs, i) for i in range(16)]
        start = perf_counter()
        for t in range(STEPS):
            for game, given in zip(games, drawn[t].tolist(), strict=False):
                game(t, given)
        plain.append((perf_counter() - start) / STEPS / len(games))
        start = perf_counter()
        for given in drawn:
            envs.step(given)
        batched.append((perf_counter() - start) / STEPS / BATCH)
    benchmark(envs.step, drawn[0])
    benchmark.extra_info.update(
        measured=f"{min(plain) / min(batched):.0f}x",
        aim=f">= {aim}x",
        microseconds=round(1e6 * min(batched), 2),
        plain_microseconds=round(1e6 * min(plain), 1),
    )
