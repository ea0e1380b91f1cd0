"""Base classes of groups, finite and continuous."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_TESTED: Final = 16  # sampled elements that stand for all in a check


class Group(ABC):
    """A group whose elements are arrays: a number each, or a matrix each.

    Attributes:
        name: The field's name, e.g. ``"C4"`` or ``"SO(2)"``.
        element_shape: Shape of one element: ``()`` for the numbers of a finite group, (n + 1, n + 1) for matrices.
        is_finite: Whether the elements can be listed.
    """

    name: str
    element_shape: tuple[int, ...]
    is_finite: ClassVar[bool]

    @property
    @abstractmethod
    def identity(self) -> Any:
        """The element that changes nothing."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Draw elements, shape (size, ``*element_shape``); uniformly, where there is a uniform distribution."""

    @abstractmethod
    def compose(self, first: Any, second: Any) -> Any:
        """The products gh (first h, then g) of two elements, or of two batches of as many."""

    @abstractmethod
    def inverse(self, elements: Any) -> Any:
        """The inverse of an element, or of each of a batch."""

    @abstractmethod
    def element(self, value: Any) -> Any:
        """Read an element from plain data.

        Raises:
            TypeError: The value is of another type.
            SymbenchError: The group has no such element.
        """

    def enumerate(self) -> Sequence[Any]:
        """All elements, the identity first.

        Raises:
            SymbenchError: The group is continuous.
        """
        raise SymbenchError(f"{self.name} is continuous: its elements are sampled, they cannot be listed")

    @abstractmethod
    def test_elements(self) -> Sequence[Any]:
        """The elements that a check tries: all of a finite group, a fixed sample of a continuous one."""

    @abstractmethod
    def walk(self, seed: int) -> Iterator[Any]:
        """An endless series of elements that generates the group, for checks that try one after the other."""


class SampledGroup(Group):
    """Base class of groups whose elements are drawn in checks, too."""

    is_finite: ClassVar[bool] = False

    def test_elements(self) -> list[Any]:
        """The identity and some samples, always the same; see :meth:`Group.test_elements`."""
        return [self.identity, *self.sample(np.random.default_rng(0), _TESTED - 1)]

    def walk(self, seed: int) -> Iterator[Any]:
        """Samples; see :meth:`Group.walk`."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.sample(rng, 1)[0]
