"""How the elements of a finite group act on vectors, actions, pictures and points.

* :class:`Action` - what all of them have in common
* :class:`Representation` - on vectors, by matrices; :func:`signed_permutation`, :func:`regular` and others make them
* :class:`Centred` - on vectors, about a point other than 0
* :class:`ActionMap` - on the numbers of discrete actions

Pictures, dicts and points are in :mod:`symbench.symmetry.shapes`.
"""

from symbench.symmetry.representations.action import Action
from symbench.symmetry.representations.discrete import ActionMap
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
    "Action",
    "ActionMap",
    "Centred",
    "Representation",
    "from_generators",
    "permutation",
    "regular",
    "signed_permutation",
    "standard_2d",
    "trivial_representation",
]
