# Written by symbench.wrappers.stubs; do not edit.
from collections.abc import Sequence
from typing import Any
import gymnasium as gym
from symbench.wrappers.single import GymAdapter
from symbench.wrappers.checks import Resample
__all__ = [
    "AddNoiseChannels",
    "DelayObservations",
    "DropEntities",
    "DropSensors",
    "DuplicateSensors",
    "FrameHistory",
    "OccludePatches",
    "PreviousAction",
    "SensorHistory",
    "SensorNoise",
    "ShuffleEntities",
    "ShufflePatches",
    "ShuffleSensors",
    "SwapBackground",
    "TransformByGroup",
]
class AddNoiseChannels(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, n: int = ..., sigma: float = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DelayObservations(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, steps: int = ..., severity: int | None = ...) -> None: ...
class DropEntities(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, ratio: float = ..., severity: int | None = ...) -> None: ...
class DropSensors(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, ratio: float = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DuplicateSensors(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, copies: int = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class FrameHistory(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, length: int = ...) -> None: ...
class OccludePatches(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, ratio: float = ..., patch_size: int = ..., fill: int = ..., patch_mask: bool = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class PreviousAction(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any]) -> None: ...
class SensorHistory(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, length: int = ...) -> None: ...
class SensorNoise(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, sigma: float = ..., scale: Sequence[float] | None = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleEntities(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, resample: Resample = ..., severity: int | None = ...) -> None: ...
class ShufflePatches(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, patch_size: int = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleSensors(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class SwapBackground(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, background: str = ..., colors: Sequence[Sequence[int]] | None = ..., tolerance: int = ..., strength: float = ..., anchor: str = ..., level: int = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class TransformByGroup(GymAdapter):
    def __init__(self, env: gym.Env[Any, Any], *, symmetry: str, variant: str | None = ..., element: Any = ..., resample: Resample = ..., severity: int | None = ...) -> None: ...
