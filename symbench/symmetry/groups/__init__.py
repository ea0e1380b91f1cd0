"""Groups, finite ones with all their elements, continuous ones by samples.

* :class:`Group` - what both kinds do: sample, compose, invert
* :class:`FiniteGroup` - :func:`cyclic`, :func:`dihedral`, :func:`symmetric`, :func:`product`, :func:`trivial`
* :class:`PermutationGroup`, :class:`DirectProduct` - of scenes of like entities
* :class:`Dilations` - scalings of space
* :class:`EuclideanGroup` - :func:`orthogonal`, :func:`special_orthogonal`, :func:`euclidean`, :func:`translations`
"""

from symbench.symmetry.groups.base import Group
from symbench.symmetry.groups.dilations import Dilations
from symbench.symmetry.groups.entities import DirectProduct, PermutationGroup
from symbench.symmetry.groups.euclidean import (
    EuclideanGroup,
    euclidean,
    orthogonal,
    special_euclidean,
    special_orthogonal,
    translations,
)
from symbench.symmetry.groups.finite import FiniteGroup, arrangements, cyclic, dihedral, product, symmetric, trivial

__all__ = [
    "Dilations",
    "DirectProduct",
    "EuclideanGroup",
    "FiniteGroup",
    "Group",
    "PermutationGroup",
    "arrangements",
    "cyclic",
    "dihedral",
    "euclidean",
    "orthogonal",
    "product",
    "special_euclidean",
    "special_orthogonal",
    "symmetric",
    "translations",
    "trivial",
]
