"""Bodies in empty space: motions of space together with exchanges of like bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import DirectProduct, PermutationGroup, euclidean, orthogonal
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import (
    DictRepresentation,
    EntityRepresentation,
    point_representation,
    vector_representation,
)
from symbench.symmetry.simulators import StateTree

if TYPE_CHECKING:
    from typing import Any

    from symbench.symmetry.groups import EuclideanGroup

_ROUNDING = 1e-5  # observations are float32


def _scene(space: EuclideanGroup, agents: int, others: int) -> tuple[DictRepresentation, EntityRepresentation]:
    """On observations, and states, and on the agents' forces."""
    group, bodies = DirectProduct(space, PermutationGroup((agents, others))), agents + others
    seen = {
        "positions": EntityRepresentation(group, point_representation(space), bodies),
        "velocities": EntityRepresentation(group, vector_representation(space), bodies),
        "attributes": EntityRepresentation(group, None, bodies),
    }
    forces = EntityRepresentation(group, vector_representation(space, norm_bounded=True), agents)
    return DictRepresentation(seen), forces


def _declared(env_id: str, dim: int, agents: int, others: int) -> tuple[Declaration, ...]:
    """Turns and reflections; the same with shifts; and, as a negative control, the first in wind."""
    turns, motions = _scene(orthogonal(dim), agents, others), _scene(euclidean(dim), agents, others)

    def declaration(
        scene: tuple[DictRepresentation, EntityRepresentation], kwargs: dict[str, Any] | None = None, **said: Any
    ) -> Declaration:
        pair = SymmetryPair(*scene, tolerance=_ROUNDING, **said)
        return Declaration(env_id, pair, StateTree(scene[0]), kwargs or {})

    return (
        declaration(
            turns,
            name="turns-and-exchanges",
            note="Turns and reflections of the scene about the origin, and exchanges of like bodies.",
        ),
        declaration(
            motions,
            name="motions-and-exchanges",
            holds=frozenset({"transition", "reward"}),
            note="The same with shifts; first positions are about the origin.",
        ),
        declaration(
            turns,
            {"wind": 3},
            name="turns-in-wind",
            holds=frozenset({"initial"}),
            status="none",
            note="Wind blows along the first axis, however the scene is turned.",
        ),
    )


def _from_west(env_id: str, dim: int, agents: int, others: int) -> Declaration:
    """Turns and reflections where episodes begin in one orientation."""
    scene = _scene(orthogonal(dim), agents, others)
    pair = SymmetryPair(
        *scene,
        name="turns-from-west",
        holds=frozenset({"transition", "reward"}),
        tolerance=_ROUNDING,
        note="Turns and reflections where episodes begin in one orientation, for training in it alone.",
    )
    return Declaration(env_id, pair, StateTree(scene[0]), {"starts": "west"})


GEOMETRIC: Final = (
    *_declared("symbench/ParticleSpread-v0", dim=2, agents=3, others=3),
    _from_west("symbench/ParticleSpread-v0", dim=2, agents=3, others=3),
    *_declared("symbench/Pursuit-v0", dim=2, agents=3, others=1),
    *_declared("symbench/NBodyControl-v0", dim=3, agents=5, others=5),
)
