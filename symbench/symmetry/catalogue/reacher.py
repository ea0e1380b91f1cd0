"""MuJoCo's Reacher: an arm of two links in the plane, free to turn about its base, and a target.

Its symmetry is O(2). A rotation by phi turns the target and adds phi to the shoulder's angle. A reflection at the x
axis negates both angles. Gravity is vertical, the shoulder has no limit, the elbow's limits are even, nothing collides,
and the target lies in a disc. Only the law of first states is not kept: the arm begins near the x axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import dihedral, orthogonal
from symbench.symmetry.groups.euclidean import linear_part
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import GeometricRepresentation, GroupAction, Representation, from_generators
from symbench.symmetry.simulators import MujocoState

if TYPE_CHECKING:
    from numpy.typing import NDArray

_D8, _O2 = dihedral(8), orthogonal(2)
_HOLDS = frozenset({"transition", "reward"})
_COMPONENTS = (
    *("cos theta1", "cos theta2", "sin theta1", "sin theta2", "target x", "target y"),
    *("theta1_dot", "theta2_dot", "to fingertip x", "to fingertip y"),
)
_SHOULDER, _TARGET, _TO_FINGERTIP = (0, 2), (4, 5), (8, 9)
_ODD_PLACES = (3, 6, 7)  # sin theta2 and both angular velocities: a reflection negates them


class _Positions(GroupAction):
    """On the joints: angles of shoulder and elbow, x and y of the target; for one element."""

    def incompatibility(self, space: Any) -> str | None:
        """Never looked at: it acts on states."""
        return None

    def _moved(self, batch: NDArray[Any], plane: NDArray[Any], angle: float, sign: float) -> NDArray[Any]:
        moved = np.array(batch)
        moved[:, :2] *= sign
        moved[:, 0] += angle
        moved[:, 2:] = batch[:, 2:] @ plane.T
        return moved


class _FinitePositions(_Positions):
    group = _D8

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """See :meth:`GroupAction.apply`: reflections at the x axis, then turns by 45 degrees."""
        flip, turns = divmod(int(elements), 8)
        return self._moved(batch, _PLANE[elements], turns * np.pi / 4, -1 if flip else 1)


class _ContinuousPositions(_Positions):
    group = _O2

    def apply(self, elements: Any, batch: NDArray[Any]) -> NDArray[Any]:
        """See :meth:`GroupAction.apply`."""
        plane = linear_part(elements)
        angle = np.arctan2(plane[1, 0], plane[0, 0])  # of the image of the x axis, which reflections keep
        return self._moved(batch, plane, angle, np.linalg.det(plane).round())


def _rotations() -> NDArray[np.float64]:
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    return from_generators(_D8, [turn, np.diag([1.0, -1.0])]).matrices


_PLANE = _rotations()
_ODD = from_generators(_D8, [np.eye(1), -np.eye(1)])  # what a reflection negates


def _finite() -> Representation:
    generators = []
    for g in _D8.generators:
        whole = np.eye(10)
        for pair in (_SHOULDER, _TARGET, _TO_FINGERTIP):
            whole[np.ix_(pair, pair)] = _PLANE[g]
        for place in _ODD_PLACES:
            whole[place, place] = _ODD.matrices[g, 0, 0]
        generators.append(whole)
    return from_generators(_D8, generators)


REACHER: Final = (
    Declaration(
        "Reacher-v5",
        SymmetryPair(
            observation=_finite(),
            action=_ODD * 2,
            name="turns-and-reflections",
            holds=_HOLDS,
            note="All of O(2), of which 8 turns and a reflection are used; the arm always begins along x.",
        ),
        MujocoState(_FinitePositions(), _ODD * 2 + from_generators(_D8, [_PLANE[g] for g in _D8.generators])),
        components=_COMPONENTS,
    ),
    Declaration(
        "Reacher-v5",
        SymmetryPair(
            observation=GeometricRepresentation(
                _O2, 10, vectors=(_SHOULDER, _TARGET, _TO_FINGERTIP), pseudoscalars=_ODD_PLACES
            ),
            action=GeometricRepresentation(_O2, 2, pseudoscalars=(0, 1)),
            name="rotations-and-reflections",
            holds=_HOLDS,
            note="All rotations of arm and target about the base, and reflections; the arm always begins along x.",
        ),
        MujocoState(_ContinuousPositions(), GeometricRepresentation(_O2, 4, vectors=[(2, 3)], pseudoscalars=(0, 1))),
        components=_COMPONENTS,
    ),
)
