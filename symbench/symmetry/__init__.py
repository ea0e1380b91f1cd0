"""Symmetries: groups, how they act, and which environments have which.

* :mod:`~symbench.symmetry.groups` - :func:`cyclic`, :func:`dihedral`, :func:`symmetric`, :func:`product`
* :mod:`~symbench.symmetry.representations` - on vectors and discrete actions
* :mod:`~symbench.symmetry.shapes`, :mod:`~symbench.symmetry.points` - on pictures, dicts and points
* :mod:`~symbench.symmetry.pairs` - :class:`SymmetryPair`, the declaration of an environment's symmetry

Needs numpy and gymnasium only.
"""

from symbench.symmetry.groups import FiniteGroup, arrangements, cyclic, dihedral, product, symmetric, trivial
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.points import Motion, PointRepresentation
from symbench.symmetry.representations import (
    Action,
    ActionMap,
    Centred,
    Representation,
    from_generators,
    permutation,
    regular,
    signed_permutation,
    standard_2d,
    trivial_representation,
)
from symbench.symmetry.shapes import DictRepresentation, GridRepresentation

__all__ = [
    "Action",
    "ActionMap",
    "Centred",
    "DictRepresentation",
    "FiniteGroup",
    "GridRepresentation",
    "Motion",
    "PointRepresentation",
    "Representation",
    "SymmetryPair",
    "arrangements",
    "cyclic",
    "dihedral",
    "from_generators",
    "permutation",
    "product",
    "regular",
    "signed_permutation",
    "standard_2d",
    "symmetric",
    "trivial",
    "trivial_representation",
]
