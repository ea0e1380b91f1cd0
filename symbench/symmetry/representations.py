"""How the elements of a finite group act on vectors, actions, pictures and points.

* :class:`Action` - what all of them have in common
* :class:`Representation` - on vectors, by matrices; :func:`signed_permutation`, :func:`regular` and others make them
* :class:`Centred` - on vectors, about a point other than 0
* :class:`ActionMap` - on the numbers of discrete actions

Pictures, dicts and points are in :mod:`symbench.symmetry.shapes`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup

_TOLERANCE = 1e-9


class Action(ABC):
    """A group acting on batches of something.

    Attributes:
        group: The group.
    """

    group: FiniteGroup

    @abstractmethod
    def apply(self, elements: int | NDArray[np.int64], batch: Any) -> Any:
        """Transform a batch of B things.

        Args:
            elements: One element for all, or one for each, shape (B,).
            batch: B things along the first axis.

        Returns:
            The transformed batch in new memory, of the same dtype.
        """

    def undo(self, elements: int | NDArray[np.int64], batch: Any) -> Any:
        """Transform a batch by the inverses of these elements; see :meth:`apply`."""
        return self.apply(self.group.inverses[elements], batch)

    @abstractmethod
    def misfit(self, space: Any) -> str | None:
        """Why it cannot act on the members of a space, or ``None`` if it can."""

    def image(self, space: Any) -> Any:
        """The smallest space of the same kind that holds what the elements make of the members of ``space``."""
        if not isinstance(space, spaces.Box):
            return space
        corners = np.stack([space.low, space.high]).astype(np.float64)
        moved = np.concatenate([self.apply(g, corners) for g in self.group.elements])
        return _box(moved.min(axis=0), moved.max(axis=0), space)

    def escape(self, space: Any) -> str | None:
        """Why the elements do not map a space to itself, or ``None`` if they do."""
        misfit = self.misfit(space)
        moved = misfit is None and self.image(space) != space
        return f"the group does not map the bounds of {space} to themselves" if moved else misfit


class Representation(Action):
    """A group acting on vectors of d numbers by matrices: rho(gh) = rho(g) rho(h).

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
        """Transform vectors, (B, d) -> (B, d); see :meth:`Action.apply`."""
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

    def misfit(self, space: Any) -> str | None:
        """See :meth:`Action.misfit`: a ``Box`` of d numbers."""
        fits = isinstance(space, spaces.Box) and space.shape == (self.dim,)
        return None if fits else f"acts on a Box of {self.dim} numbers, received {space}"

    def image(self, space: Any) -> Any:
        """See :meth:`Action.image`."""
        if self.is_signed_permutation or not isinstance(space, spaces.Box):
            return super().image(space)
        ends = np.stack([space.low, space.high]).astype(np.float64)
        with np.errstate(invalid="ignore"):  # 0 times infinity
            terms = np.where(self.matrices == 0, 0.0, self.matrices * ends[:, None, None])  # (2, |G|, d, d)
        low, high = terms.min(axis=0).sum(axis=2).min(axis=0), terms.max(axis=0).sum(axis=2).max(axis=0)
        return _box(low, high, space)

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


class Centred(Action):
    """A group acting on vectors about a point c that it leaves where it is: x -> c + rho(g) (x - c).

    Args:
        action: rho.
        centre: c, shape (d,).
    """

    def __init__(self, action: Representation, centre: Sequence[float]) -> None:
        self.group, self.action, self.centre = action.group, action, np.asarray(centre, dtype=np.float64)

    def apply(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Transform vectors, (B, d) -> (B, d); see :meth:`Action.apply`."""
        moved = self.centre + self.action.apply(elements, batch - self.centre)
        same_type: NDArray[Any] = moved.astype(batch.dtype)
        return same_type

    def misfit(self, space: Any) -> str | None:
        """See :meth:`Action.misfit`: a ``Box`` of d numbers."""
        return self.action.misfit(space)


class ActionMap(Action):
    """A group acting on the numbers of n discrete actions.

    Attributes:
        group: The group.
        maps: ``maps[g, a]`` is what action a becomes under g, int64, shape (|G|, n).
        vectors: The same on vectors with one entry per action (policies, Q values): (K_g v)[maps[g, a]] = v[a].
    """

    def __init__(self, group: FiniteGroup, maps: Sequence[Sequence[int]] | NDArray[np.int64]) -> None:
        """Make the action.

        Args:
            group: The group.
            maps: One for each of the group's generators.

        Raises:
            SymbenchError: The maps are no permutations, or do not multiply as the elements do.
        """
        generators = np.asarray(maps, dtype=np.int64).reshape(len(group.generators), -1)
        if not (np.sort(generators, axis=1) == np.arange(generators.shape[1])).all():
            raise SymbenchError(f"an action map must be a permutation of 0 to n - 1, received {maps}")
        self.group = group
        self.vectors = permutation(group, generators)
        self.maps: NDArray[np.int64] = self.vectors.matrices.argmax(axis=1)
        self._undo = self.maps[group.inverses]

    def apply(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Map action numbers, (B,) -> (B,); see :meth:`Action.apply`."""
        mapped: NDArray[Any] = self.maps[elements, batch].astype(batch.dtype, copy=False)
        return mapped

    def undo(self, elements: int | NDArray[np.int64], batch: NDArray[Any]) -> NDArray[Any]:
        """Map action numbers back, (B,) -> (B,); see :meth:`Action.undo`."""
        mapped: NDArray[Any] = self._undo[elements, batch]
        return mapped if mapped.dtype == batch.dtype else mapped.astype(batch.dtype)

    def misfit(self, space: Any) -> str | None:
        """See :meth:`Action.misfit`: ``Discrete(n)`` that begins at 0."""
        n = self.maps.shape[1]
        fits = getattr(space, "n", None) == n and getattr(space, "start", None) == 0
        return None if fits else f"acts on Discrete({n}), received {space}"


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


@lru_cache(maxsize=64)
def _first_of_rows(rows: int, length: int) -> NDArray[np.int64]:
    """Where each row of a batch begins in the flat batch, shape (rows, 1)."""
    return np.arange(rows)[:, None] * length


def _box(low: NDArray[np.float64], high: NDArray[np.float64], like: spaces.Box) -> spaces.Box:
    return spaces.Box(low.astype(like.dtype), high.astype(like.dtype), dtype=like.dtype.type)


def _same_group(first: Representation, second: Representation) -> None:
    if first.group != second.group:
        raise SymbenchError(f"representations of {first.group.name} and {second.group.name} cannot be combined")
