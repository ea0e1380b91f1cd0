"""How the elements of a group act on vectors, points, pictures, discrete actions and dicts of them.

* :class:`GroupAction` - base class of group actions
* :class:`Representation` - on vectors, by matrices; :func:`signed_permutation`, :func:`regular` and others make them
* :class:`Centred` - on vectors, about a point other than 0
* :class:`ActionPermutation` - on the numbers of discrete actions; :class:`Invariant` changes nothing
* :class:`GridRepresentation` - on pictures, by turns and flips
* :class:`GeometricRepresentation` - of continuous groups, on positions, velocities and features of entities
* :class:`EntityRepresentation` - on rows of like entities, which change place; :class:`EntityIndex` on their numbers
* :class:`Scaling` - on lengths and positions, by dilations of space
* :class:`DictRepresentation` - on nested observations, part by part
"""

from symbench.symmetry.representations.base import GroupAction
from symbench.symmetry.representations.discrete import ActionPermutation, Invariant
from symbench.symmetry.representations.entities import EntityIndex, EntityRepresentation
from symbench.symmetry.representations.grids import GridRepresentation
from symbench.symmetry.representations.points import (
    GeometricRepresentation,
    point_representation,
    vector_representation,
)
from symbench.symmetry.representations.scaling import Scaling
from symbench.symmetry.representations.trees import DictRepresentation
from symbench.symmetry.representations.usual import (
    from_generators,
    permutation,
    regular,
    signed_permutation,
    standard_2d,
    trivial_representation,
)
from symbench.symmetry.representations.vectors import Centred, Representation

__all__ = [
    "ActionPermutation",
    "Centred",
    "DictRepresentation",
    "EntityIndex",
    "EntityRepresentation",
    "GeometricRepresentation",
    "GridRepresentation",
    "GroupAction",
    "Invariant",
    "Representation",
    "Scaling",
    "from_generators",
    "permutation",
    "point_representation",
    "regular",
    "signed_permutation",
    "standard_2d",
    "trivial_representation",
    "vector_representation",
]
