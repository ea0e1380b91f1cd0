"""Environments of several agents: turns of the world together with exchanges of agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import cyclic, dihedral, product, symmetric
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import (
    ActionPermutation,
    Centred,
    DictRepresentation,
    EntityRepresentation,
    GridRepresentation,
    signed_permutation,
)
from symbench.symmetry.simulators import StateTree

if TYPE_CHECKING:
    from collections.abc import Sequence

# Wildlife: the square's turns and flips, then exchanges of the three drones.
_SQUARE = product(dihedral(4), symmetric(3))
_STAY = [0, 1, 2]
_EXCHANGES = [_STAY, _STAY, [0, 2, 1], [1, 2, 0]]  # what the generators do to the drones
_MOVES = ActionPermutation(_SQUARE, [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])


def _drones(each: GridRepresentation | Centred | ActionPermutation) -> EntityRepresentation:
    return EntityRepresentation(_SQUARE, each, _EXCHANGES)


def _wildlife(size: int, kwargs: dict[str, Any] | None = None, **said: Any) -> Declaration:
    """Of a grid of so many cells in height and width."""
    places = signed_permutation(_SQUARE, [[1, 0], [0, 1], [0, 1], [0, 1]], [[-1, 1], [1, -1], [1, 1], [1, 1]])
    cells = Centred(places, [(size - 1) / 2] * 2)
    images = GridRepresentation(_SQUARE, ["turn", "flip-columns", "stay", "stay"], axes=(2, 3))
    seen = DictRepresentation({"images": _drones(images), "positions": _drones(cells)})
    all_cells = EntityRepresentation(_SQUARE, cells, [[*each, 3] for each in _EXCHANGES])
    states = StateTree(DictRepresentation({"cells": all_cells, "poacher_moves": _MOVES}))
    return Declaration("symbench/Wildlife-v0", SymmetryPair(seen, _drones(_MOVES), **said), states, kwargs or {})


def _from_west(name: str, size: int, kwargs: dict[str, Any]) -> Declaration:
    return _wildlife(
        size,
        {**kwargs, "starts": "west"},
        name=name,
        holds=frozenset({"transition", "reward"}),
        note="The same where episodes begin in one orientation, for training in it alone.",
    )


# Traffic: quarter turns. An agent goes where its junction goes; so do lanes, whose numbers have no order.
_TURN = cyclic(4)
_AGENTS = [2, 0, 3, 1]
_LANES = [3, 6, 1, 7, 0, 2, 5, 4]
_SWITCH = ActionPermutation(_TURN, [[1, 0]])
_ROADS = StateTree(
    DictRepresentation(
        {
            "lights": EntityRepresentation(_TURN, _SWITCH, [_AGENTS]),
            **{name: EntityRepresentation(_TURN, None, [_LANES]) for name in ("arrivals", "waits", "stopped", "order")},
        }
    )
)


def _junctions(agents: Sequence[int]) -> tuple[DictRepresentation, EntityRepresentation]:
    """On observations and actions, if a quarter turn sends agent i to place ``agents[i]``."""
    images = GridRepresentation(_TURN, ["turn"], axes=(2, 3))
    positions = signed_permutation(_TURN, [[1, 0]], [[-1, 1]])
    seen = {
        "images": EntityRepresentation(_TURN, images, [_AGENTS]),
        "positions": EntityRepresentation(_TURN, positions, [_AGENTS]),
    }
    return DictRepresentation(seen), EntityRepresentation(_TURN, _SWITCH, [agents])


MULTI_AGENT: Final = (
    _wildlife(
        7,
        name="square",
        note="Turns and reflections of the grid, and exchanges of drones; the poacher's random moves follow.",
    ),
    _from_west("square-from-west", 7, {}),
    _from_west("small-square-from-west", 5, {"width": 5, "height": 5}),
    Declaration(
        "symbench/Traffic-v0",
        SymmetryPair(
            *_junctions(_AGENTS),
            name="quarter-turn",
            note="Quarter turns of the world with its lanes and junctions; cars keep left, so no reflection.",
        ),
        simulator=_ROADS,
    ),
    Declaration(
        "symbench/Traffic-v0",
        SymmetryPair(
            *_junctions([1, 3, 0, 2]),
            name="published-permutation",
            holds=frozenset({"initial"}),
            status="none",
            note="The published network's exchange of agents: that of the order of its images, not of the lights.",
        ),
        simulator=_ROADS,
    ),
    Declaration(
        "symbench/Traffic-v0",
        SymmetryPair(
            *_junctions(_AGENTS),
            name="quarter-turn-in-order",
            holds=frozenset({"initial"}),
            status="none",
            note="The published form: cars move in the order of a list, and agents 1 and 2 see each other's junction.",
        ),
        simulator=_ROADS,
        kwargs={"published_order": True},
    ),
)
