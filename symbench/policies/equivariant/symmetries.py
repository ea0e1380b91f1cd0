"""Symmetries as plain data, so that a network's config says by itself what it commutes with.

``{"group": "C2", "observation": {"signs": [[-1, -1, -1, -1]]}, "action": {"maps": [[1, 0]]}}`` is CartPole's. Each list
has one entry for each of the group's generators:

* ``"orders"``, ``"signs"`` (one or both): x'[i] = sign[i] * x[order[i]]
* ``"matrices"``: x' = M x
* ``"maps"``: discrete action a becomes map[a]
* ``"moves"``: pictures are turned or flipped
* ``"dim"``: so many numbers, none of which changes
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.policies.equivariant.bases import check_size
from symbench.reading import brief
from symbench.symmetry import (
    ActionPermutation,
    FiniteGroup,
    GridRepresentation,
    GroupAction,
    Representation,
    SymmetryPair,
    cyclic,
    dihedral,
    from_generators,
    product,
    signed_permutation,
    symmetric,
    trivial,
    trivial_representation,
)
from symbench.symmetry.catalogue import symmetry_of
from symbench.symmetry.representations.grids import MOVES

Symmetry = SymmetryPair | str | Mapping[str, Any]
"""An environment's id, to look it up in the catalogue, a declaration, or plain data."""

_LARGEST_GROUP = 128
_FACTOR = r"(?:trivial|[CDS]\d{1,9})"
_FAMILIES = {"C": cyclic, "D": dihedral, "S": symmetric}


def group_named(name: str) -> FiniteGroup:
    """The group of a name: ``"trivial"``, ``"C4"``, ``"D4"``, ``"S3"``, or a product such as ``"C2 x C2"``.

    Raises:
        SymbenchError: There is no such group, or it is too large.
    """
    factors = re.fullmatch(rf"{_FACTOR}( x {_FACTOR}){{,9}}", name) and re.findall(_FACTOR, name)
    if not factors:
        known = "a group is named like 'trivial', 'C4', 'D4', 'S3' or 'C2 x C2'"
        raise SymbenchError(f"{known}, received {brief(repr(name))}")
    order = math.prod(_order(factor) for factor in factors)
    if order > _LARGEST_GROUP:
        raise SymbenchError(f"networks know groups of at most {_LARGEST_GROUP} elements, {name} has {order}")
    return reduce(product, map(_factor, factors))


def _order(name: str) -> int:
    family, n = name[0], int(name[1:]) if name != "trivial" else 1
    return {"C": n, "D": 2 * n, "S": math.factorial(min(n, 6))}.get(family, 1)


def _factor(name: str) -> FiniteGroup:
    return trivial() if name == "trivial" else _FAMILIES[name[0]](int(name[1:]))


def action_of(group: FiniteGroup, data: Mapping[str, Any], axes: tuple[int, int] = (1, 2)) -> GroupAction:
    """How a group acts, from plain data; see the module.

    Args:
        group: The group.
        data: Plain data.
        axes: Rows and columns of batches of pictures, if it moves them: (2, 3) for (B, C, H, W).

    Raises:
        SymbenchError: The data are of no known form or too large, or the group cannot act so.
    """
    width = max((_width(entry) for entry in data.values()), default=0)
    check_size(group.order * width**2, f"how {group.name} acts on {width} numbers")
    keys = set(data)
    if keys == {"dim"}:
        return trivial_representation(group, int(data["dim"]))
    if keys == {"maps"}:
        return ActionPermutation(group, data["maps"])
    if keys == {"matrices"}:
        return from_generators(group, data["matrices"])
    if keys == {"moves"}:
        return GridRepresentation(group, data["moves"], axes)
    if keys and keys <= {"orders", "signs"}:
        return signed_permutation(group, data.get("orders"), data.get("signs"))
    raise SymbenchError(
        "how a group acts is said by 'orders' and 'signs', 'matrices', 'maps', 'moves' or 'dim', "
        f"received {sorted(keys) or 'nothing'}"
    )


def _width(entry: Any) -> int:
    """How many numbers are moved: that of ``"dim"``, or of a generator's entry in the other forms."""
    if isinstance(entry, int):
        return entry
    return max((len(generator) for generator in entry if not isinstance(generator, str)), default=0)


def vectors_of(action: GroupAction) -> Representation:
    """The representation on vectors: of one score per action if they are discrete.

    Raises:
        SymbenchError: The action is on neither vectors nor discrete actions.
    """
    if isinstance(action, ActionPermutation):
        return action.vectors
    if isinstance(action, Representation):
        return action
    raise SymbenchError(f"a network needs to know how vectors change, received {type(action).__name__}")


def symmetry_data(symmetry: Symmetry) -> dict[str, Any]:
    """A symmetry as plain data: JSON values ``group``, ``observation`` and ``action``.

    Args:
        symmetry: The declaration; an environment's id or a task's name, to look it up in the catalogue; or plain data.

    Raises:
        SymbenchError: The catalogue has no such environment; the group is none of those with a name, or acts on
            something else than vectors, discrete actions and whole pictures; or plain data lack a part.
    """
    if isinstance(symmetry, (SymmetryPair, str)):
        return _declared(symmetry_of(symmetry) if isinstance(symmetry, str) else symmetry)
    if set(symmetry) != {"group", "observation", "action"}:
        raise SymbenchError(f"a symmetry is said by group, observation and action, received {sorted(symmetry)}")
    return dict(symmetry)


def _declared(pair: SymmetryPair) -> dict[str, Any]:
    if not isinstance(pair.group, FiniteGroup):
        raise SymbenchError(
            f"networks need a finite group, received {pair.group.name}; declare a finite subgroup of it"
        )
    group = group_named(pair.group.name)
    if group != pair.group or group.generators != pair.group.generators:
        raise SymbenchError(f"the group named {pair.group.name!r} has another table or other generators than usual")
    observation, action = _data(pair.observation), _data(pair.action)
    return {"group": pair.group.name, "observation": observation, "action": action}


def _data(action: GroupAction) -> dict[str, Any]:
    assert isinstance(action.group, FiniteGroup)  # _declared has asked
    generators = list(action.group.generators)
    if isinstance(action, ActionPermutation):
        return {"maps": action.maps[generators].tolist()}
    if isinstance(action, GridRepresentation):
        return {"moves": [_move(action, g) for g in generators]}
    if not isinstance(action, Representation):
        raise SymbenchError(f"networks read vectors and pictures; {type(action).__name__} acts on something else")
    matrices = action.matrices[generators]
    if not generators:
        return {"dim": action.dim}
    if not action.is_signed_permutation:
        return {"matrices": matrices.tolist()}
    orders = np.abs(matrices).argmax(axis=2)
    return {"orders": orders.tolist(), "signs": matrices.sum(axis=2).astype(int).tolist()}


def _move(action: GridRepresentation, element: int) -> str:
    if action.rows is not None:
        raise SymbenchError("networks read whole pictures; crop them to the rows that the symmetry moves")
    picture = np.arange(9).reshape([3 if axis in action.axes else 1 for axis in range(max(action.axes) + 1)])
    moved = action.apply(element, picture)
    for move in MOVES:
        candidate = GridRepresentation(cyclic(4 if move == "turn" else 2), [move], action.axes)
        if np.array_equal(candidate.apply(1, picture), moved):
            return move
    raise SymbenchError(f"element {element} ({action.group.labels[element]}) is no single turn or flip of a picture")
