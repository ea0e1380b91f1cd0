# Written by symbench.wrappers.stubs; do not edit.
from collections.abc import Sequence
from typing import Any
from stable_baselines3.common.vec_env import VecEnv
from symbench.wrappers.sb3 import VecEnvAdapter
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
class AddNoiseChannels(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, n: int = ..., sigma: float = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DelayObservations(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, steps: int = ..., severity: int | None = ...) -> None: ...
class DropEntities(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, ratio: float = ..., severity: int | None = ...) -> None: ...
class DropSensors(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, ratio: float = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class DuplicateSensors(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, copies: int = ..., vary: bool = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class FrameHistory(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, length: int = ...) -> None: ...
class OccludePatches(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, ratio: float = ..., patch_size: int = ..., fill: int = ..., patch_mask: bool = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class PreviousAction(VecEnvAdapter):
    def __init__(self, venv: VecEnv) -> None: ...
class SensorHistory(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, length: int = ...) -> None: ...
class SensorNoise(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, sigma: float = ..., scale: Sequence[float] | None = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleEntities(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, resample: Resample = ..., severity: int | None = ...) -> None: ...
class ShufflePatches(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, patch_size: int = ..., resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class ShuffleSensors(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, resample: Resample = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class SwapBackground(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, background: str = ..., colors: Sequence[Sequence[int]] | None = ..., tolerance: int = ..., strength: float = ..., anchor: str = ..., level: int = ..., key: str | None = ..., severity: int | None = ...) -> None: ...
class TransformByGroup(VecEnvAdapter):
    def __init__(self, venv: VecEnv, *, symmetry: str, variant: str | None = ..., element: Any = ..., resample: Resample = ..., severity: int | None = ...) -> None: ...
