"""The Euclidean group acting on points, vectors and the features of entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry.groups.euclidean import linear_part
from symbench.symmetry.representations.base import GroupAction, box_like, needs_floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import EuclideanGroup

    Places = Sequence[Sequence[int]]


class GeometricRepresentation(GroupAction):
    """A Euclidean group acting on the last axis of arrays (B, ..., F), whose entries have a geometric meaning.

    So it acts on flat vectors (B, F) as well as on entities (B, N, F). Entries that are not named do not change
    (distances, masses, angles between bodies).

    Attributes:
        group: The group.
        size: Number F of entries.

    Example:
        >>> from symbench.symmetry import special_orthogonal
        >>> action = GeometricRepresentation(special_orthogonal(2), size=3, vectors=[(0, 1)])
        >>> quarter_turn = action.group.element([[0, -1], [1, 0]])
        >>> action.apply(quarter_turn, np.array([[1.0, 2.0, 3.0]]))
        array([[-2.,  1.,  3.]])
    """

    group: EuclideanGroup

    def __init__(
        self,
        group: EuclideanGroup,
        size: int,
        points: Places = (),
        vectors: Places = (),
        axial: Places = (),
        pseudoscalars: Sequence[int] = (),
        norm_bounded: bool = False,
    ) -> None:
        """Say what the entries mean.

        Args:
            group: The group.
            size: Number F of entries.
            points: Places of the n coordinates of each position: x -> R x + t.
            vectors: Those of each velocity, force or difference of positions: v -> R v.
            axial: Those of each angular velocity or torque in three dimensions: w -> det(R) R w.
            pseudoscalars: Places of numbers that a reflection negates, as angles in the plane: a -> det(R) a.
            norm_bounded: Whether what bounds vectors is their length, of which the bounds of a space say the largest:
                longer ones are scaled down by the environment, so rotations keep the bounds.

        Raises:
            SymbenchError: A place is missing, named twice or outside 0 to F - 1.
        """
        self.group, self.size, self.norm_bounded = group, size, norm_bounded
        self.points, self.vectors, self.axial = (_places(given, group.dim) for given in (points, vectors, axial))
        self.pseudoscalars = np.asarray(pseudoscalars, dtype=np.int64)
        named = np.concatenate([each.ravel() for each in (self.points, self.vectors, self.axial, self.pseudoscalars)])
        if len(set(named.tolist())) < len(named) or not set(named.tolist()) <= set(range(size)):
            raise SymbenchError(f"each place must be one of 0 to {size - 1} and named once, received {named.tolist()}")

    def apply(self, elements: NDArray[np.float64], batch: NDArray[Any]) -> NDArray[Any]:
        """Transform arrays (B, ..., F); see :meth:`GroupAction.apply`."""
        matrices = np.broadcast_to(elements, (len(batch), *self.group.element_shape))
        rotations, moved = linear_part(matrices), np.array(batch)
        parity = np.linalg.det(rotations).round().reshape(-1, *[1] * (batch.ndim - 1))
        for places in (self.points, self.vectors, self.axial):
            moved[..., places] = np.einsum("bij,b...j->b...i", rotations, batch[..., places])
        moved[..., self.points] += matrices[:, :-1, -1].reshape(len(batch), *[1] * (batch.ndim - 1), -1)
        moved[..., self.axial] *= parity[..., None]
        moved[..., self.pseudoscalars] *= parity
        return moved

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: a ``Box`` whose last axis has F entries."""
        fits = isinstance(space, spaces.Box) and space.shape[-1:] == (self.size,)
        return None if fits else f"acts on a Box whose last axis has {self.size} entries, received {space}"

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`: only floating point numbers can be turned."""
        return needs_floats(space)

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`: turned bounds hold all directions, shifted ones have no end."""
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        turned = (self.points, self.axial) if self.norm_bounded else (self.points, self.vectors, self.axial)
        for places in turned if self.group.rotations else ():
            reach = np.linalg.norm(np.maximum(np.abs(low[..., places]), np.abs(high[..., places])), axis=-1)
            low[..., places], high[..., places] = -reach[..., None], reach[..., None]
        if self.group.shifts:
            low[..., self.points], high[..., self.points] = -np.inf, np.inf
        if self.group.reflections:
            reach = np.maximum(np.abs(low), np.abs(high))[..., self.pseudoscalars]
            low[..., self.pseudoscalars], high[..., self.pseudoscalars] = -reach, reach
        return box_like(low, high, space)


def point_representation(group: EuclideanGroup) -> GeometricRepresentation:
    """The group acting on positions, (B, n), and on clouds of points, (B, N, n): x -> R x + t."""
    return GeometricRepresentation(group, group.dim, points=[range(group.dim)])


def vector_representation(group: EuclideanGroup, norm_bounded: bool = False) -> GeometricRepresentation:
    """The group acting on velocities, forces and differences of points, (B, ..., n): they turn but do not shift.

    Args:
        group: The group.
        norm_bounded: See :class:`GeometricRepresentation`; of forces that an environment scales down to a length.
    """
    return GeometricRepresentation(group, group.dim, vectors=[range(group.dim)], norm_bounded=norm_bounded)


def _places(given: Places, dim: int) -> NDArray[np.int64]:
    if any(len(places) != dim for places in given):
        received = [list(places) for places in given]
        raise SymbenchError(f"a vector of {dim}-dimensional space has {dim} places, received {received}")
    return np.array([list(places) for places in given], dtype=np.int64).reshape(-1, dim)
