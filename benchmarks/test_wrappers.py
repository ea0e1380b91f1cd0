"""How fast the wrappers are, as ratios measured side by side. Run with ``pytest benchmarks --benchmark-enable``."""

from __future__ import annotations

import timeit
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.wrappers import PERTURBATIONS, wrapper_of
from symbench.wrappers.images import ShufflePatches

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


def microseconds(function: Any, number: int, repeat: int = 15) -> float:
    """The best of ``repeat`` timings: the least disturbed one."""
    return min(timeit.repeat(function, number=number, repeat=repeat)) / number * 1e6


def test_shuffle_patches_against_a_double_loop(benchmark):
    frames = np.random.default_rng(0).integers(0, 256, (1, *FRAME), dtype=np.uint8)
    shuffle = ShufflePatches(patch_size=PATCH)
    shuffle.bind(gym.spaces.Box(0, 255, FRAME, np.uint8), gym.spaces.Discrete(2), 1, 0)
    drawn = shuffle.draw(np.random.default_rng(1), 1)
    order = np.random.default_rng(1).permuted(np.arange(256)[None], axis=1)[0]
    assert np.array_equal(benchmark(shuffle.apply, frames, drawn)[0], double_loop(frames[0], order))
    ratios = []
    for _ in range(5):  # side by side, so that both meet the same disturbances
        loop = microseconds(lambda: double_loop(frames[0], order), number=50, repeat=5)
        ratios.append(loop / microseconds(lambda: shuffle.apply(frames, drawn), number=2000, repeat=5))
    benchmark.extra_info["times_faster_than_double_loop"] = round(float(np.median(ratios)), 1)
    benchmark.extra_info["double_loop_microseconds"] = round(loop, 1)
    assert np.median(ratios) >= 50


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_severity_zero_costs_less_than_two_microseconds(benchmark, name):
    image = name in ("ShufflePatches", "OccludePatches", "SwapBackground")
    env = Still(gym.spaces.Box(0, 255, FRAME, np.uint8) if image else gym.spaces.Box(-1, 1, (5,)))
    wrapped = wrapper_of(name)(env, severity=0)
    wrapped.reset(seed=0)
    benchmark(wrapped.step, 0)
    cost = microseconds(lambda: wrapped.step(0), number=5000) - microseconds(lambda: env.step(0), number=5000)
    benchmark.extra_info["added_microseconds"] = round(cost, 3)
    assert cost < 2.0


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_cost_of_a_step_at_severity_three(benchmark, name):
    image = name in ("ShufflePatches", "OccludePatches", "SwapBackground")
    env = Still(gym.spaces.Box(0, 255, FRAME, np.uint8) if image else gym.spaces.Box(-1, 1, (5,)))
    wrapped = wrapper_of(name)(env, severity=3)
    wrapped.reset(seed=0)
    benchmark(wrapped.step, 0)
