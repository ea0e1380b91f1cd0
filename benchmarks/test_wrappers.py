"""How fast the wrappers are, as ratios measured side by side. Run with ``make bench``."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.wrappers import PERTURBATIONS, wrapper_of
from symbench.wrappers.patches import ShufflePatches

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

FRAME = (96, 96, 3)
PATCH = 6


class Still(gym.Env[Any, Any]):
    """Costs nothing."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self, space: gym.Space[Any]) -> None:
        self.observation_space = space
        space.seed(0)
        self.returned = space.sample(), 0.0, False, False, {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.returned[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self.returned


def double_loop(frame: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The plain way to shuffle patches."""
    columns = frame.shape[1] // PATCH
    shuffled = np.empty_like(frame)
    for i in range(frame.shape[0] // PATCH):
        for j in range(columns):
            source = order[i * columns + j]
            r, c = source // columns, source % columns
            shuffled[i * PATCH : (i + 1) * PATCH, j * PATCH : (j + 1) * PATCH] = frame[
                r * PATCH : (r + 1) * PATCH, c * PATCH : (c + 1) * PATCH
            ]
    return shuffled


def fastest(function: Any, *arguments: Any, calls: int) -> float:
    """Microseconds of the fastest of some calls."""
    times = []
    for _ in range(calls):
        start = perf_counter_ns()
        function(*arguments)
        times.append(perf_counter_ns() - start)
    return min(times) / 1000


def test_shuffle_patches_against_a_double_loop(benchmark: BenchmarkFixture) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (1, *FRAME), dtype=np.uint8)
    shuffle = ShufflePatches(patch_size=PATCH)
    shuffle.bind(gym.spaces.Box(0, 255, FRAME, np.uint8), gym.spaces.Discrete(2), 1, 0)
    drawn = shuffle.draw(np.random.default_rng(1), 1)
    order = np.random.default_rng(1).permuted(np.arange(256)[None], axis=1)[0]
    assert np.array_equal(benchmark(shuffle.apply, frames, drawn)[0], double_loop(frames[0], order))
    times = [  # turn by turn, so that both meet the same disturbances, of which the fastest calls are free
        (fastest(double_loop, frames[0], order, calls=20), fastest(shuffle.apply, frames, drawn, calls=1000))
        for _ in range(40)
    ]
    loop, ours = (min(column) for column in zip(*times, strict=True))
    benchmark.extra_info.update(
        measured=f"{loop / ours:.1f}x",
        aim=">= 50x",
        microseconds=round(ours, 2),
        double_loop_microseconds=round(loop, 1),
    )


def world_for(name: str) -> tuple[Still, dict[str, str]]:
    """An environment that does nothing, the first of which the wrapper takes, and the parameters that it needs."""
    if name == "TransformByGroup":
        return Still(gym.spaces.Box(-1, 1, (4,))), {"symmetry": "CartPole-v1"}
    for space in (gym.spaces.Box(-1, 1, (5,)), gym.spaces.Box(0, 255, FRAME, np.uint8), gym.spaces.Box(-1, 1, (6, 4))):
        with suppress(SymbenchError):
            wrapper_of(name)(Still(space))
            return Still(space), {}
    raise AssertionError(f"{name} takes neither sensors nor frames nor entities")


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_cost_of_a_step_at_severity_zero(benchmark: BenchmarkFixture, name: str) -> None:
    env, parameters = world_for(name)
    wrapped = wrapper_of(name)(env, severity=0, **parameters)
    wrapped.reset(seed=0)
    benchmark(wrapped.step, 0)
    cost = fastest(wrapped.step, 0, calls=5000) - fastest(env.step, 0, calls=5000)
    benchmark.extra_info.update(measured=f"{cost:.2f} us", aim="< 2 us")


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_cost_of_a_step_at_severity_three(benchmark: BenchmarkFixture, name: str) -> None:
    env, parameters = world_for(name)
    wrapped = wrapper_of(name)(env, severity=3, **parameters)
    wrapped.reset(seed=0)
    benchmark(wrapped.step, 0)


def test_cost_of_a_group_element(benchmark: BenchmarkFixture) -> None:
    """Observation and action, without the wrapper's own call."""
    env, parameters = world_for("TransformByGroup")
    transform = wrapper_of("TransformByGroup")(env, **parameters).transform
    seen, actions = np.ones((1, 4), np.float32), np.ones(1, np.int64)
    transform.reset(seen, np.ones(1, dtype=bool), [0])
    benchmark(transform.step, seen, actions)
    cost = fastest(transform.step, seen, actions, calls=5000) + fastest(transform.act, actions, calls=5000)
    benchmark.extra_info.update(measured=f"{cost:.2f} us", aim="< 5 us")
