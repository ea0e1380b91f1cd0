"""All transforms by name.

* :data:`PERTURBATIONS` and :data:`AGENT_SIDE`, together :data:`TRANSFORMS` - name to transform
* :func:`wrapper_of` and :func:`vector_wrapper_of` - name to wrapper class
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symbench.errors import unknown
from symbench.wrappers import agent_side, groups, images, sensors, single, vector

if TYPE_CHECKING:
    from types import ModuleType

    from symbench.wrappers.core import Perturbation, Transform

PERTURBATIONS: Final[dict[str, type[Perturbation]]] = {
    cls.__name__: cls
    for cls in (
        sensors.ShuffleSensors,
        sensors.AddNoiseChannels,
        sensors.DuplicateSensors,
        sensors.DropSensors,
        sensors.SensorNoise,
        images.ShufflePatches,
        images.OccludePatches,
        images.SwapBackground,
        groups.TransformByGroup,
    )
}
AGENT_SIDE: Final[dict[str, type[Transform]]] = {
    cls.__name__: cls for cls in (agent_side.PreviousAction, agent_side.SensorHistory, agent_side.FrameHistory)
}
TRANSFORMS: Final[dict[str, type[Transform]]] = {**PERTURBATIONS, **AGENT_SIDE}


def wrapper_of(name: str) -> type[single.GymAdapter]:
    """The wrapper of one environment with this class name.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    found: type[single.GymAdapter] = _named(name, single)
    return found


def vector_wrapper_of(name: str) -> type[vector.VectorAdapter]:
    """The wrapper of a vector environment with this class name.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    found: type[vector.VectorAdapter] = _named(name, vector)
    return found


def _named(name: str, module: ModuleType) -> Any:
    if name not in TRANSFORMS:
        raise unknown("wrapper", name, TRANSFORMS)
    return getattr(module, name)
