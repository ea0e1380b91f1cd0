"""Finite groups as multiplication tables; elements are the integers 0 to |G| - 1 and 0 is the identity."""

from __future__ import annotations

from functools import lru_cache
from itertools import cycle, permutations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.groups.base import Group

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_LARGEST_SYMMETRIC = 6  # 720 elements; the table has 720 * 720 entries


class FiniteGroup(Group):
    """A group given by its multiplication table.

    Attributes:
        name: The field's name, e.g. ``"C4"``.
        table: ``table[g, h]`` is the product gh (first h, then g), int64, shape (|G|, |G|).
        generators: Elements of which all others are products.
        inverses: ``inverses[g]`` is the inverse of g, shape (|G|,).
        labels: What each element does, for tables and pictures.

    Example:
        >>> group = cyclic(4)
        >>> group.order, int(group.table[1, 3]), int(group.inverses[1])
        (4, 0, 3)
    """

    element_shape = ()
    identity = 0
    is_finite: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        table: NDArray[np.int64] | Sequence[Sequence[int]],
        generators: Sequence[int],
        labels: Sequence[str] | None = None,
    ) -> None:
        """Make the group and check the axioms.

        Args:
            name: Its name.
            table: Its multiplication table.
            generators: Elements of which all others are products; none for the trivial group.
            labels: One for each element; by default ``e`` and the elements' numbers.

        Raises:
            SymbenchError: The table is not that of a group whose identity is 0, or the generators do not generate it.
        """
        self.name, self.table = name, np.asarray(table, dtype=np.int64)
        self.generators = tuple(int(g) for g in generators)
        _check_axioms(name, self.table)
        self.inverses: NDArray[np.int64] = np.argmin(self.table, axis=1)  # the identity is 0, the least
        self.labels = tuple(labels or ["e", *map(str, range(1, self.order))])
        self.words = self._words()

    @property
    def order(self) -> int:
        """Number of elements |G|."""
        return len(self.table)

    @property
    def elements(self) -> range:
        """All elements, the identity first."""
        return range(self.order)

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.int64]:
        """Draw elements, all equally likely; see :meth:`Group.sample`."""
        return rng.integers(self.order, size=size)

    def compose(self, first: Any, second: Any) -> Any:
        """Products; see :meth:`Group.compose`."""
        return self.table[first, second]

    def inverse(self, elements: Any) -> Any:
        """Inverses; see :meth:`Group.inverse`."""
        return self.inverses[elements]

    def element(self, value: Any) -> int:
        """The element of this number; see :meth:`Group.element`."""
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"element must be a whole number, received {value!r}")
        if not 0 <= value < self.order:
            raise SymbenchError(f"element must be between 0 and {self.order - 1}, received {value}")
        return int(value)

    def enumerate(self) -> range:
        """All elements; see :meth:`Group.enumerate`."""
        return self.elements

    def test_elements(self) -> range:
        """All elements; see :meth:`Group.test_elements`."""
        return self.elements

    def walk(self, seed: int) -> Iterator[int]:
        """The generators in turn, whatever the seed; see :meth:`Group.walk`."""
        return cycle(self.generators)

    def __repr__(self) -> str:
        return f"FiniteGroup({self.name}, {self.order} elements)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FiniteGroup) and np.array_equal(self.table, other.table)

    def __hash__(self) -> int:
        return hash(self.table.tobytes())

    def _words(self) -> list[tuple[int, int]]:
        """For each element other than 0, in an order that can be built up: (position of a generator, earlier element).

        Word i says that the element ``table[generators[a], b]`` is made of generator a and element b.
        """
        words, reached, frontier = list[tuple[int, int]](), {0}, [0]
        while frontier:
            element = frontier.pop(0)
            for position, generator in enumerate(self.generators):
                product = int(self.table[generator, element])
                if product not in reached:
                    reached.add(product)
                    frontier.append(product)
                    words.append((position, element))
        if len(reached) < self.order:
            raise SymbenchError(
                f"{self.name}: the generators {self.generators} make {len(reached)} of {self.order} elements"
            )
        return words


def _check_axioms(name: str, table: NDArray[np.int64]) -> None:
    size = len(table)
    everything = np.arange(size)
    if table.shape != (size, size) or not size or table.min() < 0 or table.max() >= size:
        raise SymbenchError(f"{name}: a multiplication table is square with entries 0 to |G| - 1, got {table.shape}")
    if not (np.array_equal(table[0], everything) and np.array_equal(table[:, 0], everything)):
        raise SymbenchError(f"{name}: element 0 is not the identity")
    if not (np.sort(table, axis=1) == everything).all() or not (np.sort(table, axis=0) == everything[:, None]).all():
        raise SymbenchError(f"{name}: not every element has an inverse")
    for g in range(size):  # one row at a time: a cube of 720 elements does not fit into memory
        if not np.array_equal(table[table[g]], table[g][table]):
            raise SymbenchError(f"{name}: the product is not associative")


@lru_cache
def trivial() -> FiniteGroup:
    """The group of the identity alone."""
    return FiniteGroup("trivial", [[0]], ())


@lru_cache
def cyclic(n: int) -> FiniteGroup:
    """C_n: element k is k turns by 360 / n degrees.

    Raises:
        SymbenchError: n < 1.
    """
    if n < 1:
        raise SymbenchError(f"cyclic(n) needs n >= 1, received {n}")
    turns = np.arange(n)
    labels = ["e", *(f"turn by {_degrees(k, n)}" for k in range(1, n))] if n > 2 else ["e", "flip"][:n]
    return FiniteGroup(f"C{n}", (turns[:, None] + turns) % n, (1,) if n > 1 else (), labels)


@lru_cache
def dihedral(n: int) -> FiniteGroup:
    """D_n, of 2n elements: element k + n f is a reflection if f is 1, then k turns by 360 / n degrees.

    Raises:
        SymbenchError: n < 1.
    """
    if n < 1:
        raise SymbenchError(f"dihedral(n) needs n >= 1, received {n}")
    turns, flips = np.arange(2 * n) % n, np.arange(2 * n) // n
    # A reflection reverses the turns that come after it: r^k s^f r^j s^h = r^(k + (-1)^f j) s^(f + h).
    turned = (turns[:, None] + np.where(flips[:, None], -1, 1) * turns) % n
    table = turned + n * ((flips[:, None] + flips) % 2)
    names = ["e", *(f"turn by {_degrees(k, n)}" for k in range(1, n))]
    labels = [*names, "reflection", *(f"reflection, {name}" for name in names[1:])]
    return FiniteGroup(f"D{n}", table, (1, n) if n > 1 else (1,), labels)


@lru_cache
def symmetric(n: int) -> FiniteGroup:
    """S_n, all permutations of n things in lexicographic order; :func:`arrangements` gives them.

    Raises:
        SymbenchError: n < 1, or above 6: such groups are sampled (``ShuffleSensors``), never listed.
    """
    if not 1 <= n <= _LARGEST_SYMMETRIC:
        raise SymbenchError(f"symmetric(n) lists groups of n 1 to {_LARGEST_SYMMETRIC} things, received {n}")
    orders = arrangements(n)
    number = {tuple(order): g for g, order in enumerate(orders.tolist())}
    table = [[number[tuple(first[second].tolist())] for second in orders] for first in orders]
    swap, cycle = [1, 0, *range(2, n)], [*range(1, n), 0]
    generators = sorted({number[tuple(order)] for order in (swap, cycle)} if n > 1 else set())
    return FiniteGroup(f"S{n}", table, generators, [" ".join(map(str, order)) for order in orders])


def arrangements(n: int) -> NDArray[np.int64]:
    """The elements of :func:`symmetric` as maps, shape (n!, n): element g sends thing i to place ``[g, i]``."""
    return np.array(list(permutations(range(n))), dtype=np.int64)


def product(first: FiniteGroup, second: FiniteGroup) -> FiniteGroup:
    """The direct product: element ``g * second.order + h`` is the pair (g, h)."""
    size = second.order
    g, h = np.divmod(np.arange(first.order * size), size)
    table = first.table[g[:, None], g] * size + second.table[h[:, None], h]
    generators = [*(generator * size for generator in first.generators), *second.generators]
    labels = [f"({a}, {b})" for a in first.labels for b in second.labels]
    return FiniteGroup(f"{first.name} x {second.name}", table, generators, ["e", *labels[1:]])


def _degrees(k: int, n: int) -> str:
    return f"{360 * k / n:g} degrees"
