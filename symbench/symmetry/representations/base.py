"""Base class of group actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.symmetry.groups import Group


class GroupAction(ABC):
    """Base class of group actions: how the elements of a group act on batches of something.

    Attributes:
        group: The group.
    """

    group: Group

    @abstractmethod
    def apply(self, elements: Any, batch: Any) -> Any:
        """Transform a batch of B things.

        Args:
            elements: One element for all, or one for each, shape (B, ``*group.element_shape``).
            batch: B things along the first axis.

        Returns:
            The transformed batch in new memory, of the same dtype.
        """

    def undo(self, elements: Any, batch: Any) -> Any:
        """Transform a batch by the inverses of these elements; see :meth:`apply`."""
        return self.apply(self.group.inverse(elements), batch)

    def allowed(self, elements: NDArray[Any], masks: NDArray[Any]) -> NDArray[Any]:
        """Transform masks of actions: K_g a is allowed where a was.

        Args:
            elements: One for each mask, shape (B,).
            masks: Which actions are allowed, shape (B, n).

        Returns:
            Masks in new memory, of the same shape and dtype.

        Raises:
            SymbenchError: The actions are not n discrete ones.
        """
        raise SymbenchError(f"only masks of discrete actions can be transformed, received one of shape {masks.shape}")

    @abstractmethod
    def incompatibility(self, space: Any) -> str | None:
        """Why it cannot act on the members of a space, or ``None`` if it can."""

    def lossy(self, space: Any) -> str | None:
        """Why the dtype of a space, on whose members it can act, cannot hold its results; ``None`` if it can."""
        return None

    def image(self, space: Any) -> Any:
        """The smallest space of the same kind that holds what the elements make of the members of ``space``."""
        if not isinstance(space, spaces.Box):
            return space
        corners = np.stack([space.low, space.high]).astype(np.float64)
        moved = np.concatenate([self.apply(g, corners) for g in self.group.enumerate()])
        return box_like(moved.min(axis=0), moved.max(axis=0), space)

    def escape(self, space: Any) -> str | None:
        """Why the elements do not map a space to itself, or ``None`` if they do."""
        reason = self.incompatibility(space)
        moved = reason is None and self.image(space) != space
        return f"the group does not map the bounds of {space} to themselves" if moved else reason


def box_like(low: NDArray[np.float64], high: NDArray[np.float64], like: spaces.Box) -> spaces.Box:
    """A box with these bounds, of the same type as another."""
    return spaces.Box(low.astype(like.dtype), high.astype(like.dtype), dtype=like.dtype.type)


def needs_floats(space: Any) -> str | None:
    """Why a space cannot hold results that are no whole numbers, or ``None`` if it can."""
    if np.issubdtype(space.dtype, np.floating):
        return None
    return f"makes numbers that dtype {space.dtype} cannot hold; floating point ones are needed"
