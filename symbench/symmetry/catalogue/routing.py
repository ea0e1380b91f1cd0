"""Tours: motions and scalings of the plane, which no action notices, and other labels of the cities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from symbench.symmetry.catalogue.registry import Declaration
from symbench.symmetry.groups import (
    DirectProduct,
    PermutationGroup,
    euclidean,
    orthogonal,
    special_orthogonal,
    translations,
)
from symbench.symmetry.pairs import SymmetryPair
from symbench.symmetry.representations import (
    Centred,
    DictRepresentation,
    EntityIndex,
    EntityRepresentation,
    Invariant,
    Scaling,
    point_representation,
)
from symbench.symmetry.simulators import StateTree

if TYPE_CHECKING:
    from symbench.symmetry.groups import Group
    from symbench.symmetry.representations import GroupAction

_ROUNDING = 1e-5  # cities are float32
_PATHWISE = frozenset({"transition", "reward"})  # cities are drawn in the unit square


def _on_cities(
    env_id: str, name: str, action: GroupAction, note: str, reward: GroupAction | None = None
) -> Declaration:
    """Only where the cities are changes; holds for any number of them."""
    observation = DictRepresentation({"cities": action})
    unchanged = Invariant(action.group)
    pair = SymmetryPair(observation, unchanged, name, holds=_PATHWISE, tolerance=_ROUNDING, note=note, reward=reward)
    return Declaration(env_id, pair, StateTree(observation))


def _relabelled(env_id: str, name: str, group: Group, n: int, note: str, **said: Any) -> Declaration:
    """Cities change place in every array; those of vehicles after the depot, of which the group keeps the kind."""
    each = point_representation(group.first) if isinstance(group, DirectProduct) else None  # type: ignore[arg-type]
    vehicles = "CVRP" in env_id
    rows = n + vehicles
    order, index = EntityRepresentation(group, None, rows), EntityIndex(group, rows)
    cities = {"cities": EntityRepresentation(group, each, rows), "visited": order}
    demands = {"demands": order} if vehicles else {}
    places = {"current": index} if vehicles else {"first": index, "current": index}
    pair = SymmetryPair(
        DictRepresentation({**cities, **demands, **places, "action_mask": order}),
        index,
        name,
        tolerance=_ROUNDING,
        note=note,
        **said,
    )
    kwargs = {} if n == 20 else {"n": n}
    ends = {"tour": index, "current": index}
    return Declaration(env_id, pair, StateTree(DictRepresentation({**cities, **demands, **ends})), kwargs)


def _declared(env_id: str, who: str) -> tuple[Declaration, ...]:
    turns, plane, scaling = orthogonal(2), euclidean(2), Scaling()
    kinds = (1,) if "CVRP" in env_id else ()
    both = DirectProduct(plane, PermutationGroup((*kinds, 20)))
    return (
        _on_cities(
            env_id,
            "turns",
            Centred(point_representation(turns), (0.5, 0.5)),
            "Turns and reflections about the middle of the unit square.",
        ),
        _on_cities(
            env_id,
            "rotations",
            Centred(point_representation(special_orthogonal(2)), (0.5, 0.5)),
            "Turns about the middle of the unit square.",
        ),
        _on_cities(env_id, "shifts", point_representation(translations(2)), "Shifts of the plane."),
        _on_cities(env_id, "motions", point_representation(plane), "Turns, reflections and shifts of the plane."),
        _on_cities(
            env_id, "scaling", scaling, "All distances c times as long, and so is the tour: rewards scale.", scaling
        ),
        *(
            _relabelled(
                env_id,
                "relabelling" if n == 20 else f"relabelling-{n}",
                PermutationGroup((*kinds, n)),
                n,
                f"{who} in any order, n = {n}.",
            )
            for n in (20, 50, 100)
        ),
        _relabelled(
            env_id,
            "motions-and-relabelling",
            both,
            20,
            f"Motions of the plane, and {who.lower()} in any order, n = 20.",
            holds=_PATHWISE,
        ),
    )


ROUTING: Final = (*_declared("symbench/TSP-v0", "Cities"), *_declared("symbench/CVRP-v0", "Customers"))
