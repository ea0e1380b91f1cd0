"""Environments and parameters for tests over the whole registry of wrappers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Frames(gym.Env[Any, Any]):
    """Random frames of which about half of the pixels are black, with discrete actions."""

    def __init__(self, shape: Sequence[int] = (12, 18, 3)) -> None:
        self.observation_space = gym.spaces.Box(0, 255, tuple(shape), np.uint8)
        self.action_space = gym.spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self._frame(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return self._frame(), float(action), False, False, {}

    def _frame(self) -> np.ndarray:
        shape = self.observation_space.shape
        bright = self.np_random.integers(1, 256, shape, dtype=np.uint8)
        return bright * self.np_random.integers(0, 2, (*shape[:2], *[1] * (len(shape) - 2)), dtype=np.uint8)


gym.register("symbench-tests/Frames-v0", entry_point=f"{__name__}:Frames", max_episode_steps=200)

SENSOR_ENVS: tuple[Callable[[], gym.Env[Any, Any]], ...] = (
    partial(gym.make, "CartPole-v1"),  # four sensors, discrete actions, ends early
    partial(gym.make, "Pendulum-v1"),  # three sensors, one continuous action
)
FRAME_ENVS: tuple[Callable[[], gym.Env[Any, Any]], ...] = tuple(
    partial(gym.make, "symbench-tests/Frames-v0", shape=shape)
    for shape in ([12, 18, 3], [12, 12], [24, 6, 1], [6, 12, 4])
)

ENTITY_ENVS: tuple[Callable[[], gym.Env[Any, Any]], ...] = (
    partial(gym.make, "symbench/Wildlife-v0", width=5, height=5),  # images and positions, an action for each drone
    partial(gym.make, "symbench/Pursuit-v0"),  # three agents with forces, and one other body
)

RESAMPLE = st.one_of(
    st.sampled_from(["episode", "step"]),
    st.integers(1, 40),
    st.builds("every: {}".format, st.integers(1, 40)),
    st.builds(lambda t: {"every": t}, st.integers(1, 40)),
)
PATCH_SIZE = st.sampled_from([1, 2, 3, 6])

PARAMETERS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "ShuffleSensors": st.fixed_dictionaries({"resample": RESAMPLE}),
    "AddNoiseChannels": st.fixed_dictionaries(
        {"n": st.integers(1, 200), "sigma": st.floats(0.001, 10.0), "vary": st.booleans()}
    ),
    "DuplicateSensors": st.fixed_dictionaries({"copies": st.integers(1, 5), "vary": st.booleans()}),
    "DropSensors": st.fixed_dictionaries({"ratio": st.floats(0.01, 1.0)}),
    "SensorNoise": st.fixed_dictionaries({"sigma": st.floats(0.01, 3.0)}),
    "ShufflePatches": st.fixed_dictionaries({"patch_size": PATCH_SIZE.filter(lambda p: p < 6), "resample": RESAMPLE}),
    "OccludePatches": st.fixed_dictionaries(
        {
            "ratio": st.floats(0.01, 1.0),
            "patch_size": PATCH_SIZE,
            "fill": st.integers(0, 255),
            "patch_mask": st.booleans(),
        }
    ),
    "SwapBackground": st.fixed_dictionaries(
        {
            "background": st.sampled_from(["noise", "stripes", "clouds", "checker", "gradient", "moving", "mixed"]),
            "tolerance": st.integers(0, 255),
            "strength": st.floats(0.2, 1.0),
        }
    ),
    "TransformByGroup": st.fixed_dictionaries(
        {"symmetry": st.just("CartPole-v1"), "element": st.sampled_from([None, 0, 1]), "resample": RESAMPLE}
    ),
    "ShuffleEntities": st.fixed_dictionaries({"resample": RESAMPLE}),
    "DropEntities": st.fixed_dictionaries({"ratio": st.floats(0.01, 1.0)}),
    "DelayObservations": st.fixed_dictionaries({"steps": st.integers(1, 6)}),
    "PreviousAction": st.just({}),
    "SensorHistory": st.fixed_dictionaries({"length": st.integers(1, 12)}),
    "FrameHistory": st.fixed_dictionaries({"length": st.integers(1, 6)}),
}
"""For each wrapper, parameters under which it must have an effect."""

NEEDED: dict[str, dict[str, Any]] = {"TransformByGroup": {"symmetry": "CartPole-v1"}}
"""Parameters that no severity sets and that have no default."""

OF_FRAMES = ("ShufflePatches", "OccludePatches", "SwapBackground", "FrameHistory")


def environments_for(name: str) -> tuple[Callable[[], gym.Env[Any, Any]], ...]:
    """Environments that a wrapper can work on."""
    if name == "PreviousAction":
        return (*SENSOR_ENVS, *FRAME_ENVS)
    if name == "TransformByGroup":
        return SENSOR_ENVS[:1]
    if name.endswith("Entities"):
        return ENTITY_ENVS
    return FRAME_ENVS if name in OF_FRAMES else SENSOR_ENVS


def space_for(name: str) -> gym.spaces.Box:
    """Observations that a wrapper can work on."""
    if name in OF_FRAMES:
        return gym.spaces.Box(0, 255, (12, 12, 3), np.uint8)
    return gym.spaces.Box(-9, 9, (4, 2) if name.endswith("Entities") else (4,), np.float32)


def batch(transform: Any, space: gym.Space[Any], num_envs: int, actions: gym.Space[Any] | None = None) -> Any:
    """Bind a transform to a space and begin an episode everywhere, seeds 0, 1, ..., with the observations returned."""
    transform.bind(space, actions or gym.spaces.Discrete(2), num_envs, 0)
    space.seed(0)
    observations = np.stack([space.sample() for _ in range(num_envs)])
    return observations, transform.reset(observations, np.ones(num_envs, dtype=bool), list(range(num_envs)))
