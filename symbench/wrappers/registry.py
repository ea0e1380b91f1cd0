"""All transforms by name.

* :data:`PERTURBATIONS` and :data:`AGENT_SIDE`, together :data:`TRANSFORMS` - name to transform
* :func:`wrappers_of` - the wrapper classes of a name
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from symbench.errors import unknown
from symbench.wrappers import agent_side, images, sensors, single, vector

if TYPE_CHECKING:
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
    )
}
AGENT_SIDE: Final[dict[str, type[Transform]]] = {
    cls.__name__: cls for cls in (agent_side.PreviousAction, agent_side.SensorHistory)
}
TRANSFORMS: Final[dict[str, type[Transform]]] = {**PERTURBATIONS, **AGENT_SIDE}


def wrappers_of(name: str) -> tuple[type[single.GymAdapter], type[vector.VectorAdapter]]:
    """The wrapper of one environment and that of a vector environment, by class name.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    if name not in TRANSFORMS:
        raise unknown("wrapper", name, TRANSFORMS)
    return getattr(single, name), getattr(vector, name)
