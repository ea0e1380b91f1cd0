"""Bases of the linear maps that commute with a group: K_g W = W L_g for all g.

* :func:`symmetrize` - the Symmetrizer, the projection onto these maps
* :func:`map_basis` - an orthonormal basis of them, or of what they are compared with
* :func:`invariants` - the same for biases: vectors with K_g b = b

Source: van der Pol et al. 2020 (arXiv 2006.16908), equations 14 to 17 and algorithm 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError, unknown
from symbench.symmetry import Representation, trivial_representation

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASES: Final = ("equivariant", "nullspace", "random")
"""Maps that commute with the group; their orthogonal complement; all maps (a dense layer in another basis)."""
SOFT: Final = "soft"
"""A further basis, of the first followed by the second: layers that may leave the symmetry, at a price."""

_LARGEST: Final = 2**25  # numbers in one array: 256 MB
_NOTHING: Final = 1e-12  # entries of a projector below this are rounding
_TOLERANCE: Final = 1e-6  # columns of a projector that are shorter than this depend on those before them


def symmetrize(weights: NDArray[np.float64], rep_in: Representation, rep_out: Representation) -> NDArray[np.float64]:
    """The mean of K_g^-1 W L_g over the group.

    The mean of K_g W L_g, without the inverse, gives the same if every element is its own inverse. Otherwise its maps
    turn the wrong way round (W L_g = K_g^-1 W), and only an odd number of such layers is equivariant.

    Args:
        weights: Shape (..., d_out, d_in).
        rep_in: L, on vectors of length d_in.
        rep_out: K, on vectors of length d_out.

    Raises:
        SymbenchError: The representations are of different groups.
    """
    _same_group(rep_in, rep_out)
    inverse = rep_out.matrices[rep_out.group.inverses]
    pairs = zip(inverse, rep_in.matrices, strict=True)
    return np.asarray(sum(k @ weights @ l_g for k, l_g in pairs) / len(inverse))


def map_basis(rep_in: Representation, rep_out: Representation, basis: str = "equivariant") -> NDArray[np.float64]:
    """An orthonormal basis of linear maps from ``rep_in`` to ``rep_out``.

    It depends on nothing but the representations: coefficients that were saved mean the same wherever they are loaded.
    An eigenvalue decomposition would leave its rotation to the linear algebra library.

    Args:
        rep_in: L, on vectors of length d_in.
        rep_out: K, on vectors of length d_out.
        basis: One of :data:`BASES`, or :data:`SOFT`.

    Returns:
        Shape (r, d_out, d_in), read-only.

    Raises:
        SymbenchError: The representations are of different groups or too large, or the basis is unknown.
    """
    _same_group(rep_in, rep_out)
    check_size((rep_in.dim * rep_out.dim) ** 2, f"a basis of the maps from {rep_in.dim} to {rep_out.dim} numbers")
    if basis == SOFT:
        return np.concatenate([map_basis(rep_in, rep_out, part) for part in BASES[:2]])
    if basis not in BASES:
        raise unknown("basis", basis, (*BASES, SOFT))
    sizes = (rep_in.group.order, rep_out.dim, rep_in.dim)
    inverse = rep_out.matrices[rep_out.group.inverses]
    return _basis(sizes, inverse.tobytes(), rep_in.matrices.tobytes(), basis)


def invariants(rep: Representation, basis: str = "equivariant") -> NDArray[np.float64]:
    """An orthonormal basis of the vectors that no element changes, or of what they are compared with.

    Args:
        rep: On vectors of length d.
        basis: One of :data:`BASES`.

    Returns:
        Shape (r, d), read-only.

    Raises:
        SymbenchError: The basis is unknown.
    """
    return map_basis(trivial_representation(rep.group), rep, basis)[:, :, 0]


def rank(rep_in: Representation, rep_out: Representation) -> int:
    """Dimension of the space of equivariant maps, from the characters: mean of tr(L_g^-1) tr(K_g)."""
    traces = rep_in.character[rep_in.group.inverses] * rep_out.character
    return round(float(traces.mean()))


def check_size(numbers: int, what: str) -> None:
    """Refuse what is too large to be computed with: a few words can describe it.

    Raises:
        SymbenchError: ``what`` takes too many numbers.
    """
    if numbers > _LARGEST:
        raise SymbenchError(f"{what} takes {numbers:,} numbers in memory, at most {_LARGEST:,} are possible")


@lru_cache(maxsize=64)
def _basis(sizes: tuple[int, int, int], inverse: bytes, rep_in: bytes, basis: str) -> NDArray[np.float64]:
    order, rows, columns = sizes
    if basis == "random":
        vectors = _cosines(rows * columns)
    else:
        k = np.frombuffer(inverse).reshape(order, rows, rows)
        l_g = np.frombuffer(rep_in).reshape(order, columns, columns)
        # Row by row, K^-1 W L is the product of kron(K^-1, L^T) and W.
        projector = sum(np.kron(a, b.T) for a, b in zip(k, l_g, strict=True)) / order
        vectors = _orthonormal(np.asarray(projector))
        if basis == "nullspace":
            vectors = _orthonormal(np.eye(rows * columns) - vectors.T @ vectors)
    vectors = vectors.reshape(-1, rows, columns)
    vectors.setflags(write=False)  # it is shared
    return vectors


def _orthonormal(projector: NDArray[np.float64]) -> NDArray[np.float64]:
    """An orthonormal basis of the columns, shape (r, n), by Gram and Schmidt's method in their order.

    Places that are not connected by the projector (those of different orbits, if numbers only change place) are treated
    apart.
    """
    from scipy.sparse.csgraph import connected_components  # late: it takes a tenth of a second to import

    count, parts = connected_components(np.abs(projector) > _NOTHING, directed=False)
    found: list[NDArray[np.float64]] = []
    for part in range(count):
        places = np.flatnonzero(parts == part)
        rest = projector[np.ix_(places, places)]
        for i in range(len(places)):
            length = np.linalg.norm(rest[:, i])
            if length > _TOLERANCE:
                vector = rest[:, i] / length
                rest[:, i:] -= np.outer(vector, vector @ rest[:, i:])
                found.append(np.zeros(len(projector)))
                found[-1][places] = vector
    return np.array(found).reshape(-1, len(projector))


def _cosines(n: int) -> NDArray[np.float64]:
    """The discrete cosine transform: an orthonormal basis that mixes all places, without random numbers."""
    k, j = np.arange(n)[:, None], np.arange(n)
    waves = np.cos(np.pi * k * (2 * j + 1) / (2 * n)) * np.sqrt(2 / n)
    waves[0] /= np.sqrt(2)
    return np.asarray(waves)


def _same_group(rep_in: Representation, rep_out: Representation) -> None:
    if rep_in.group != rep_out.group:
        raise SymbenchError(
            f"a layer needs representations of one group, received {rep_in.group.name} and {rep_out.group.name}"
        )
