"""Groups of scenes of like entities: permutations, and their products with motions of space. Elements are sampled.

* :class:`PermutationGroup` - S_n of any n, or several kinds of entities
* :class:`DirectProduct` - of any two groups
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.groups.base import Group, SampledGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PermutationGroup(SampledGroup):
    """Permutations of n things that keep their kinds; element g sends thing i to place ``g[i]``, shape (n,).

    :func:`~symbench.symmetry.groups.symmetric` lists the elements of one kind of at most 6; these are never listed.

    Attributes:
        kinds: How many things there are of each kind, which stand one kind behind the other.

    Example:
        >>> group = PermutationGroup((3, 2))
        >>> group.name, group.identity
        ('S3 x S2', array([0, 1, 2, 3, 4]))
    """

    kinds: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            SymbenchError: One is below 1, or there are none.
        """
        if not self.kinds or min(self.kinds) < 1:
            raise SymbenchError(f"kinds must be whole numbers above 0, received {self.kinds}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """E.g. ``"S3 x S2"``."""
        return " x ".join(f"S{size}" for size in self.kinds if size > 1) or "S1"

    @property
    def element_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """(n,)."""
        return (sum(self.kinds),)

    @property
    def identity(self) -> NDArray[np.int64]:
        """Every thing in its place."""
        return np.arange(sum(self.kinds))

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.int64]:
        """Draw elements, all equally likely; see :meth:`Group.sample`."""
        first = np.cumsum([0, *self.kinds[:-1]]).tolist()
        blocks = [
            rng.permuted(np.tile(np.arange(start, start + kind), (size, 1)), axis=1)
            for start, kind in zip(first, self.kinds, strict=True)
        ]
        return np.concatenate(blocks, axis=1)

    def compose(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Products; see :meth:`Group.compose`."""
        products: NDArray[np.int64] = np.take_along_axis(first, second, axis=-1)
        return products

    def inverse(self, elements: NDArray[np.int64]) -> NDArray[np.int64]:
        """Inverses; see :meth:`Group.inverse`."""
        return np.argsort(elements, axis=-1)

    def element(self, value: Any) -> NDArray[np.int64]:
        """The element of a list of places; see :meth:`Group.element`."""
        given = np.asarray(value)
        if given.dtype.kind not in "iuf":
            raise TypeError(f"an element of {self.name} is a list of places, received {value!r}")
        kind = np.repeat(np.arange(len(self.kinds)), self.kinds)
        if not np.array_equal(np.sort(given), self.identity) or (kind[given.astype(np.int64)] != kind).any():
            raise SymbenchError(f"{self.name} has no element {given.tolist()}")
        return given.astype(np.int64)


@dataclass(frozen=True)
class DirectProduct(SampledGroup):
    """Pairs (g, h) of the elements of two groups; an element is the numbers of g, then those of h, float64.

    For two finite groups :func:`~symbench.symmetry.groups.product` gives the table of their product.

    Attributes:
        first: The group of g.
        second: The group of h.

    Example:
        >>> from symbench.symmetry import orthogonal
        >>> group = DirectProduct(orthogonal(2), PermutationGroup((3,)))
        >>> group.name, group.element_shape
        ('O(2) x S3', (12,))
    """

    first: Group
    second: Group

    @property
    def name(self) -> str:  # type: ignore[override]
        """Both names."""
        return f"{self.first.name} x {self.second.name}"

    @property
    def element_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """All numbers of an element."""
        return (self._size + int(np.prod(self.second.element_shape)),)

    @property
    def identity(self) -> NDArray[np.float64]:
        """The pair of both identities."""
        return self.join(np.asarray(self.first.identity), np.asarray(self.second.identity))

    def split(self, elements: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Elements g and h of one element, or of each of a batch."""
        lead = elements.shape[:-1]
        parts = []
        for group, numbers in (
            (self.first, elements[..., : self._size]),
            (self.second, elements[..., self._size :]),
        ):
            kind = np.asarray(group.identity).dtype
            parts.append(numbers.reshape((*lead, *group.element_shape)).astype(kind))
        return parts[0], parts[1]

    def join(self, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
        """The inverse of :meth:`split`."""
        lead = first.shape[: first.ndim - len(self.first.element_shape)]
        return np.concatenate([first.reshape(*lead, -1), second.reshape(*lead, -1)], axis=-1).astype(np.float64)

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw both; see :meth:`Group.sample`."""
        return self.join(self.first.sample(rng, size), self.second.sample(rng, size))

    def compose(self, first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        """Products; see :meth:`Group.compose`."""
        (g, h), (k, m) = self.split(first), self.split(second)
        return self.join(self.first.compose(g, k), self.second.compose(h, m))

    def inverse(self, elements: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inverses; see :meth:`Group.inverse`."""
        g, h = self.split(elements)
        return self.join(np.asarray(self.first.inverse(g)), np.asarray(self.second.inverse(h)))

    def element(self, value: Any) -> NDArray[np.float64]:
        """The element of all its numbers, or of a pair (g, h); see :meth:`Group.element`."""
        if isinstance(value, (tuple, list)) and len(value) == 2:
            g, h = value
        else:
            numbers = np.asarray(value, dtype=np.float64)
            if numbers.shape != self.element_shape:
                raise SymbenchError(f"an element of {self.name} has {self.element_shape[0]} numbers or is a pair")
            g, h = (part if part.ndim else part.item() for part in self.split(numbers))
        return self.join(np.asarray(self.first.element(g)), np.asarray(self.second.element(h)))

    @property
    def _size(self) -> int:
        return int(np.prod(self.first.element_shape))
