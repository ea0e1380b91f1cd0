"""Actions as vectors, which is how agents are shown what they did.

* :func:`action_vectors` - what makes vectors of the actions of a space
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ActionVectors:
    """Actions as float32 vectors: a ``Box`` flattened, a ``Discrete`` one-hot.

    Attributes:
        size: Length of a vector.
        low: Smallest values, shape (size,).
        high: Largest values, shape (size,).
        scaled_low: The same of :meth:`scaled`.
        scaled_high: The same of :meth:`scaled`.
    """

    def __init__(self, space: spaces.Box | spaces.Discrete) -> None:
        """Fit to an action space."""
        self._discrete = space if isinstance(space, spaces.Discrete) else None
        self.size = int(space.n) if isinstance(space, spaces.Discrete) else int(np.prod(space.shape))
        bounds = (space.low.ravel(), space.high.ravel()) if isinstance(space, spaces.Box) else (0.0, 1.0)
        self.low, self.high = (np.broadcast_to(np.float32(bound), self.size) for bound in bounds)
        self._bounded = isinstance(space, spaces.Box) and space.is_bounded() and bool((self.high > self.low).all())
        one = np.ones(self.size, dtype=np.float32)
        self.scaled_low: NDArray[np.float32] = -one if self._bounded else self.low
        self.scaled_high: NDArray[np.float32] = one if self._bounded else self.high

    def __call__(self, actions: Any) -> NDArray[np.float32]:
        """A batch of actions as vectors, (B, ...) -> (B, size), in new memory."""
        batch = np.asarray(actions)
        if self._discrete is None:
            return np.array(batch.reshape(len(batch), self.size), dtype=np.float32)
        vectors = np.zeros((len(batch), self.size), dtype=np.float32)
        vectors[np.arange(len(batch)), batch.reshape(-1) - int(self._discrete.start)] = 1.0
        return vectors

    def scaled(self, actions: Any) -> NDArray[np.float32]:
        """A batch of actions in units of their range, [-1, 1], (B, size); as they are if unbounded or one-hot."""
        vectors = self(actions)
        return (2.0 * vectors - self.high - self.low) / (self.high - self.low) if self._bounded else vectors


class TupleVectors:
    """The vectors of the parts of a ``Tuple`` one after the other, with the attributes of :class:`ActionVectors`."""

    def __init__(self, parts: list[ActionVectors | TupleVectors]) -> None:
        """Join the parts."""
        self._parts = parts
        self.size: int = sum(part.size for part in parts)
        self.low, self.high = (np.concatenate([getattr(part, end) for part in parts]) for end in ("low", "high"))
        self.scaled_low, self.scaled_high = (
            np.concatenate([getattr(part, end) for part in parts]) for end in ("scaled_low", "scaled_high")
        )

    def __call__(self, actions: Any) -> NDArray[np.float32]:
        """A batch of actions as vectors, a tuple of (B, ...) -> (B, size), in new memory."""
        return np.concatenate([part(of_part) for part, of_part in zip(self._parts, actions, strict=True)], axis=1)

    def scaled(self, actions: Any) -> NDArray[np.float32]:
        """The same in units of each part's range; see :meth:`ActionVectors.scaled`."""
        return np.concatenate(
            [part.scaled(of_part) for part, of_part in zip(self._parts, actions, strict=True)], axis=1
        )


def action_vectors(who: str, space: spaces.Space[Any]) -> ActionVectors | TupleVectors:
    """What makes vectors of the actions of a space: ``Box``, ``Discrete``, or a ``Tuple`` of such.

    Raises:
        SymbenchError: Another space.
    """
    if isinstance(space, spaces.Tuple) and space.spaces:
        return TupleVectors([action_vectors(who, part) for part in space.spaces])
    if not isinstance(space, (spaces.Box, spaces.Discrete)):
        raise SymbenchError(f"{who} needs Box or Discrete actions, received {space} (a Tuple of such is fine, too)")
    return ActionVectors(space)
