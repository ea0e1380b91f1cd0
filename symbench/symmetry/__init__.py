"""Symmetries: groups, how they act, and which environments have which.

* :mod:`~symbench.symmetry.groups` - :func:`cyclic`, :func:`dihedral`, :func:`symmetric`, :func:`product`
* :mod:`~symbench.symmetry.representations` - on vectors and discrete actions
* :mod:`~symbench.symmetry.shapes`, :mod:`~symbench.symmetry.points` - on pictures, dicts and points
* :mod:`~symbench.symmetry.pairs` - :class:`SymmetryPair`, the declaration of an environment's symmetry
* :mod:`~symbench.symmetry.catalogue` - :func:`symmetry_of`, :func:`register_symmetry`
* :mod:`~symbench.symmetry.simulators` - how groups act on the states of simulators
* :mod:`~symbench.symmetry.checks` - :func:`check_pair` and others; :class:`PairReport` is what they find

Importing it needs numpy and gymnasium only.
"""

from symbench.symmetry.catalogue import (
    CATALOGUE,
    Declaration,
    declarations_of,
    register_symmetry,
    symmetries_of,
    symmetry_of,
)
from symbench.symmetry.checks import (
    check_group,
    check_pair,
    check_policy_equivariance,
    check_representation,
)
from symbench.symmetry.comparison import PairReport
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
from symbench.symmetry.simulators import Simulator, StateVector

__all__ = [
    "CATALOGUE",
    "Action",
    "ActionMap",
    "Centred",
    "Declaration",
    "DictRepresentation",
    "FiniteGroup",
    "GridRepresentation",
    "Motion",
    "PairReport",
    "PointRepresentation",
    "Representation",
    "Simulator",
    "StateVector",
    "SymmetryPair",
    "arrangements",
    "check_group",
    "check_pair",
    "check_policy_equivariance",
    "check_representation",
    "cyclic",
    "declarations_of",
    "dihedral",
    "from_generators",
    "permutation",
    "product",
    "register_symmetry",
    "regular",
    "signed_permutation",
    "standard_2d",
    "symmetric",
    "symmetries_of",
    "symmetry_of",
    "trivial",
    "trivial_representation",
]
