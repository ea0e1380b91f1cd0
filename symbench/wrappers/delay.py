"""The perturbation of time: what the agent sees is late.

* :class:`DelayObservations` - by some steps
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.observations import ObservationSpec
from symbench.trees import copied, map_tree
from symbench.wrappers.checks import whole
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_FIXED = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


@register_perturbation
class DelayObservations(Perturbation):
    """The agent sees observations some steps late; until then it sees the first one of the episode.

    Rewards and ends of episodes come in time, and so does the ``"action_mask"`` of a ``Dict``, which says what is
    allowed now. Nothing is random. Distance: the number of steps. Source: Katsikopoulos & Engelbrecht 2003
    (doi 10.1109/TAC.2003.809799), constant observation delay.

    Args:
        steps: How late.

    Raises:
        TypeError: ``steps`` is not a whole number.
        SymbenchError: ``steps`` below 0; observations without a fixed shape, such as ``Text``.
    """

    def __init__(self, steps: int = 1) -> None:
        self.steps = whole("steps", steps, low=0)

    @classmethod
    def severities(cls) -> Sequence[Mapping[str, Any]]:
        """1, 2, 3, 5 and 10 steps."""
        return [{"steps": steps} for steps in (1, 2, 3, 5, 10)]

    def magnitude(self) -> float:
        """Number of steps."""
        return float(self.steps)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """The same space."""
        self._now = [key for key in ObservationSpec.of(space).having(["action_mask"]) if key is not None]
        self._kept = map_tree(self._memory, space)
        return space

    def _memory(self, space: spaces.Space[Any]) -> NDArray[Any]:
        """Where the latest observations of all environments are kept, shape (B, steps + 1, ...)."""
        if not isinstance(space, _FIXED):
            raise SymbenchError(f"DelayObservations needs observations of a fixed shape, received {space}")
        return np.zeros((self.num_envs, self.steps + 1, *(space.shape or ())), space.dtype)

    def apply(self, observations: Any, drawn: NDArray[Any]) -> Any:
        """Keep the latest and show the delayed ones, a batch of B -> a batch of B."""
        rows, size = np.arange(self.num_envs), self.steps + 1
        newest, shown = self.elapsed % size, np.maximum(self.elapsed - self.steps, 0) % size

        def exchanged(latest: NDArray[Any], kept: NDArray[Any]) -> NDArray[Any]:
            kept[rows, newest] = latest
            late: NDArray[Any] = kept[rows, shown]
            return late

        seen = map_tree(exchanged, observations, self._kept)
        return {**seen, **{key: copied(observations[key]) for key in self._now}} if self._now else seen
