"""Finite groups acting on pictures by turns and flips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError, unknown
from symbench.symmetry.groups import dihedral
from symbench.symmetry.representations.base import GroupAction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup

MOVES: Final = {"stay": 0, "turn": 1, "half-turn": 2, "flip-columns": 4, "flip-rows": 6}
"""What a generator may do to a picture, as elements of ``dihedral(4)``: k + 4 flips columns, then turns k times."""


class GridRepresentation(GroupAction):
    """A group acting on pictures by quarter turns (counter-clockwise, ``np.rot90``) and flips.

    Args:
        group: The group.
        moves: For each generator ``"stay"``, ``"turn"``, ``"half-turn"``, ``"flip-columns"`` (left and right change
            place) or ``"flip-rows"``.
        axes: The axes of rows and columns in a batch: (1, 2) for (B, H, W) and (B, H, W, C), (2, 3) for (B, C, H, W).
        rows: First row and the row after the last that are moved, if the others are to stay.

    Raises:
        SymbenchError: The moves are unknown, or do not multiply as the group's elements do.
    """

    group: FiniteGroup

    def __init__(
        self,
        group: FiniteGroup,
        moves: Sequence[str],
        axes: tuple[int, int] = (1, 2),
        rows: tuple[int, int] | None = None,
    ) -> None:
        self.group, self.axes, self.rows = group, axes, rows
        for move in moves:
            if move not in MOVES:
                raise unknown("move of a picture", move, MOVES)
        if len(moves) != len(group.generators):
            raise SymbenchError(f"{group.name} has {len(group.generators)} generators, received moves {list(moves)}")
        self._squares = _as_squares(group, [MOVES[move] for move in moves])

    def apply(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Move pictures; see :meth:`GroupAction.apply`."""
        moved = np.array(batch)
        inside = [slice(None)] * batch.ndim
        if self.rows is not None:
            inside[self.axes[0]] = slice(*self.rows)
        for square in set(np.atleast_1d(self._squares[elements]).tolist()) - {0}:
            where = np.broadcast_to(self._squares[elements] == square, len(batch))
            moved[where] = self._moved(square, batch[where], tuple(inside))
        return moved

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: a ``Box`` with rows and columns, square if turned."""
        row, column = (axis - 1 for axis in self.axes)
        shape = getattr(space, "shape", None) or ()
        if not isinstance(space, spaces.Box) or len(shape) <= max(row, column):
            return f"acts on pictures with rows and columns at axes {row} and {column}, received {space}"
        height = shape[row] if self.rows is None else self.rows[1] - self.rows[0]
        turned = any(square % 2 for square in self._squares.tolist())
        square = not turned or height == shape[column]
        return None if square else f"turns square pictures, received {height}x{shape[column]}"

    def _moved(self, square: int, pictures: NDArray[Any], inside: tuple[slice, ...]) -> NDArray[Any]:
        flips, turns = divmod(square, 4)
        part = np.flip(pictures[inside], self.axes[1]) if flips else pictures[inside]
        result = np.array(pictures)
        result[inside] = np.rot90(part, turns, self.axes)
        return result


def _as_squares(group: FiniteGroup, generators: Sequence[int]) -> NDArray[np.int64]:
    """For each element of the group the element of ``dihedral(4)`` that does the same to a picture, shape (|G|,)."""
    square = dihedral(4).table
    squares = np.zeros(group.order, dtype=np.int64)
    for position, element in group.words:
        squares[group.table[group.generators[position], element]] = square[generators[position], squares[element]]
    if not np.array_equal(squares[group.table], square[squares[:, None], squares]):
        raise SymbenchError(f"these moves of a picture do not multiply as the elements of {group.name} do")
    return squares
