"""Matrices, maps and pictures multiply as the group's elements do, whatever they are combined to."""

from __future__ import annotations

import re

import numpy as np
import pytest
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry import (
    ActionPermutation,
    DictRepresentation,
    GridRepresentation,
    GroupAction,
    Representation,
    cyclic,
    dihedral,
    regular,
    signed_permutation,
    standard_2d,
    symmetric,
    trivial_representation,
)

C2, C4, D4 = cyclic(2), cyclic(4), dihedral(4)
MIRROR = signed_permutation(C2, orders=[[1, 0, 2]], signs=[[1, 1, -1]])
REPRESENTATIONS = {
    "trivial": trivial_representation(D4, 3),
    "regular C4": regular(C4),
    "regular D4": regular(D4),
    "regular S3": regular(symmetric(3)),
    "turns C4": standard_2d(C4),
    "turns C5": standard_2d(cyclic(5)),
    "turns and reflections": standard_2d(dihedral(3)),
    "signs and places": MIRROR,
    "sum": regular(D4) + standard_2d(D4),
    "copies": standard_2d(C4) * 3,
    "tensor": regular(C4) @ standard_2d(C4),
    "dual": standard_2d(dihedral(3)).dual(),
}
ACTIONS: dict[str, GroupAction] = {
    **REPRESENTATIONS,
    "discrete": ActionPermutation(D4, [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]),
    "pictures": GridRepresentation(D4, ["turn", "flip-columns"]),
    "some rows": GridRepresentation(C2, ["flip-rows"], rows=(1, 4)),
    "channels first": GridRepresentation(C4, ["turn"], axes=(2, 3)),
    "dict": DictRepresentation({"picture": GridRepresentation(C4, ["turn"]), "arrow": standard_2d(C4)}),
}


def things(name: str, rng: np.random.Generator, size: int) -> object:
    """A batch of what the action of this name acts on."""
    action = ACTIONS[name]
    if isinstance(action, Representation):
        return rng.standard_normal((size, action.dim))
    if isinstance(action, ActionPermutation):
        return rng.integers(5, size=size)
    if isinstance(action, DictRepresentation):
        return {"picture": rng.random((size, 3, 3)), "arrow": rng.random((size, 2)), "other": rng.random((size, 1))}
    return rng.integers(256, size=(size, 5, 5, 5), dtype=np.uint8)


def equal(first: object, second: object) -> None:
    """Assert that two batches are the same up to rounding."""
    if isinstance(first, dict) and isinstance(second, dict):
        assert first.keys() == second.keys()
        for key in first:
            equal(first[key], second[key])
    else:
        np.testing.assert_allclose(np.asarray(first), np.asarray(second), atol=1e-12)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_multiplies_as_its_group(name: str) -> None:
    action, rng = ACTIONS[name], np.random.default_rng(0)
    group = action.group
    batch = things(name, rng, 6)
    for g in group.elements:
        equal(action.undo(g, action.apply(g, batch)), batch)
        for h in group.elements:
            equal(action.apply(g, action.apply(h, batch)), action.apply(int(group.table[g, h]), batch))
    equal(action.apply(0, batch), batch)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_element_for_each_is_the_same_as_one_by_one(name: str) -> None:
    action, rng = ACTIONS[name], np.random.default_rng(1)
    batch = things(name, rng, 6)
    elements = rng.integers(action.group.order, size=6)

    def pick(value: object, i: int) -> object:
        return {key: pick(v, i) for key, v in value.items()} if isinstance(value, dict) else value[i : i + 1]  # type: ignore[index]

    together = action.apply(elements, batch)
    for i, g in enumerate(elements.tolist()):
        equal(pick(together, i), action.apply(g, pick(batch, i)))


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_characters_are_those_of_the_combination(name: str) -> None:
    rho = REPRESENTATIONS[name]
    character = rho.character
    assert character[0] == rho.dim
    np.testing.assert_allclose((rho + rho).character, 2 * character)
    np.testing.assert_allclose((rho @ rho).character, character**2)
    np.testing.assert_allclose(rho.dual().character, character[rho.group.inverses], atol=1e-12)
    # The multiplicity of the trivial representation is a whole number.
    multiplicity = character.mean()
    assert abs(multiplicity - round(multiplicity)) < 1e-9
    assert rho.is_orthogonal


def test_the_regular_representation_holds_every_other_as_often_as_its_dimension() -> None:
    assert (regular(D4).character * standard_2d(D4).character).mean() == pytest.approx(2)


def test_a_quarter_turn_of_a_picture_turns_its_arrows() -> None:
    """``np.rot90`` is counter-clockwise on rows that grow downwards, and so is the standard representation."""
    picture = np.zeros((1, 3, 3))
    picture[0, 1, 2] = 1  # to the right of the centre
    turned = ACTIONS["pictures"].apply(1, picture)
    assert turned[0, 0, 1] == 1  # above it
    np.testing.assert_array_equal(standard_2d(C4).apply(1, np.array([[1.0, 0.0]])), [[0.0, 1.0]])


def test_kept_dtypes_and_new_memory() -> None:
    values = np.ones((2, 3), dtype=np.float32)
    for g in C2.elements:
        moved = MIRROR.apply(g, values)
        assert moved.dtype == np.float32 and not np.shares_memory(moved, values)
    numbers = np.array([1, 2])
    assert ActionPermutation(C2, [[1, 0, 2]]).apply(1, numbers).dtype == numbers.dtype


@pytest.mark.parametrize(
    ("action", "space", "said"),
    [
        (MIRROR, spaces.Box(-1, 1, (4,)), "Box of 3 numbers"),
        (MIRROR, spaces.Discrete(3), "Box of 3 numbers"),
        (ActionPermutation(C2, [[1, 0]]), spaces.Discrete(3), r"Discrete\(2\)"),
        (ActionPermutation(C2, [[1, 0]]), spaces.Discrete(2, start=1), r"Discrete\(2\)"),
        (GridRepresentation(C4, ["turn"]), spaces.Box(0, 255, (4, 5), np.uint8), "square"),
        (GridRepresentation(C4, ["turn"]), spaces.Box(0, 255, (4,), np.uint8), "rows and columns"),
        (ACTIONS["dict"], spaces.Dict({"arrow": spaces.Box(-1, 1, (2,))}), "keys picture, arrow"),
    ],
)
def test_spaces_that_do_not_fit(action: GroupAction, space: spaces.Space[object], said: str) -> None:
    reason = action.incompatibility(space)
    assert reason is not None and re.search(said, reason)


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if isinstance(action, Representation)])
def test_the_image_of_a_space_holds_everything_that_is_made_of_its_members(name: str) -> None:
    action = ACTIONS[name]
    assert isinstance(action, Representation)
    space = spaces.Box(-np.arange(1.0, action.dim + 1), np.arange(2.0, action.dim + 2), dtype=np.float64)
    space.seed(0)
    image = action.image(space)
    members = np.stack([space.sample() for _ in range(200)])
    for g in action.group.elements:
        moved = action.apply(g, members)
        assert (moved >= image.low - 1e-12).all() and (moved <= image.high + 1e-12).all()
    assert (action.escape(space) is None) == (image == space)


def test_a_space_that_is_left() -> None:
    left = MIRROR.escape(spaces.Box(np.float32([-1, -1, 0]), np.float32([1, 1, 1])))
    assert left is not None and "bounds" in left
    assert MIRROR.escape(spaces.Box(-1, 1, (3,))) is None
    assert MIRROR.image(spaces.Box(-np.inf, np.inf, (3,))) == spaces.Box(-np.inf, np.inf, (3,))
    turned = standard_2d(C4).image(spaces.Box(np.float32([-1, -2]), np.float32([1, 2])))
    assert turned == spaces.Box(-2, 2, (2,))
    endless = standard_2d(cyclic(5)).image(spaces.Box(-np.inf, np.inf, (2,)))
    assert endless == spaces.Box(-np.inf, np.inf, (2,))


def test_spaces_that_fit() -> None:
    assert MIRROR.incompatibility(spaces.Box(-1, 1, (3,))) is None
    assert ActionPermutation(C2, [[1, 0]]).incompatibility(spaces.Discrete(2)) is None
    assert GridRepresentation(C2, ["flip-rows"]).incompatibility(spaces.Box(0, 255, (4, 5), np.uint8)) is None
    assert GridRepresentation(C4, ["turn"], rows=(0, 4)).incompatibility(spaces.Box(0, 255, (6, 4), np.uint8)) is None


def test_what_is_no_action_is_refused() -> None:
    with pytest.raises(SymbenchError, match="no representation of C4"):
        signed_permutation(C4, orders=[[1, 2, 0]])
    with pytest.raises(SymbenchError, match="do not multiply"):
        GridRepresentation(D4, ["turn", "turn"])
    with pytest.raises(SymbenchError, match="unknown move"):
        GridRepresentation(C4, ["trun"])
    with pytest.raises(SymbenchError, match="permutation"):
        ActionPermutation(C2, [[1, 1]])
    with pytest.raises(SymbenchError, match="cannot be combined"):
        regular(C2) + regular(C4)
    with pytest.raises(SymbenchError, match="turn the plane"):
        standard_2d(symmetric(3))
