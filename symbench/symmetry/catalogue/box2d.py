"""LunarLander, BipedalWalker and CarRacing."""

from __future__ import annotations

from typing import Final

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import cyclic
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import ActionPermutation, signed_permutation
from symbench.symmetry.representations.grids import GridRepresentation
from symbench.symmetry.simulators import BipedalWalkerState, CarRacingState, LunarLanderState

_Z2 = cyclic(2)
_LANDER = signed_permutation(_Z2, [[0, 1, 2, 3, 4, 5, 7, 6]], [[-1, 1, -1, 1, -1, -1, 1, 1]])
_LANDER_NAMES: Final = ("x", "y", "x_dot", "y_dot", "angle", "angle_dot", "left leg", "right leg")
_IN_LAW = "Left and right change place, with the moon and the engines' dispersion; Box2D computes in float32."
_WALKER_ORDER: Final = [*range(4), *range(9, 14), *range(4, 9), *range(14, 24)]
_ABOVE_DASHBOARD: Final = (0, 84)  # rows
_STEER = signed_permutation(_Z2, signs=[[-1, 1, 1]])
_TRACKS = "The lighter patches of grass are not even, and tracks always run counter-clockwise."


def _car(env_id: str, action: ActionPermutation | None = None) -> Declaration:
    """CarRacing in any of its forms."""
    return Declaration(
        env_id,
        SymmetryPair(
            observation=GridRepresentation(_Z2, ["flip-columns"], rows=_ABOVE_DASHBOARD),
            action=action or _STEER,
            name="mirror-discrete" if action else "mirror",
            holds=frozenset({"transition", "reward"}),
            status="approximate",
            tolerance=8.0,
            note=_TRACKS,
        ),
        CarRacingState(),
        kwargs={"continuous": False} if action else {},
        steps=100,
        resets=0,
    )


BOX2D: Final = (
    Declaration(
        "LunarLander-v3",
        SymmetryPair(
            observation=_LANDER,
            action=ActionPermutation(_Z2, [[0, 3, 2, 1]]),
            tolerance=2e-2,
            note=_IN_LAW,
        ),
        LunarLanderState(),
        components=_LANDER_NAMES,
    ),
    Declaration(
        "LunarLanderContinuous-v3",
        SymmetryPair(
            observation=_LANDER,
            action=signed_permutation(_Z2, signs=[[1, -1]]),
            tolerance=2e-2,
            note=_IN_LAW,
        ),
        LunarLanderState(),
        components=_LANDER_NAMES,
    ),
    Declaration(
        "BipedalWalker-v3",
        SymmetryPair(
            observation=signed_permutation(_Z2, [_WALKER_ORDER]),
            action=signed_permutation(_Z2, [[2, 3, 0, 1]]),
            name="leg-swap",
            holds=frozenset({"transition", "reward"}),
            status="approximate",
            tolerance=2.0,
            note="The legs are equal, but built at -.05 and +.05 rad, from which hips' angles and limits count.",
        ),
        BipedalWalkerState(),
        resets=50,
    ),
    _car("CarRacing-v3"),
    _car("CarRacing-v3", ActionPermutation(_Z2, [[0, 2, 1, 3, 4]])),
    _car("symbench/CarRacing-v0"),
    _car("symbench/CarRacingRGB-v0"),
)
