# Written by symbench.wrappers.stubs; do not edit.
from collections.abc import Sequence
from typing import Any
from gymnasium.vector import VectorEnv
from symbench.wrappers.vector import VectorAdapter
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
class AddNoiseChannels(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, n: int = ..., sigma: float = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DelayObservations(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, steps: int = ..., severity: int | None = ...) -> None: ...
class DropEntities(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, ratio: float = ..., severity: int | None = ...) -> None: ...
class DropSensors(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, ratio: float = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DuplicateSensors(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, copies: int = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class FrameHistory(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, length: int = ...) -> None: ...
class OccludePatches(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, ratio: float = ..., patch_size: int = ..., fill: int = ..., patch_mask: bool = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class PreviousAction(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None: ...
class SensorHistory(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, length: int = ...) -> None: ...
class SensorNoise(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, sigma: float = ..., scale: Sequence[float] | None = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleEntities(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, resample: Resample = ..., severity: int | None = ...) -> None: ...
class ShufflePatches(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, patch_size: int = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleSensors(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class SwapBackground(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, background: str = ..., colors: Sequence[Sequence[int]] | None = ..., tolerance: int = ..., strength: float = ..., anchor: str = ..., level: int = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class TransformByGroup(VectorAdapter):
    def __init__(self, envs: VectorEnv[Any, Any, Any], *, symmetry: str, variant: str | None = ..., element: Any = ..., resample: Resample = ..., severity: int | None = ...) -> None: ...
