"""How the elements of a group act on discrete actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.representations.base import GroupAction
from symbench.symmetry.representations.usual import permutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup, Group


class ActionPermutation(GroupAction):
    """A group acting on the numbers of n discrete actions.

    Attributes:
        group: The group.
        maps: ``maps[g, a]`` is what action a becomes under g, int64, shape (|G|, n).
        vectors: The same on vectors with one entry per action (policies, Q values): (K_g v)[maps[g, a]] = v[a].
    """

    group: FiniteGroup

    def __init__(self, group: FiniteGroup, maps: Sequence[Sequence[int]] | NDArray[np.int64]) -> None:
        """Make the action.

        Args:
            group: The group.
            maps: One for each of the group's generators.

        Raises:
            SymbenchError: The maps are no permutations, or do not multiply as the elements do.
        """
        generators = np.asarray(maps, dtype=np.int64).reshape(len(group.generators), -1)
        if not (np.sort(generators, axis=1) == np.arange(generators.shape[1])).all():
            raise SymbenchError(f"an action map must be a permutation of 0 to n - 1, received {maps}")
        self.group = group
        self.vectors = permutation(group, generators)
        self.maps: NDArray[np.int64] = self.vectors.matrices.argmax(axis=1)
        self._undo = self.maps[group.inverses]

    def apply(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Map action numbers, (B,) -> (B,); see :meth:`GroupAction.apply`."""
        mapped: NDArray[Any] = self.maps[elements, batch].astype(batch.dtype, copy=False)
        return mapped

    def undo(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Map action numbers back, (B,) -> (B,); see :meth:`GroupAction.undo`."""
        mapped: NDArray[Any] = self._undo[elements, batch]
        return mapped if mapped.dtype == batch.dtype else mapped.astype(batch.dtype)

    def allowed(self, elements: NDArray[np.int64], masks: NDArray[Any]) -> NDArray[Any]:
        """Transform masks, (B, n) -> (B, n); see :meth:`GroupAction.allowed`."""
        if masks.shape != (len(masks), self.maps.shape[1]):
            raise SymbenchError(f"a mask must hold {self.maps.shape[1]} actions, received shape {masks.shape[1:]}")
        return np.take_along_axis(masks, self._undo[elements], axis=1)

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: ``Discrete(n)`` that begins at 0."""
        n = self.maps.shape[1]
        fits = getattr(space, "n", None) == n and getattr(space, "start", None) == 0
        return None if fits else f"acts on Discrete({n}), received {space}"


class Invariant(GroupAction):
    """A group that changes nothing, whatever it acts on: e.g. discrete actions under rotations of the scene.

    Args:
        group: The group, finite or continuous.
    """

    def __init__(self, group: Group) -> None:
        self.group = group

    def apply(self, elements: Any, batch: Any) -> Any:
        """Copy a batch of arrays; see :meth:`GroupAction.apply`."""
        return np.array(batch)

    def allowed(self, elements: NDArray[Any], masks: NDArray[Any]) -> NDArray[Any]:
        """Copy masks; see :meth:`GroupAction.allowed`."""
        return np.array(masks)

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: any space whose members are arrays or numbers."""
        return None if getattr(space, "shape", None) is not None else f"acts on arrays and numbers, received {space}"

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`: the space itself."""
        return space
