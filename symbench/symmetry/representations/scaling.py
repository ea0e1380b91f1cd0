"""Dilations of space acting on what is measured in its units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.symmetry.groups import Dilations
from symbench.symmetry.representations.base import GroupAction, box_like, needs_floats

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scaling(GroupAction):
    """Lengths and positions, (B, ...), and rewards that are lengths: x -> c x.

    Example:
        >>> Scaling().apply(0.5, np.array([[3.0, 4.0]]))
        array([[1.5, 2. ]])
    """

    def __init__(self) -> None:
        self.group = Dilations()

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """Multiply; see :meth:`GroupAction.apply`."""
        factors = np.asarray(elements).reshape(-1, *[1] * (np.ndim(batch) - 1))
        scaled: NDArray[Any] = (factors * batch).astype(batch.dtype)
        return scaled

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: any ``Box``."""
        return None if isinstance(space, spaces.Box) else f"acts on a Box, received {space}"

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`."""
        return needs_floats(space)

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`: no bound but 0 holds all scales."""
        return box_like(np.where(space.low < 0, -np.inf, 0.0), np.where(space.high > 0, np.inf, 0.0), space)
