"""What one does to sensors that one has chosen, where the registered perturbations draw some.

They belong to the live page: nothing is random, so there are no severities, and no suite names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.suites import Apply
from symbench.wrappers.checks import sensors
from symbench.wrappers.core import Perturbation

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray


class _Chosen(Perturbation):
    roles = ("sensors",)

    @classmethod
    def severities(cls) -> Sequence[dict[str, Any]]:
        """None."""
        return ()


class KillSensors(_Chosen):
    """Some sensors say 0.

    Args:
        sensors: Which, from 0.
    """

    def __init__(self, sensors: Collection[int]) -> None:
        self.sensors = sorted(sensors)

    def magnitude(self) -> float:
        """How many."""
        return float(len(self.sensors))

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same, widened to hold 0."""
        box = sensors("KillSensors", space)
        low, high = box.low.copy(), box.high.copy()
        low[self.sensors], high[self.sensors] = low[self.sensors].clip(max=0), high[self.sensors].clip(min=0)
        return spaces.Box(low, high, dtype=box.dtype.type)

    def apply(self, observations: NDArray[Any], drawn: NDArray[Any]) -> NDArray[Any]:
        """Silence them, (B, N) -> the same shape."""
        seen: NDArray[Any] = observations.copy()
        seen[:, self.sensors] = 0
        return seen


class ArrangeSensors(_Chosen):
    """The sensors come in a certain order.

    Args:
        order: Entry j is the sensor that comes at place j.
    """

    def __init__(self, order: Sequence[int]) -> None:
        self.order = list(order)

    def magnitude(self) -> float:
        """How many are not at their own place."""
        return float(sum(place != sensor for place, sensor in enumerate(self.order)))

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same, with the bounds in this order."""
        box = sensors("ArrangeSensors", space)
        return spaces.Box(box.low[self.order], box.high[self.order], dtype=box.dtype.type)

    def apply(self, observations: NDArray[Any], drawn: NDArray[Any]) -> NDArray[Any]:
        """Reorder, (B, N) -> the same shape."""
        seen: NDArray[Any] = observations[:, self.order]
        return seen


OWN: Final = __name__
KILL, ARRANGE = (f"{OWN}:{each.__name__}" for each in (KillSensors, ArrangeSensors))


def chosen(count: int, order: Sequence[int], dead: Collection[int]) -> dict[str, Apply]:
    """The steps that an order of so many sensors and the dead among them take, by wrapper; none that changes nothing.

    Raises:
        SymbenchError: It is no order of them, or there is no such sensor.
    """
    if sorted(order) != [*range(count)]:
        raise SymbenchError(f"an order of {count} sensors is expected, received {order}")
    if wrong := [each for each in dead if not 0 <= each < count]:
        raise SymbenchError(f"there are {count} sensors, counted from 0, received {wrong[0]}")
    dead_ones: dict[str, Any] = {"sensors": sorted(dead)} if dead else {}
    moved: dict[str, Any] = {} if list(order) == sorted(order) else {"order": list(order)}
    return {
        wrapper: Apply(wrapper=wrapper, **parameters).trusting(True)
        for wrapper, parameters in ((KILL, dead_ones), (ARRANGE, moved))
        if parameters
    }
