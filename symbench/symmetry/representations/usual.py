"""The usual representations, made of a group's generators.

* :func:`from_generators`, :func:`permutation`, :func:`signed_permutation` - of what generators do
* :func:`trivial_representation`, :func:`regular`, :func:`standard_2d` - of the group alone
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.representations.vectors import Representation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup


def from_generators(group: FiniteGroup, matrices: NDArray[np.float64] | Sequence[Any]) -> Representation:
    """The representation in which the group's generators have these matrices, shape (generators, d, d).

    Raises:
        SymbenchError: There is none.
    """
    given = np.asarray(matrices, dtype=np.float64)
    if given.ndim != 3 or len(given) != len(group.generators):
        raise SymbenchError(f"{group.name} has {len(group.generators)} generators, received shape {given.shape}")
    built = np.empty((group.order, *given.shape[1:]))
    built[0] = np.eye(given.shape[1])
    for position, element in group.words:
        built[group.table[group.generators[position], element]] = given[position] @ built[element]
    return Representation(group, built)


def trivial_representation(group: FiniteGroup, dim: int = 1) -> Representation:
    """Nothing changes."""
    return Representation(group, np.broadcast_to(np.eye(dim), (group.order, dim, dim)))


def signed_permutation(
    group: FiniteGroup,
    orders: Sequence[Sequence[int]] | None = None,
    signs: Sequence[Sequence[float]] | None = None,
) -> Representation:
    """Numbers change place and sign: x'[i] = sign[i] * x[order[i]].

    Args:
        group: The group.
        orders: One for each generator; by default numbers stay in their places.
        signs: One for each generator, of 1 and -1; by default signs stay.

    Raises:
        SymbenchError: Neither is given, or they make no representation.
    """
    if orders is None and signs is None:
        raise SymbenchError("signed_permutation needs orders, signs or both")
    size = len((orders if orders is not None else signs or [])[0])
    places = np.asarray(orders if orders is not None else [range(size)] * len(group.generators))
    factors = np.asarray(signs if signs is not None else np.ones_like(places), dtype=np.float64)
    return from_generators(group, np.eye(size)[places] * factors[:, :, None])


def permutation(group: FiniteGroup, maps: Sequence[Sequence[int]] | NDArray[np.int64]) -> Representation:
    """Things change place: generator i sends thing a to place ``maps[i][a]``."""
    places = np.asarray(maps, dtype=np.int64)
    return from_generators(group, np.eye(places.shape[1])[places].transpose(0, 2, 1))


def regular(group: FiniteGroup) -> Representation:
    """The group permutes its own elements: one number per element, g sends that of h to the place of gh."""
    return Representation(group, np.eye(group.order)[group.table].transpose(0, 2, 1))


def standard_2d(group: FiniteGroup) -> Representation:
    """Turns (and reflections x -> -x) of the plane; for ``cyclic(n)`` and ``dihedral(n)``.

    Raises:
        SymbenchError: The group is neither.
    """
    kind, n = group.name[:1], group.name[1:]
    if kind not in ("C", "D") or not n.isdigit():
        raise SymbenchError(f"only cyclic and dihedral groups turn the plane, received {group.name}")
    angle = 2 * np.pi / int(n)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    generators = {"turn": turn, "flip": np.diag([-1.0, 1.0])}
    used = [generators["turn" if g < int(n) else "flip"] for g in group.generators]
    exact = np.round(used, 15) if int(n) in (1, 2, 4) else np.array(used)
    return from_generators(group, exact.reshape(-1, 2, 2))
