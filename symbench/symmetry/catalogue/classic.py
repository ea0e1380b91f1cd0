"""Classic control, Acrobot to Pendulum, the swing-up and the grid world. Angles are 0 in the middle of the symmetry."""

from __future__ import annotations

from typing import Final

import numpy as np

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import cyclic, dihedral
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import ActionPermutation, Centred, signed_permutation
from symbench.symmetry.representations.grids import GridRepresentation
from symbench.symmetry.simulators import GridWorldState, StateVector

_Z2 = cyclic(2)
_NEGATED_FORCE = signed_permutation(_Z2, signs=[[-1]])
_VALLEY = -np.pi / 6  # m, the lowest point of MountainCar's track, about which its height is even
_MOUNTAIN = Centred(signed_permutation(_Z2, signs=[[-1, -1]]), [_VALLEY, 0.0])
_WALL = "The valley is even about x = -pi/6, but the wall on the left and the goal on the right are not."


def _mirrored_state(low: list[float], high: list[float]) -> StateVector:
    return StateVector(signed_permutation(_Z2, signs=[[-1] * len(low)]), low, high)


_D4 = dihedral(4)
_MOVES = ActionPermutation(_D4, [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]])  # quarter turn, columns flipped

CLASSIC: Final = (
    Declaration(
        "CartPole-v1",
        SymmetryPair(
            observation=signed_permutation(_Z2, signs=[[-1, -1, -1, -1]]),
            action=ActionPermutation(_Z2, [[1, 0]]),
            note="Left and right change place.",
        ),
        simulator=_mirrored_state([-2.4, -3.0, -0.2, -3.0], [2.4, 3.0, 0.2, 3.0]),
        components=("x", "x_dot", "theta", "theta_dot"),
    ),
    Declaration(
        "symbench/CartPoleSwingUp-v0",
        SymmetryPair(
            observation=signed_permutation(_Z2, signs=[[-1, -1, 1, -1, -1]]),
            action=_NEGATED_FORCE,
            note="Left and right change place; gravity's and friction's forces are odd.",
        ),
        simulator=_mirrored_state([-2.4, -10.0, -np.pi, -10.0], [2.4, 10.0, np.pi, 10.0]),
        components=("x", "x_dot", "cos theta", "sin theta", "theta_dot"),
    ),
    Declaration(
        "Acrobot-v1",
        SymmetryPair(
            observation=signed_permutation(_Z2, signs=[[1, -1, 1, -1, -1, -1]]),
            action=ActionPermutation(_Z2, [[2, 1, 0]]),
            note="Left and right change place.",
        ),
        simulator=_mirrored_state([-np.pi, -np.pi, -12.0, -28.0], [np.pi, np.pi, 12.0, 28.0]),
        components=("cos theta1", "sin theta1", "cos theta2", "sin theta2", "theta1_dot", "theta2_dot"),
    ),
    Declaration(
        "Pendulum-v1",
        SymmetryPair(
            observation=signed_permutation(_Z2, signs=[[1, -1, -1]]),
            action=_NEGATED_FORCE,
            note="Left and right change place.",
        ),
        simulator=_mirrored_state([-np.pi, -8.0], [np.pi, 8.0]),
        components=("cos theta", "sin theta", "theta_dot"),
    ),
    Declaration(
        "MountainCar-v0",
        SymmetryPair(
            observation=_MOUNTAIN,
            action=ActionPermutation(_Z2, [[2, 1, 0]]),
            holds=frozenset(),
            status="none",
            note=_WALL,
        ),
        simulator=StateVector(_MOUNTAIN, [-1.2, -0.07], [0.45, 0.07]),
        components=("x", "x_dot"),
    ),
    Declaration(
        "MountainCarContinuous-v0",
        SymmetryPair(
            observation=_MOUNTAIN,
            action=_NEGATED_FORCE,
            holds=frozenset(),
            status="none",
            note=_WALL,
        ),
        simulator=StateVector(_MOUNTAIN, [-1.2, -0.07], [0.4, 0.07]),
        components=("x", "x_dot"),
    ),
    Declaration(
        "symbench/GridWorld-v0",
        SymmetryPair(
            observation=GridRepresentation(_D4, ["turn", "flip-columns"]),
            action=_MOVES,
            name="square",
            note="Turns and reflections of the torus; the prey's random moves follow.",
        ),
        simulator=GridWorldState(
            signed_permutation(_D4, [[1, 0, 3, 2], [0, 1, 2, 3]], [[-1, 1, -1, 1], [1, -1, 1, -1]]), _MOVES
        ),
    ),
)
