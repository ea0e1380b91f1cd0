"""Pong and Breakout as frames of 210x160 pixels in colour: reflections, all of them approximate."""

from __future__ import annotations

from typing import Final

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import cyclic
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import ActionPermutation
from symbench.symmetry.representations.grids import GridRepresentation
from symbench.symmetry.simulators.atari import BREAKOUT, PONG

_Z2 = cyclic(2)
_TOLERANCE: Final = 0.99  # mean grey levels of a frame; less than a point, so that one reward that differs counts
_CHECKED: Final = {"repeat_action_probability": 0.0}
_UP_AND_DOWN: Final = ActionPermutation(_Z2, [[0, 1, 3, 2, 5, 4]])
_PADDLES: Final = "Up and down change place in the court. The range of the paddles is not centred, nor is their start."

ATARI: Final = (
    Declaration(
        "ALE/Pong-v5",
        SymmetryPair(
            observation=GridRepresentation(_Z2, ["flip-rows"], rows=(34, 194)),
            action=_UP_AND_DOWN,
            holds=frozenset({"transition", "reward"}),
            status="approximate",
            tolerance=_TOLERANCE,
            note=_PADDLES,
        ),
        PONG,
        kwargs=_CHECKED,
        steps=150,
        resets=20,
    ),
    Declaration(
        "symbench/PongPlayfield-v0",
        SymmetryPair(
            observation=GridRepresentation(_Z2, ["flip-rows"]),
            action=_UP_AND_DOWN,
            holds=frozenset({"transition", "reward"}),
            status="approximate",
            tolerance=_TOLERANCE,
            note=_PADDLES,
        ),
        PONG,
        steps=150,
        resets=20,
    ),
    Declaration(
        "ALE/Breakout-v5",
        SymmetryPair(
            observation=GridRepresentation(_Z2, ["flip-columns"], rows=(32, 210)),
            action=ActionPermutation(_Z2, [[0, 1, 3, 2]]),
            holds=frozenset({"transition"}),
            status="approximate",
            tolerance=_TOLERANCE,
            note="Left and right change place below the score; the paddle's start and the corners are not even.",
        ),
        BREAKOUT,
        kwargs=_CHECKED,
        steps=150,
        resets=20,
    ),
)
