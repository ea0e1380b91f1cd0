"""Scalings of space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.groups.base import SampledGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPREAD: Final = 0.5  # standard deviation of the logarithm of sampled factors


@dataclass(frozen=True)
class Dilations(SampledGroup):
    """The multiplicative group of positive numbers; an element c makes everything c times as large.

    Example:
        >>> group = Dilations()
        >>> group.name, group.compose(2.0, 0.25)
        ('R+', 0.5)
    """

    name = "R+"
    element_shape = ()

    @property
    def identity(self) -> float:
        """1."""
        return 1.0

    def sample(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """Draw elements, log-normal about 1: there is no uniform distribution."""
        return np.exp(_SPREAD * rng.standard_normal(size))

    def compose(self, first: Any, second: Any) -> Any:
        """Products; see :meth:`Group.compose`."""
        return first * second

    def inverse(self, elements: Any) -> Any:
        """Inverses; see :meth:`Group.inverse`."""
        return 1.0 / np.asarray(elements)

    def element(self, value: Any) -> float:
        """The element of a number; see :meth:`Group.element`."""
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
            raise TypeError(f"an element of {self.name} is a number, received {value!r}")
        if not 0 < value < np.inf:
            raise SymbenchError(f"{self.name} has no element {value}")
        return float(value)
