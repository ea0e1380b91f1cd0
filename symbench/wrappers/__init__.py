"""Perturbations of any Gymnasium environment, and what set-based agents want to see beside the observation.

Needs ``gymnasium`` and ``numpy`` only. Perturbations, with severities 0 (identity) to 5:

* :class:`ShuffleSensors` - the sensors come in a random order
* :class:`AddNoiseChannels` - channels of pure noise come after the sensors
* :class:`DuplicateSensors` - all sensors come several times
* :class:`DropSensors` - some sensors are dead
* :class:`SensorNoise` - noise is added to every sensor
* :class:`ShuffleEntities` - agents and other entities come in a random order, actions with them
* :class:`DropEntities` - some entities are seen as zeros
* :class:`ShufflePatches` - the patches of a frame come in a random order
* :class:`OccludePatches` - patches of a frame are hidden
* :class:`SwapBackground` - pixels of key colours show another background
* :class:`DelayObservations` - everything is seen some steps late
* :class:`TransformByGroup` - observations and actions transformed by a symmetry group

For the agent, outside of all perturbations:

* :class:`PreviousAction` - the observation comes with the action that led to it
* :class:`SensorHistory` - the latest values of each sensor and the latest actions
* :class:`FrameHistory` - the latest frames and the action that led here

Perturbations of one's own join them by :func:`register_perturbation`. The classes are made when they are asked for.

The same names in :mod:`symbench.wrappers.vector` wrap Gymnasium vector environments, those in
:mod:`symbench.wrappers.sb3` (import it yourself) wrap Stable-Baselines3 ``VecEnv``. For the same seeds all three show
the same observations.

Example:
    >>> import gymnasium as gym
    >>> from symbench.wrappers import ShuffleSensors
    >>> env = ShuffleSensors(gym.make("CartPole-v1"), resample="episode")
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape
    (4,)
"""

from typing import TYPE_CHECKING

import symbench.envs  # noqa: F401  (so that this project's environment ids exist, whichever import came first)
from symbench.wrappers import (  # noqa: F401  (they register)
    agent_side,
    backgrounds,
    delay,
    entities,
    groups,
    patches,
    sensors,
    single,
    vector,
)
from symbench.wrappers.adapters import adapter_named
from symbench.wrappers.core import Perturbation, Transform
from symbench.wrappers.registry import AGENT_SIDE, PERTURBATIONS, TRANSFORMS, perturbation_of, register_perturbation
from symbench.wrappers.severity import SEVERITIES
from symbench.wrappers.single import wrapper_of
from symbench.wrappers.vector import vector_wrapper_of

if TYPE_CHECKING:
    from symbench.wrappers.generated.single import *  # noqa: F403  (what __getattr__ answers, with its parameters)

__all__ = [
    "AGENT_SIDE",
    "PERTURBATIONS",
    "SEVERITIES",
    "TRANSFORMS",
    "Perturbation",
    "Transform",
    "perturbation_of",
    "register_perturbation",
    "vector",
    "vector_wrapper_of",
    "wrapper_of",
    *TRANSFORMS,
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[single.GymAdapter]:
        return adapter_named(single.GymAdapter, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *TRANSFORMS})
