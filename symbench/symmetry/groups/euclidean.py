"""Motions of n-dimensional space: rotations, reflections and translations.

* :func:`orthogonal`, :func:`special_orthogonal` - O(n), with reflections, and SO(n), without
* :func:`euclidean`, :func:`special_euclidean` - E(n) and SE(n): the same with translations
* :func:`translations` - T(n)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.groups.base import SampledGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOLERANCE: Final = 1e-6  # of a user's own matrix
_NAMES: Final = {
    (True, True, False): "O",
    (True, False, False): "SO",
    (True, True, True): "E",
    (True, False, True): "SE",
    (False, False, True): "T",
}


@dataclass(frozen=True)
class EuclideanGroup(SampledGroup):
    """The Euclidean group E(n) or one of its subgroups; elements are homogeneous matrices ((R, t), (0, 1)).

    Attributes:
        dim: Dimension n of the space.
        rotations: Whether rotations belong to it.
        reflections: Whether reflections belong to it, too.
        shifts: Whether translations belong to it.
        scale: Standard deviation of sampled translations: they have no uniform distribution.

    Example:
        >>> group = special_orthogonal(2)
        >>> elements = group.sample(np.random.default_rng(0), 5)
        >>> elements.shape, group.name
        ((5, 3, 3), 'SO(2)')
    """

    dim: int
    rotations: bool
    reflections: bool
    shifts: bool
    scale: float = field(default=1.0, compare=False)

    def __post_init__(self) -> None:
        """Check the dimension.

        Raises:
            SymbenchError: n is no whole number, or too small: SO(1) is trivial.
        """
        least = 2 if self.rotations and not self.reflections else 1
        if not isinstance(self.dim, int) or self.dim < least:
            raise SymbenchError(f"{self._family}(n) needs a whole number n >= {least}, received {self.dim!r}")

    @property
    def _family(self) -> str:
        return _NAMES[self.rotations, self.reflections, self.shifts]

    @property
    def name(self) -> str:  # type: ignore[override]
        """The field's name, e.g. ``"E(3)"``."""
        return f"{self._family}({self.dim})"

    @property
    def element_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n + 1, n + 1)."""
        return (self.dim + 1, self.dim + 1)

    @property
    def identity(self) -> NDArray[np.float64]:
        """The unit matrix."""
        return np.eye(self.dim + 1)

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw elements: rotations and reflections uniformly (Haar), translations from a normal distribution."""
        elements = np.tile(self.identity, (size, 1, 1))
        if self.rotations:
            elements[:, :-1, :-1] = _uniform(rng, size, self.dim, self.reflections)
        if self.shifts:
            elements[:, :-1, -1] = self.scale * rng.standard_normal((size, self.dim))
        return elements

    def compose(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Products of matrices; see :meth:`Group.compose`."""
        products: NDArray[np.float64] = np.matmul(first, second)
        return products

    def inverse(self, elements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverse matrices; see :meth:`Group.inverse`."""
        inverses = np.zeros_like(elements)
        inverses[..., :-1, :-1] = linear_part(elements).swapaxes(-1, -2)
        inverses[..., :-1, -1:] = -inverses[..., :-1, :-1] @ elements[..., :-1, -1:]
        inverses[..., -1, -1] = 1.0
        return inverses

    def element(self, value: Any) -> NDArray[np.float64]:
        """The element of a matrix: R (n, n), or the homogeneous one (n + 1, n + 1); see :meth:`Group.element`."""
        try:
            matrix = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"an element of {self.name} is a matrix, received {value!r}") from None
        whole = self.identity
        if matrix.shape not in (self.element_shape, (self.dim, self.dim)):
            raise SymbenchError(f"an element of {self.name} is a matrix {self.element_shape}, received {matrix.shape}")
        whole[: len(matrix), : len(matrix)] = matrix
        if not self._holds(whole):
            raise SymbenchError(f"{self.name} has no element {matrix.tolist()}")
        return whole

    def _holds(self, element: NDArray[np.float64]) -> bool:
        rotation, shift = linear_part(element), element[:-1, -1]
        allowed = (
            np.abs(rotation @ rotation.T - np.eye(self.dim)).max() < _TOLERANCE
            and np.array_equal(element[-1], self.identity[-1])
            and (self.shifts or not shift.any())
            and (self.reflections or np.linalg.det(rotation) > 0)
            and (self.rotations or np.array_equal(rotation, np.eye(self.dim)))
        )
        return bool(allowed)


def linear_part(elements: NDArray[np.float64]) -> NDArray[np.float64]:
    """The orthogonal matrices R of elements, (..., n, n)."""
    return elements[..., :-1, :-1]


def orthogonal(n: int) -> EuclideanGroup:
    """O(n): rotations and reflections about the origin.

    Raises:
        SymbenchError: n < 1.
    """
    return EuclideanGroup(n, rotations=True, reflections=True, shifts=False)


def special_orthogonal(n: int) -> EuclideanGroup:
    """SO(n): rotations about the origin.

    Raises:
        SymbenchError: n < 2.
    """
    return EuclideanGroup(n, rotations=True, reflections=False, shifts=False)


def euclidean(n: int, scale: float = 1.0) -> EuclideanGroup:
    """E(n): rotations, reflections and translations; ``scale`` is the standard deviation of sampled translations.

    Raises:
        SymbenchError: n < 1.
    """
    return EuclideanGroup(n, rotations=True, reflections=True, shifts=True, scale=scale)


def special_euclidean(n: int, scale: float = 1.0) -> EuclideanGroup:
    """SE(n): rotations and translations; ``scale`` is the standard deviation of sampled translations.

    Raises:
        SymbenchError: n < 2.
    """
    return EuclideanGroup(n, rotations=True, reflections=False, shifts=True, scale=scale)


def translations(n: int, scale: float = 1.0) -> EuclideanGroup:
    """T(n): translations; ``scale`` is the standard deviation of sampled ones.

    Raises:
        SymbenchError: n < 1.
    """
    return EuclideanGroup(n, rotations=False, reflections=False, shifts=True, scale=scale)


def _uniform(rng: np.random.Generator, size: int, dim: int, reflections: bool) -> NDArray[np.float64]:
    """Orthogonal matrices, uniformly distributed (Haar), shape (size, dim, dim)."""
    matrices, triangles = np.linalg.qr(rng.standard_normal((size, dim, dim)))
    # Without the signs the distribution would not be uniform (Mezzadri 2007, arXiv math-ph/0609050).
    uniform: NDArray[np.float64] = matrices * np.sign(np.diagonal(triangles, axis1=1, axis2=2))[:, None, :]
    if not reflections:
        uniform[:, :, 0] *= np.linalg.det(uniform)[:, None].round()
    return uniform
