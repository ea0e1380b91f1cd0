"""Groups acting on rows of like entities.

* :class:`EntityRepresentation` - on the rows themselves: each is transformed, and rows change place
* :class:`EntityIndex` - on numbers of rows
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry.groups import DirectProduct, FiniteGroup
from symbench.symmetry.representations.base import GroupAction
from symbench.symmetry.representations.discrete import ActionPermutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import Group


class EntityRepresentation(GroupAction):
    """A group acting on arrays (B, N, ...) of N entities: pictures, positions, or actions of N agents.

    Attributes:
        group: The group.
        each: How it acts on one entity; ``None`` if entities only change place. Of a :class:`DirectProduct`, an action
            of its first factor.
        rows: Number N of entities.

    Example:
        >>> from symbench.symmetry import ActionPermutation, cyclic
        >>> turn = cyclic(4)  # four agents in a square; a quarter turn exchanges their two actions
        >>> actions = EntityRepresentation(turn, ActionPermutation(turn, [[1, 0]]), [[2, 0, 3, 1]])
        >>> actions.apply(1, np.array([[0, 0, 0, 1]]))
        array([[1, 0, 1, 1]])
    """

    def __init__(self, group: Group, each: GroupAction | None, places: Sequence[Sequence[int]] | int) -> None:
        """Say how entities are transformed and where they go.

        Args:
            group: A finite group, a ``PermutationGroup``, or a :class:`DirectProduct` whose second factor is one.
            each: How it acts on one entity.
            places: Of a finite group, for each generator where it sends entity i, or N if all stay; of the others the
                number N of entities, the first of those that are permuted.

        Raises:
            SymbenchError: ``each`` is an action of another group, or the places are no permutations.
        """
        self.group, self.each = group, each
        acting = group.first if isinstance(group, DirectProduct) else group
        if each is not None and each.group != acting:
            raise SymbenchError(f"one entity needs an action of {acting.name}, received one of {each.group.name}")
        self._places: NDArray[np.int64] | None = None
        if isinstance(places, int):
            self.rows = places
            if isinstance(group, FiniteGroup):
                self._places = np.tile(np.arange(places), (group.order, 1))
        elif isinstance(group, FiniteGroup):
            self._places = ActionPermutation(group, places).maps
            self.rows = self._places.shape[1]
        else:
            raise SymbenchError(f"where {group.name} sends entities follows from its elements: give their number")

    @property
    def vectors(self) -> EntityRepresentation:
        """Of actions: the same on vectors with one entry for each action of each agent, (B, N, k)."""
        if not isinstance(self.each, ActionPermutation):
            return self
        twin = object.__new__(EntityRepresentation)
        twin.__dict__.update(self.__dict__)
        twin.each = self.each.vectors
        return twin

    def exchanges(self, element: int) -> bool:
        """Whether an element of a finite group sends an entity to the place of another."""
        return self._places is not None and bool((self._places[element] != np.arange(self.rows)).any())

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """Transform entities, (B, N, ...); see :meth:`GroupAction.apply`."""
        acting, places = self._parts(elements)
        size = len(batch)
        rows = self._each(acting, batch)
        moved = np.empty_like(rows)
        moved[np.arange(size)[:, None], np.broadcast_to(places, (size, self.rows))] = rows
        return moved

    def _parts(self, elements: Any) -> tuple[Any, NDArray[np.int64]]:
        if self._places is not None:
            return elements, self._places[elements]
        acting, places = _permutations(self.group, elements)
        return acting, places[..., : self.rows]

    def _each(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        if self.each is None:
            return batch
        one_for_all = np.ndim(elements) == len(self.each.group.element_shape)
        each = elements if one_for_all else np.repeat(elements, self.rows, axis=0)
        flat: NDArray[Any] = self.each.apply(each, batch.reshape(-1, *batch.shape[2:]))
        return flat.reshape(batch.shape)

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: N rows alike, of a ``Box`` or a ``MultiDiscrete``."""
        row = _row_of(space, self.rows)
        if row is None:
            return f"acts on {self.rows} rows that are alike, received {space}"
        return None if self.each is None else self.each.incompatibility(row)

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`."""
        return None if self.each is None else self.each.lossy(_row_of(space, self.rows))

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`: that of one row, N times."""
        if self.each is None or not isinstance(space, spaces.Box):
            return space
        row = self.each.image(_row_of(space, self.rows))
        low, high = (np.broadcast_to(bound, space.shape) for bound in (row.low, row.high))
        return spaces.Box(low, high, dtype=space.dtype.type)


class EntityIndex(GroupAction):
    """A group acting on the numbers of N entities, which change place: the choice of one, or which one is current.

    Attributes:
        group: The group.
        rows: Number N of entities; larger numbers name none and stay.
        vectors: The same on vectors with one entry for each entity, (B, N).

    Example:
        >>> from symbench.symmetry import PermutationGroup
        >>> chosen = EntityIndex(PermutationGroup((3,)), 3)
        >>> chosen.apply(np.array([1, 2, 0]), np.array([0, 2, 3]))
        array([1, 0, 3])
    """

    def __init__(self, group: Group, rows: int) -> None:
        """Say which entities.

        Args:
            group: A ``PermutationGroup``, or a :class:`DirectProduct` whose second factor is one.
            rows: Number N of entities.
        """
        self.group, self.rows = group, rows
        self.vectors = EntityRepresentation(group, None, rows)

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """Map numbers of entities, (B, ...) -> (B, ...); see :meth:`GroupAction.apply`."""
        numbers = np.asarray(batch).reshape(len(batch), -1).astype(np.int64)
        places = np.broadcast_to(_permutations(self.group, elements)[1], (len(batch), self.rows))
        moved = np.take_along_axis(places, np.minimum(numbers, self.rows - 1), axis=1)
        return np.where(numbers < self.rows, moved, numbers).astype(batch.dtype).reshape(batch.shape)

    def allowed(self, elements: NDArray[Any], masks: NDArray[Any]) -> NDArray[Any]:
        """Transform masks, (B, N) -> (B, N); see :meth:`GroupAction.allowed`."""
        if masks.shape != (len(masks), self.rows):
            raise SymbenchError(f"a mask must hold {self.rows} actions, received shape {masks.shape[1:]}")
        return self.vectors.apply(elements, masks)

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: ``Discrete`` of N numbers or more that begins at 0."""
        fits = getattr(space, "n", 0) >= self.rows and getattr(space, "start", None) == 0
        return None if fits else f"acts on Discrete({self.rows}) or larger ones, received {space}"

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`: the space itself."""
        return space


def _permutations(group: Group, elements: Any) -> tuple[Any, NDArray[np.int64]]:
    """What elements do to one entity, if anything, and where they send entities, (..., N)."""
    if isinstance(group, DirectProduct):
        return group.split(np.asarray(elements))
    return None, np.asarray(elements, np.int64)


def _row_of(space: Any, rows: int) -> Any:
    """The space of one row; ``None`` if there are not so many, or they differ."""
    if isinstance(space, spaces.Box) and space.shape[:1] == (rows,):
        alike = (space.low == space.low[:1]).all() and (space.high == space.high[:1]).all()
        return spaces.Box(space.low[0], space.high[0], dtype=space.dtype.type) if alike else None
    if isinstance(space, spaces.MultiDiscrete) and space.shape == (rows,):
        return spaces.Discrete(int(space.nvec[0])) if (space.nvec == space.nvec[0]).all() else None
    if isinstance(space, spaces.MultiBinary) and space.shape == (rows,):
        return spaces.Discrete(2)
    return None
