"""Groups of scenes of like entities and how they act on rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry import (
    ActionPermutation,
    DirectProduct,
    EntityRepresentation,
    PermutationGroup,
    SymmetryPair,
    arrangements,
    check_group,
    check_policy_equivariance,
    check_representation,
    cyclic,
    euclidean,
    orthogonal,
    point_representation,
    symmetric,
    symmetry_of,
    vector_representation,
)

PLANE = euclidean(2)
SCENE = DirectProduct(PLANE, PermutationGroup((3, 2)))
POSITIONS = EntityRepresentation(SCENE, point_representation(PLANE), 5)


@pytest.mark.parametrize(
    "group", [PermutationGroup((4,)), PermutationGroup((3, 2)), SCENE, DirectProduct(cyclic(3), symmetric(3))]
)
def test_groups_satisfy_the_axioms(group: object) -> None:
    check_group(group)  # type: ignore[arg-type]


def test_permutations_multiply_as_those_of_the_listed_group() -> None:
    group, listed, maps = PermutationGroup((4,)), symmetric(4), arrangements(4)
    for g, h in itertools.product(range(0, 24, 5), range(0, 24, 7)):
        np.testing.assert_array_equal(group.compose(maps[g], maps[h]), maps[listed.table[g, h]])


def test_kinds_are_kept_and_all_orders_are_as_likely() -> None:
    drawn = PermutationGroup((3, 2)).sample(np.random.default_rng(0), 6000)
    assert (np.sort(drawn[:, :3]) == [0, 1, 2]).all() and (np.sort(drawn[:, 3:]) == [3, 4]).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 12 and np.abs(counts / 6000 - 1 / 12).max() < 0.02


def test_elements_are_read_and_wrong_ones_are_refused() -> None:
    group = PermutationGroup((2, 1))
    np.testing.assert_array_equal(group.element([1, 0, 2]), [1, 0, 2])
    for wrong in ([2, 0, 1], [0, 0, 2], [0, 1]):
        with pytest.raises(SymbenchError, match="S2 has no element"):
            group.element(wrong)
    with pytest.raises(TypeError, match="list of places"):
        group.element(["a"])
    whole = DirectProduct(orthogonal(2), group)
    element = whole.element(([[0, -1], [1, 0]], [1, 0, 2]))
    np.testing.assert_array_equal(whole.element(element), element)
    with pytest.raises(SymbenchError, match="has 12 numbers or is a pair"):
        whole.element([1.0, 2.0, 3.0])
    with pytest.raises(SymbenchError, match="kinds must be whole numbers above 0"):
        PermutationGroup((0,))


def test_rows_are_transformed_and_change_place() -> None:
    batch = np.random.default_rng(0).normal(size=(6, 5, 2))
    assert check_representation(POSITIONS, batch) < 1e-12
    elements = SCENE.sample(np.random.default_rng(1), 6)
    np.testing.assert_allclose(POSITIONS.undo(elements, POSITIONS.apply(elements, batch)), batch)
    motions, places = SCENE.split(elements)
    moved = POSITIONS.apply(elements, batch)
    for b, i in itertools.product(range(6), range(5)):
        expected = motions[b, :2, :2] @ batch[b, i] + motions[b, :2, 2]
        np.testing.assert_allclose(moved[b, places[b, i]], expected)
    one = POSITIONS.apply(elements[2], batch)
    np.testing.assert_allclose(one[2], moved[2])


def test_agents_in_a_square_exchange_actions() -> None:
    turn = cyclic(4)
    actions = EntityRepresentation(turn, ActionPermutation(turn, [[1, 0]]), [[2, 0, 3, 1]])
    assert check_representation(actions) == 0
    np.testing.assert_array_equal(actions.apply(2, np.array([[0, 1, 0, 0]])), [[0, 0, 1, 0]])
    logits = np.random.default_rng(0).normal(size=(3, 4, 2))
    chosen = actions.apply(1, logits.argmax(axis=2))
    np.testing.assert_array_equal(actions.vectors.apply(1, logits).argmax(axis=2), chosen)


def test_a_policy_of_shared_weights_is_equivariant_and_one_that_knows_its_place_is_not() -> None:
    group = DirectProduct(orthogonal(2), PermutationGroup((3,)))
    rows = EntityRepresentation(group, vector_representation(orthogonal(2)), 3)
    pair = SymmetryPair(rows, rows)
    observations = np.random.default_rng(0).normal(size=(10, 3, 2))
    assert check_policy_equivariance(lambda x: x - x.mean(axis=1, keepdims=True), pair, observations) < 1e-12
    assert check_policy_equivariance(lambda x: x - x[:, :1], pair, observations) > 0.1


def test_decisions_of_agents_may_lie_in_a_row() -> None:
    turn = cyclic(4)
    actions = EntityRepresentation(turn, ActionPermutation(turn, [[1, 0]]), [[2, 0, 3, 1]])
    pair, logits = SymmetryPair(actions, actions), np.random.default_rng(0).normal(size=(3, 4, 2))
    moved = pair.on_decisions(1, logits)
    np.testing.assert_array_equal(moved[:, 2], logits[:, 0, ::-1])
    np.testing.assert_array_equal(pair.on_decisions(1, logits.reshape(3, 8)), moved.reshape(3, 8))


def test_spaces_that_do_not_fit_are_refused() -> None:
    forces = EntityRepresentation(SCENE, vector_representation(PLANE, norm_bounded=True), 3)
    assert forces.escape(spaces.Box(-1, 1, (3, 2))) is None
    clipped = EntityRepresentation(SCENE, vector_representation(PLANE), 3)
    assert "does not map the bounds" in str(clipped.escape(spaces.Box(-1, 1, (3, 2))))
    assert "acts on 3 rows that are alike" in str(forces.incompatibility(spaces.Box(-1, 1, (4, 2))))
    uneven = spaces.Box(np.array([[-1, -1], [-1, -1], [-2, -2]]), 2.0, dtype=np.float64)
    assert "acts on 3 rows that are alike" in str(forces.incompatibility(uneven))
    turn = cyclic(4)
    actions = EntityRepresentation(turn, ActionPermutation(turn, [[1, 0]]), [[2, 0, 3, 1]])
    assert actions.incompatibility(spaces.MultiDiscrete([2] * 4)) is None
    assert "rows that are alike" in str(actions.incompatibility(spaces.MultiDiscrete([2, 2, 2, 3])))
    assert "Discrete(2)" in str(actions.incompatibility(spaces.MultiDiscrete([3] * 4)))
    with pytest.raises(SymbenchError, match="one entity needs an action of"):
        EntityRepresentation(SCENE, vector_representation(orthogonal(2)), 3)
    with pytest.raises(SymbenchError, match="give their number"):
        EntityRepresentation(SCENE, None, [[0, 1, 2]])


def test_which_elements_send_entities_to_the_places_of_others() -> None:
    square = symmetry_of("Wildlife").action
    assert isinstance(square, EntityRepresentation)
    kept = [g for g in square.group.enumerate() if not square.exchanges(g)]  # type: ignore[attr-defined]
    assert kept == list(range(0, 48, 6))  # all of D4, each with every drone in its place
