"""How instances are drawn; a seed gives the instance that an environment reset with it plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Cities = NDArray[np.float32]

CAPACITIES: Final = {10: 20, 20: 30, 50: 40, 100: 50}
"""Customers -> capacity of a vehicle in units of demand (Nazari et al. 2018, arXiv 1802.04240)."""
LARGEST_DEMAND: Final = 9  # units; demands are uniform from 1
CLUSTERS: Final = 3  # centres, uniform in the square
CLUSTER_WIDTH: Final = 0.07  # standard deviation of a city about its centre
SLACK: Final = 1e-6  # of a vehicle's capacity: a load that fills it exactly shall not fail by rounding


def uniform(generator: np.random.Generator, cities: Cities) -> None:
    """Place cities uniformly in the unit square, (n, 2), in place."""
    generator.random(out=cities, dtype=np.float32)


def clustered(generator: np.random.Generator, cities: Cities) -> None:
    """Place cities about three centres of the unit square, (n, 2), in place; its border reflects those beyond it."""
    centres = generator.random((CLUSTERS, 2))
    places = centres[generator.integers(CLUSTERS, size=len(cities))]
    places += CLUSTER_WIDTH * generator.standard_normal(cities.shape)
    cities[:] = 1 - np.abs(1 - np.abs(places))


DISTRIBUTIONS: Final[dict[str, Callable[[np.random.Generator, Cities], None]]] = {
    "uniform": uniform,
    "clustered": clustered,
}
"""Name -> what draws cities."""


def distribution(name: str) -> Callable[[np.random.Generator, Cities], None]:
    """What draws cities.

    Raises:
        SymbenchError: There is no such distribution.
    """
    if name not in DISTRIBUTIONS:
        raise unknown("distribution of cities", name, DISTRIBUTIONS)
    return DISTRIBUTIONS[name]


def capacity_for(customers: int) -> int:
    """The published capacity for this number of customers.

    Raises:
        SymbenchError: None is published.
    """
    if customers not in CAPACITIES:
        known = ", ".join(map(str, CAPACITIES))
        raise SymbenchError(
            f"no capacity is published for n={customers} customers, only for {known}: give capacity=..."
        )
    return CAPACITIES[customers]


def uniform_demands(numbers: NDArray[np.float64], capacity: int) -> NDArray[np.float32]:
    """Demands of the depot, 0, and of customers, 1 to 9 units, as shares of the capacity, (..., customers + 1).

    Args:
        numbers: Uniform in [0, 1), one for each node; they are drawn faster than integers.
        capacity: Of a vehicle, in units.
    """
    demands = (np.floor(LARGEST_DEMAND * numbers) + 1) / capacity
    demands[..., 0] = 0
    return demands.astype(np.float32)


def checked_cities(given: Any, count: int) -> Cities:
    """Cities that a user gives, (..., count, 2), in single precision.

    Raises:
        SymbenchError: They have another shape, or a coordinate is NaN or infinite. Cities may coincide.
    """
    cities = _numbers("cities", given)
    if cities.shape[-2:] != (count, 2):
        raise SymbenchError(
            f"cities must have shape (..., {count}, 2), received {cities.shape}; make the environment for their number"
        )
    return cities


def checked_demands(given: Any, count: int) -> NDArray[np.float32]:
    """Demands that a user gives, (..., count), as shares of the capacity, first the depot's, 0; single precision.

    Raises:
        SymbenchError: They have another shape, one is NaN, negative or above 1, or the depot has one.
    """
    demands = _numbers("demands", given)
    if demands.shape[-1:] != (count,):
        raise SymbenchError(f"demands must have shape (..., {count}), the depot's first, received {demands.shape}")
    if (demands[..., 0] != 0).any():
        raise SymbenchError(f"the depot, city 0, must have demand 0, received {demands[..., 0].tolist()}")
    if (demands < 0).any() or (demands > 1 + SLACK).any():
        raise SymbenchError(
            f"demands are shares of a vehicle's capacity, 0 to 1, received {demands.min():g} to {demands.max():g}"
        )
    return demands


def _numbers(name: str, given: Any) -> NDArray[np.float32]:
    try:
        numbers = np.asarray(given, dtype=np.float32)
    except (TypeError, ValueError):
        raise SymbenchError(f"{name} must be an array of numbers, received {str(given)[:60]}") from None
    if not np.isfinite(numbers).all():
        raise SymbenchError(f"{name} must be finite, received NaN or infinity at {_place(~np.isfinite(numbers))}")
    return numbers


def _place(wrong: NDArray[np.bool_]) -> list[int]:
    first: list[int] = np.argwhere(wrong)[0].tolist()
    return first
