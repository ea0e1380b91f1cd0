"""The parameters behind ``severity=1..5``.

A published table is never edited: a change is a new version, and recorded specs hold explicit parameters, so that an
old result keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

Levels = tuple[Mapping[str, Any], ...]

HIGHEST: Final = 5
VERSION: Final = 1


def _grid(name: str, *values: object) -> Levels:
    return tuple(MappingProxyType({name: value}) for value in values)


def _channels(*counts: int) -> Levels:
    return tuple(MappingProxyType({"n": count, "sigma": 0.1}) for count in counts)


def _drawn_elements(*resample: str | int) -> Levels:
    return tuple(MappingProxyType({"resample": interval, "element": None}) for interval in resample)


SEVERITIES: Final[Mapping[int, Mapping[str, Levels]]] = MappingProxyType(
    {
        1: MappingProxyType(
            {
                "ShuffleSensors": _grid("resample", "episode", 200, 100, 50, 25),
                "AddNoiseChannels": _channels(5, 10, 20, 50, 100),
                "DuplicateSensors": _grid("copies", 1, 2, 3, 4, 5),
                "DropSensors": _grid("ratio", 0.2, 0.35, 0.5, 0.65, 0.8),
                "SensorNoise": _grid("sigma", 0.02, 0.05, 0.1, 0.2, 0.4),
                "ShufflePatches": _grid("resample", "episode", 200, 100, 50, 25),
                "OccludePatches": _grid("ratio", 0.1, 0.25, 0.4, 0.6, 0.8),
                "TransformByGroup": _drawn_elements("episode", 200, 100, 50, 25),
                "SwapBackground": _grid("strength", 0.2, 0.4, 0.6, 0.8, 1.0),
            }
        )
    }
)
"""``{version: {class name: parameters of severity 1 to 5}}``, read-only."""


def levels(class_name: str, version: int = VERSION) -> Levels:
    """Parameters of severity 1 to 5 of a perturbation; empty for a class the table does not hold."""
    return SEVERITIES[version].get(class_name, ())
