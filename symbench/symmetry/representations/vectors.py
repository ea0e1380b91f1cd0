"""How the elements of a group act on vectors.

* :class:`Representation` - by matrices
* :class:`Centred` - about a point other than 0
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry.representations.base import GroupAction, box_like, needs_floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup

_TOLERANCE: Final = 1e-9


class Representation(GroupAction):
    """A finite group acting on vectors of d numbers by matrices: rho(gh) = rho(g) rho(h).

    Attributes:
        group: The group.
        matrices: float64, shape (|G|, d, d).

    Example:
        >>> from symbench.symmetry import cyclic, signed_permutation
        >>> mirror = signed_permutation(cyclic(2), signs=[[-1, 1]])
        >>> mirror.apply(1, np.array([[3.0, 4.0]]))
        array([[-3.,  4.]])
        >>> (mirror + mirror).dim
        4
    """

    group: FiniteGroup

    def __init__(self, group: FiniteGroup, matrices: NDArray[np.float64]) -> None:
        """Make the representation and check that it is one.

        Args:
            group: The group.
            matrices: One for each element, shape (|G|, d, d).

        Raises:
            SymbenchError: The matrices do not multiply as the elements do.
        """
        self.group, self.matrices = group, np.asarray(matrices, dtype=np.float64)
        self._check()
        # Signed permutations are gathered, which is faster than a product and exact.
        self._order = np.abs(self.matrices).argmax(axis=2)
        self._sign = np.take_along_axis(self.matrices, self._order[:, :, None], axis=2)[:, :, 0]
        rebuilt = np.zeros_like(self.matrices)
        np.put_along_axis(rebuilt, self._order[:, :, None], self._sign[:, :, None], axis=2)
        self.is_signed_permutation = bool((np.abs(self._sign) == 1).all() and np.array_equal(rebuilt, self.matrices))
        self._unsigned = bool((self._sign == 1).all())
        self._signs_of: dict[np.dtype[Any], NDArray[Any]] = {}

    @property
    def dim(self) -> int:
        """Length d of the vectors."""
        return int(self.matrices.shape[1])

    @property
    def is_permutation(self) -> bool:
        """Whether every element only reorders: pointwise nonlinearities such as ReLU are allowed."""
        return self.is_signed_permutation and self._unsigned

    @property
    def is_orthogonal(self) -> bool:
        """Whether lengths are kept."""
        products = self.matrices @ self.matrices.transpose(0, 2, 1)
        return bool(np.abs(products - np.eye(self.dim)).max() < _TOLERANCE)

    @property
    def character(self) -> NDArray[np.float64]:
        """Traces, shape (|G|,)."""
        traces: NDArray[np.float64] = np.trace(self.matrices, axis1=1, axis2=2)
        return traces

    def apply(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Transform vectors, (B, d) -> (B, d); see :meth:`GroupAction.apply`."""
        if not self.is_signed_permutation:
            turned: NDArray[Any] = (self.matrices[elements].astype(batch.dtype) @ batch[..., None])[..., 0]
            return turned
        # numpy's take is several times faster than indexing, and than its take_along_axis.
        order = self._order.take(elements, axis=0)
        if order.ndim == 1:
            gathered: NDArray[Any] = batch.take(order, axis=-1)
        else:
            gathered = batch.take(order if len(batch) == 1 else order + _first_of_rows(*batch.shape))
        return gathered if self._unsigned else gathered * self._signs(batch.dtype).take(elements, axis=0)

    def _signs(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        if dtype not in self._signs_of:
            self._signs_of[dtype] = self._sign.astype(dtype)
        return self._signs_of[dtype]

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: a ``Box`` of d numbers."""
        fits = isinstance(space, spaces.Box) and space.shape == (self.dim,)
        return None if fits else f"acts on a Box of {self.dim} numbers, received {space}"

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`: whole numbers may change places, and signs if there are such."""
        if self.is_permutation or not needs_floats(space):
            return None
        negative = np.issubdtype(space.dtype, np.signedinteger) and (space.low > np.iinfo(str(space.dtype)).min).all()
        return None if self.is_signed_permutation and negative else needs_floats(space)

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`."""
        if self.is_signed_permutation or not isinstance(space, spaces.Box):
            return super().image(space)
        ends = np.stack([space.low, space.high]).astype(np.float64)
        with np.errstate(invalid="ignore"):  # 0 times infinity
            terms = np.where(self.matrices == 0, 0.0, self.matrices * ends[:, None, None])  # (2, |G|, d, d)
        low, high = terms.min(axis=0).sum(axis=2).min(axis=0), terms.max(axis=0).sum(axis=2).max(axis=0)
        return box_like(low, high, space)

    def __add__(self, other: Representation) -> Representation:
        """Direct sum: both, one below the other."""
        _same_group(self, other)
        size = self.dim + other.dim
        matrices = np.zeros((self.group.order, size, size))
        matrices[:, : self.dim, : self.dim], matrices[:, self.dim :, self.dim :] = self.matrices, other.matrices
        return Representation(self.group, matrices)

    def __mul__(self, times: int) -> Representation:
        """Direct sum of ``times`` copies."""
        return Representation(self.group, np.stack([np.kron(np.eye(times), matrix) for matrix in self.matrices]))

    def __matmul__(self, other: Representation) -> Representation:
        """Tensor product; vectors are ordered as ``np.kron`` orders them."""
        _same_group(self, other)
        pairs = zip(self.matrices, other.matrices, strict=True)
        return Representation(self.group, np.stack([np.kron(a, b) for a, b in pairs]))

    def dual(self) -> Representation:
        """The representation on linear forms: transposed inverses."""
        return Representation(self.group, self.matrices[self.group.inverses].transpose(0, 2, 1))

    def _check(self) -> None:
        order, shape = self.group.order, self.matrices.shape
        if len(shape) != 3 or shape[0] != order or shape[1] != shape[2]:
            raise SymbenchError(
                f"a representation of {self.group.name} needs {order} square matrices, received {shape}"
            )
        if self.matrices.size and np.abs(self.matrices[0] - np.eye(shape[1])).max() > _TOLERANCE:
            raise SymbenchError(f"a representation of {self.group.name} must map the identity to the unit matrix")
        for generator in self.group.generators:
            products = self.matrices[generator] @ self.matrices
            if np.abs(products - self.matrices[self.group.table[generator]]).max(initial=0) > _TOLERANCE:
                raise SymbenchError(
                    f"these matrices are no representation of {self.group.name}: "
                    f"products with element {generator} ({self.group.labels[generator]}) differ from the group's"
                )


class Centred(GroupAction):
    """A group acting on vectors about a point c that it leaves where it is: x -> c + rho(g) (x - c).

    Args:
        action: rho, of any group.
        centre: c, shape (d,).
    """

    def __init__(self, action: GroupAction, centre: Sequence[float]) -> None:
        self.group, self.action, self.centre = action.group, action, np.asarray(centre, dtype=np.float64)

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """Transform vectors, (B, ..., d); see :meth:`GroupAction.apply`."""
        moved = self.centre + self.action.apply(elements, batch - self.centre)
        same_type: NDArray[Any] = moved.astype(batch.dtype)
        return same_type

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: a ``Box`` of d numbers."""
        return self.action.incompatibility(space)

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`."""
        if self.group.is_finite:
            return super().image(space)
        moved = self.action.image(box_like(space.low - self.centre, space.high - self.centre, space))
        return box_like(moved.low + self.centre, moved.high + self.centre, space)

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`."""
        return needs_floats(space)


@lru_cache(maxsize=64)
def _first_of_rows(rows: int, length: int) -> NDArray[np.int64]:
    """Where each row of a batch begins in the flat batch, shape (rows, 1)."""
    return np.arange(rows)[:, None] * length


def _same_group(first: Representation, second: Representation) -> None:
    if first.group != second.group:
        raise SymbenchError(f"representations of {first.group.name} and {second.group.name} cannot be combined")
