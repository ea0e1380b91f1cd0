"""Equivariant maps in coordinates in which they are small blocks.

By Schur's lemma an equivariant map sends each isotypic component of its input (all that transforms by one irreducible
representation) to the same component of its output. In coordinates along the components it is block diagonal: of |G|^2
products of channels between regular representations 2 of 4 are left for C2, 8 of 16 for C4, 32 of 64 for D4.

* :class:`Blocks` - the coordinates, and the basis of the maps in them
* :func:`isotypic_blocks`, :func:`one_block` - the components' coordinates; those that were there

The coordinates are made by an eigenvalue decomposition, which leaves their rotation within a component to the linear
algebra library. Coefficients mean the same in all of them: only rounding differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from symbench.policies.equivariant.bases import map_basis, symmetrize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry import Representation

    Component = tuple[NDArray[np.float64], NDArray[np.float64]]

_GAP: Final = 1e-6  # between eigenvalues of different components; those of one differ by rounding
_WORTH: Final = 0.75  # of the products that are left: more operations take longer to call


class Blocks(NamedTuple):
    """Maps W = sum_i c_i V_i as k equal blocks: W = out blockdiag(W_1 ... W_k) into, W_j = sum_i c_i maps[j, :, :, i].

    Attributes:
        into: To the coordinates of the input, (k, columns, d_in).
        maps: The basis in these coordinates, (k, rows, columns, r).
        out: From the coordinates of the output, (k, rows, d_out).
    """

    into: NDArray[np.float64]
    maps: NDArray[np.float64]
    out: NDArray[np.float64]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """k, rows and columns."""
        count, rows, columns, _ = self.maps.shape
        return count, rows, columns

    def matrices(self, vectors: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """What layers multiply by.

        Args:
            vectors: A basis of biases, (r_b, d_out).

        Returns:
            ``into`` (k * columns, d_in), ``maps`` (k * rows * columns, r), ``vectors`` in the output's coordinates
            (k * rows, r_b), and ``out`` (d_out, k * rows).
        """
        (count, rows, columns), out = self.sizes, np.concatenate(self.out)
        maps = self.maps.reshape(count * rows * columns, self.maps.shape[3])
        return [np.concatenate(self.into), maps, out @ vectors.T, out.T]


def one_block(maps: NDArray[np.float64]) -> Blocks:
    """A basis (r, d_out, d_in) as it is."""
    _, rows, columns = maps.shape
    return Blocks(np.eye(columns)[None], maps.transpose(1, 2, 0)[None], np.eye(rows)[None])


def isotypic_blocks(rep_in: Representation, rep_out: Representation, in_channels: int, out_channels: int) -> Blocks:
    """The equivariant maps in the coordinates of their isotypic components, if these leave less to multiply.

    Args:
        rep_in: L, on vectors of length d_in.
        rep_out: K, on vectors of length d_out.
        in_channels: Copies of ``rep_in`` that a layer reads.
        out_channels: Copies of ``rep_out`` that it makes. Between few channels the way to the coordinates and back
            costs more than it saves.
    """
    maps = map_basis(rep_in, rep_out)
    if not (rep_in.is_orthogonal and rep_out.is_orthogonal):
        return one_block(maps)
    into, out = (np.stack(parts) for parts in zip(*_packed(_components(rep_in, rep_out)), strict=True))
    found = Blocks(into, np.einsum("kao,roi,kbi->kabr", out, maps, into, optimize=True), out)
    size_in, size_out = rep_in.dim * in_channels, rep_out.dim * out_channels
    (count, rows, columns), channels = found.sizes, in_channels * out_channels
    products = count * (rows * columns * channels + columns * size_in + rows * size_out)
    return found if products <= _WORTH * size_in * size_out else one_block(maps)


def _components(rep_in: Representation, rep_out: Representation) -> list[Component]:
    """Orthonormal bases of the isotypic components, (n_in, d_in) and (n_out, d_out), the largest first.

    Those that the input has not (n_in is 0) are kept: a bias may be in them. An element of the group algebra's centre
    multiplies each component by a number, which is the same in all representations.
    """
    (values_in, vectors_in), (values_out, vectors_out) = (np.linalg.eigh(_central(rep)) for rep in (rep_in, rep_out))
    values = np.sort(np.concatenate([values_in, values_out]))
    limits = values[1:][np.diff(values) > _GAP] - _GAP / 2
    kinds_in, kinds_out = np.digitize(values_in, limits), np.digitize(values_out, limits)
    found = [(vectors_in.T[kinds_in == kind], vectors_out.T[kinds_out == kind]) for kind in np.unique(kinds_out)]
    return sorted(found, key=lambda pair: -len(pair[0]) * len(pair[1]))


def _central(rep: Representation) -> NDArray[np.float64]:
    """A symmetric element of the centre; that two components share its eigenvalue is possible, but costs only time."""
    some = np.tensordot(np.cos(rep.group.elements), rep.matrices, 1)
    centre = symmetrize(some, rep, rep)
    return np.asarray((centre + centre.T) / 2)


def _packed(components: list[Component]) -> list[Component]:
    """Components put together, first fit, into blocks as large as the largest of them; zeros fill what is left."""
    widths = [max(len(pair[side]) for pair in components) for side in (0, 1)]
    groups: list[list[Component]] = []
    for pair in components:
        for group in groups:
            if all(sum(len(each[side]) for each in [*group, pair]) <= widths[side] for side in (0, 1)):
                group.append(pair)
                break
        else:
            groups.append([pair])
    sides = [tuple(zip(*group, strict=True)) for group in groups]
    return [(_filled(into, widths[0]), _filled(out, widths[1])) for into, out in sides]


def _filled(parts: Sequence[NDArray[np.float64]], rows: int) -> NDArray[np.float64]:
    """One below the other, and zeros below them."""
    together = np.concatenate(parts)
    return np.pad(together, ((0, rows - len(together)), (0, 0)))
