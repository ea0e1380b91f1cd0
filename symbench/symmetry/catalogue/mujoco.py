"""MuJoCo's walkers, swimmers, arms and pendulums: ``-v5`` of Gymnasium.

Positions of a free body are x, y, z and a quaternion w, x, y, z. A reflection at the plane y = 0 negates y of vectors,
and x and z of axial vectors: torques, angular velocities, quaternions' vector parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.symmetry.catalogue.reacher import REACHER
from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import cyclic
from symbench.symmetry.pairs import HOLDS, SymmetryPair
from symbench.symmetry.representations import (
    Centred,
    Representation,
    from_generators,
    signed_permutation,
)
from symbench.symmetry.representations import trivial_representation as unchanged
from symbench.symmetry.simulators import MujocoState

if TYPE_CHECKING:
    from collections.abc import Sequence


_Z2, _C4 = cyclic(2), cyclic(4)
_STEPS, _RESETS = 500, 200  # of simulators that take a millisecond a step


def _signs(*signs: int) -> Representation:
    return signed_permutation(_Z2, signs=[signs])


def _swap(order: Sequence[int], signs: Sequence[int] | None = None) -> Representation:
    return signed_permutation(_Z2, [order], None if signs is None else [signs])


def _bodies(order: Sequence[int], each: Representation) -> Representation:
    """Bodies change place, and the numbers of each are transformed."""
    places = np.eye(len(order))[np.asarray(order)]
    return from_generators(each.group, [np.kron(places, each.matrices[g]) for g in each.group.generators])


def _in_turn(*parts: Representation) -> Representation:
    """Their direct sum, made at once: it is the check of large matrices that takes time."""
    ends = np.cumsum([part.dim for part in parts])
    matrices = np.zeros((parts[0].group.order, ends[-1], ends[-1]))
    for part, end in zip(parts, ends.tolist(), strict=True):
        matrices[:, end - part.dim : end, end - part.dim : end] = part.matrices
    return Representation(parts[0].group, matrices)


# Ant: a torso and four legs, each with hip and ankle. Legs 1 to 4 are at (+,+), (-,+), (-,-), (+,-). The axes of the
# ankles are (-1,1,0), (1,1,0), (-1,1,0), (1,1,0), so a leg that comes to the place of the next changes its sign or not.
_POLAR, _AXIAL = _signs(1, -1, 1), _signs(-1, 1, -1)
_ANT_LEGS = _swap([6, 7, 4, 5, 2, 3, 0, 1], [-1, 1] * 4)  # hip and ankle of legs 1 to 4, as in positions
_ANT_POSITIONS = _signs(1) + _signs(1, -1, 1, -1) + _ANT_LEGS  # z, quaternion
_ANT_VELOCITIES = _POLAR + _AXIAL + _ANT_LEGS
_ANT_FORCES = _bodies([0, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3], _AXIAL + _POLAR)
_ANT_ACTION = _swap([2, 3, 0, 1, 6, 7, 4, 5], [-1, 1] * 4)  # of legs 4, 1, 2, 3

_TURNED = signed_permutation(_C4, [[1, 0, 2]], [[-1, 1, 1]])  # of any vector: (x, y, z) -> (-y, x, z)
_TURNED_LEGS = signed_permutation(_C4, [[6, 7, 0, 1, 2, 3, 4, 5]], [[1, 1, 1, -1, 1, 1, 1, -1]])
_TURNED_POSITIONS = unchanged(_C4, 2) + _TURNED + _TURNED_LEGS  # z and w, the vector part of the quaternion
_TURNED_VELOCITIES = _TURNED + _TURNED + _TURNED_LEGS
_TURNED_FORCES = _bodies([0, 10, 11, 12, *range(1, 10)], _TURNED + _TURNED)
_TURNED_ACTION = signed_permutation(_C4, [[6, 7, 0, 1, 2, 3, 4, 5]], [[1, -1, 1, 1, 1, -1, 1, 1]])
_ONLY_TRANSITION = "A quarter turn about the vertical. The reward is for going along x: it does not turn."


def _ant(name: str, with_forces: bool) -> Declaration:
    turn = name.startswith("quarter")
    core = _TURNED_POSITIONS + _TURNED_VELOCITIES if turn else _ANT_POSITIONS + _ANT_VELOCITIES
    forces = _TURNED_FORCES if turn else _ANT_FORCES
    xy = signed_permutation(_C4, [[1, 0]], [[-1, 1]]) if turn else _signs(1, -1)
    return Declaration(
        "Ant-v5",
        SymmetryPair(
            observation=core + forces if with_forces else core,
            action=_TURNED_ACTION if turn else _ANT_ACTION,
            name=name if with_forces else f"{name}-27",
            holds=HOLDS - {"reward"} if turn else HOLDS,
            note=_ONLY_TRANSITION if turn else "Legs on the left and on the right change place.",
        ),
        MujocoState(
            xy + (_TURNED_POSITIONS if turn else _ANT_POSITIONS), _TURNED_VELOCITIES if turn else _ANT_VELOCITIES
        ),
        kwargs={} if with_forces else {"include_cfrc_ext_in_observation": False},
        steps=_STEPS,
        resets=_RESETS,
    )


# Humanoid: joints of the abdomen (z, y, x), right leg (hip x, z, y, knee), left leg, right arm (2 shoulder, elbow),
# left arm; the axes of the hips are mirrored already, those of the shoulders mirrored and reversed.
_ARMS_AND_LEGS: Final = [7, 8, 9, 10, 3, 4, 5, 6, 14, 15, 16, 11, 12, 13]
_LIMB_SIGNS: Final = [1] * 8 + [-1, -1, 1] * 2
_HUMANOID_JOINTS = _swap([0, 1, 2, *_ARMS_AND_LEGS], [-1, 1, -1, *_LIMB_SIGNS])
_HUMANOID_ACTION = _swap([0, 1, 2, *_ARMS_AND_LEGS], [1, -1, -1, *_LIMB_SIGNS])  # the abdomen's are y, z, x
_HUMANOID_BODIES: Final = [0, 1, 2, 6, 7, 8, 3, 4, 5, 11, 12, 9, 10]
_INERTIA = _signs(1, 1, 1, -1, 1, -1) + _POLAR + _signs(1)  # xx yy zz xy xz yz, mass times centre, mass
_HUMANOID_POSITIONS = _signs(1) + _signs(1, -1, 1, -1) + _HUMANOID_JOINTS
_HUMANOID_VELOCITIES = _POLAR + _AXIAL + _HUMANOID_JOINTS
_HUMANOID_TWISTS = _bodies(_HUMANOID_BODIES, _AXIAL + _POLAR)  # of velocities, and of forces
_HUMANOID_CORE = _in_turn(
    _HUMANOID_POSITIONS,
    _HUMANOID_VELOCITIES,
    _bodies(_HUMANOID_BODIES, _INERTIA),
    _HUMANOID_TWISTS,
    _HUMANOID_JOINTS,
)


def _humanoid(name: str, with_forces: bool, tolerance: float) -> Declaration:
    return Declaration(
        "Humanoid-v5",
        SymmetryPair(
            observation=_HUMANOID_CORE + _HUMANOID_TWISTS if with_forces else _HUMANOID_CORE,
            action=_HUMANOID_ACTION,
            name=name,
            status="approximate",
            tolerance=tolerance,
            note="Left and right change place. The left knee has a spring, the right one none; the left hip's armature "
            "is .01, the right one's .008; the contact solver's result depends on the order of contacts.",
        ),
        MujocoState(_signs(1, -1) + _HUMANOID_POSITIONS, _HUMANOID_VELOCITIES),
        kwargs={} if with_forces else {"include_cfrc_ext_in_observation": False},
        steps=_STEPS,
        resets=_RESETS,
    )


# Walker2d: z and angle, then thigh, leg and foot of both legs.
_WALKER_POSITIONS = _swap([0, 1, 5, 6, 7, 2, 3, 4])
_WALKER_VELOCITIES = _swap([0, 1, 2, 6, 7, 8, 3, 4, 5])
_SWIMMER_ANGLES = _signs(-1, -1, -1)
_PUSHER_ARM = _signs(-1, 1, -1, 1, -1, 1, -1)  # turns about z and x change sign, those about y do not
_PUSHER_BASE: Final = -0.6  # m, y of the shoulder
_BACKWARDS = "Front and back of the body differ; a common soft prior (RPP) takes it for a symmetry."

MUJOCO: Final = (
    Declaration(
        "InvertedPendulum-v5",
        SymmetryPair(
            observation=_signs(-1, -1, -1, -1),
            action=_signs(-1),
            status="approximate",
            tolerance=2e-2,
            note="The pole's body is tilted by 0.001 in 0.6.",
        ),
        MujocoState(_signs(-1, -1), _signs(-1, -1)),
        components=("x", "theta", "x_dot", "theta_dot"),
    ),
    Declaration(
        "InvertedDoublePendulum-v5",
        SymmetryPair(
            observation=_signs(-1, -1, -1, 1, 1, -1, -1, -1, -1),
            action=_signs(-1),
            status="approximate",
            tolerance=1e-4,
            note="Gravity has a component of 0.00001 along x.",
        ),
        MujocoState(_signs(-1, -1, -1), _signs(-1, -1, -1)),
        components=(
            *("x", "sin theta1", "sin theta2", "cos theta1", "cos theta2"),
            *("x_dot", "theta1_dot", "theta2_dot", "constraint force"),
        ),
    ),
    *REACHER,
    Declaration(
        "Swimmer-v5",
        SymmetryPair(
            observation=_SWIMMER_ANGLES + _signs(1, -1, -1, -1, -1),
            action=_signs(-1, -1),
            note="Left and right change place.",
        ),
        MujocoState(_signs(1, -1) + _SWIMMER_ANGLES, _signs(1, -1, -1, -1, -1)),
        components=("angle", "joint1", "joint2", "x_dot", "y_dot", "angle_dot", "joint1_dot", "joint2_dot"),
    ),
    Declaration(
        "Walker2d-v5",
        SymmetryPair(
            observation=_WALKER_POSITIONS + _WALKER_VELOCITIES,
            action=_swap([3, 4, 5, 0, 1, 2]),
            name="leg-swap",
            note="The legs are equal since v5; in older versions the feet's friction differs.",
        ),
        MujocoState(_signs(1) + _WALKER_POSITIONS, _WALKER_VELOCITIES),
    ),
    _ant("reflection", with_forces=True),
    _ant("quarter-turn", with_forces=True),
    _ant("reflection", with_forces=False),
    _ant("quarter-turn", with_forces=False),
    Declaration(
        "HalfCheetah-v5",
        SymmetryPair(
            observation=_signs(1, *[-1] * 7, -1, 1, *[-1] * 7),
            action=_signs(*[-1] * 6),
            name="front-back",
            holds=frozenset(),
            status="none",
            note=_BACKWARDS,
        ),
        MujocoState(_signs(-1, 1, *[-1] * 7), _signs(-1, 1, *[-1] * 7)),
    ),
    Declaration(
        "Hopper-v5",
        SymmetryPair(
            observation=_signs(1, *[-1] * 4, -1, 1, *[-1] * 4),
            action=_signs(*[-1] * 3),
            name="front-back",
            holds=frozenset(),
            status="none",
            note=_BACKWARDS,
        ),
        MujocoState(_signs(-1, 1, *[-1] * 4), _signs(-1, 1, *[-1] * 4)),
    ),
    Declaration(
        "Pusher-v5",
        SymmetryPair(
            observation=Centred(_PUSHER_ARM * 2 + _POLAR * 3, [0.0] * 14 + [0.0, _PUSHER_BASE, 0.0] * 3),
            action=_PUSHER_ARM,
            holds=frozenset(),
            status="none",
            note="The arm is even about its base at y = -0.6, except for the limits of two joints.",
        ),
        MujocoState(
            Centred(_PUSHER_ARM + _signs(-1, 1) * 2, [0.0] * 7 + [_PUSHER_BASE + 0.05, 0.0] * 2),
            _PUSHER_ARM + _signs(-1, 1) * 2,
        ),
    ),
    _humanoid("reflection", with_forces=True, tolerance=1e3),
    _humanoid("reflection-270", with_forces=False, tolerance=3.0),
)
