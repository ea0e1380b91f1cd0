"""Symmetries: groups, how they act, and which environments have which.

* :mod:`~symbench.symmetry.groups` - finite (:func:`cyclic`, :func:`dihedral`, :func:`symmetric`, :func:`product`) and
  continuous (:func:`orthogonal`, :func:`euclidean` and others)
* :mod:`~symbench.symmetry.representations` - on vectors, points, pictures, discrete actions and dicts of them
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
from symbench.symmetry.groups import (
    Dilations,
    DirectProduct,
    EuclideanGroup,
    FiniteGroup,
    Group,
    PermutationGroup,
    arrangements,
    cyclic,
    dihedral,
    euclidean,
    orthogonal,
    product,
    special_euclidean,
    special_orthogonal,
    symmetric,
    translations,
    trivial,
)
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import (
    ActionPermutation,
    Centred,
    DictRepresentation,
    EntityIndex,
    EntityRepresentation,
    GeometricRepresentation,
    GridRepresentation,
    GroupAction,
    Invariant,
    Representation,
    Scaling,
    from_generators,
    permutation,
    point_representation,
    regular,
    signed_permutation,
    standard_2d,
    trivial_representation,
    vector_representation,
)
from symbench.symmetry.simulators import Simulator, StateTree, StateVector

__all__ = [
    "CATALOGUE",
    "ActionPermutation",
    "Centred",
    "Declaration",
    "DictRepresentation",
    "Dilations",
    "DirectProduct",
    "EntityIndex",
    "EntityRepresentation",
    "EuclideanGroup",
    "FiniteGroup",
    "GeometricRepresentation",
    "GridRepresentation",
    "Group",
    "GroupAction",
    "Invariant",
    "PairReport",
    "PermutationGroup",
    "Representation",
    "Scaling",
    "Simulator",
    "StateTree",
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
    "euclidean",
    "from_generators",
    "orthogonal",
    "permutation",
    "point_representation",
    "product",
    "register_symmetry",
    "regular",
    "signed_permutation",
    "special_euclidean",
    "special_orthogonal",
    "standard_2d",
    "symmetric",
    "symmetries_of",
    "symmetry_of",
    "translations",
    "trivial",
    "trivial_representation",
    "vector_representation",
]
