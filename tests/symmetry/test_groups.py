"""Groups keep the axioms; what is no group is refused."""

from __future__ import annotations

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import FiniteGroup, arrangements, cyclic, dihedral, product, symmetric, trivial

GROUPS = [trivial(), *map(cyclic, (1, 2, 3, 4, 8)), *map(dihedral, (1, 2, 3, 4, 6)), *map(symmetric, (1, 2, 3, 4))]
GROUPS += [product(cyclic(2), cyclic(4)), product(symmetric(3), dihedral(2))]


@pytest.mark.parametrize("group", GROUPS, ids=repr)
def test_inverses_undo_and_words_reach_every_element(group: FiniteGroup) -> None:
    everything = np.arange(group.order)
    assert (group.table[everything, group.inverses] == 0).all()
    assert (group.table[group.inverses, everything] == 0).all()
    made = [0, *(group.table[group.generators[position], element] for position, element in group.words)]
    assert sorted(made) == everything.tolist()
    assert len(set(group.labels)) == group.order


def test_orders() -> None:
    assert [group.order for group in GROUPS] == [1, 1, 2, 3, 4, 8, 2, 4, 6, 8, 12, 1, 2, 6, 24, 8, 24]


def test_a_reflection_reverses_turns_and_a_cyclic_group_commutes() -> None:
    group = dihedral(4)
    assert group.table[4, 1] == group.table[3, 4] != group.table[1, 4]
    assert np.array_equal(cyclic(8).table, cyclic(8).table.T)


def test_permutations_multiply_as_maps_do() -> None:
    group, orders = symmetric(4), arrangements(4)
    for g in group.elements:
        for h in group.elements:
            assert np.array_equal(orders[group.table[g, h]], orders[g][orders[h]])


@pytest.mark.parametrize(
    ("table", "generators", "said"),
    [
        ([[0, 1], [1, 1]], (1,), "inverse"),
        ([[1, 0], [0, 1]], (1,), "identity"),
        ([[0, 1], [1, 2]], (1,), "entries 0 to"),
        ([[0, 1, 2], [1, 2, 0]], (1,), "square"),
        ([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]], (1,), "make 2 of 4"),
        (
            [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]],
            (1, 2),
            "not associative",
        ),
    ],
)
def test_what_is_no_group_is_refused(table: list[list[int]], generators: tuple[int, ...], said: str) -> None:
    with pytest.raises(SymbenchError, match=said):
        FiniteGroup("mine", table, generators)


@pytest.mark.parametrize("make", [lambda: cyclic(0), lambda: dihedral(0), lambda: symmetric(7), lambda: symmetric(0)])
def test_sizes_out_of_range(make: object) -> None:
    with pytest.raises(SymbenchError, match="received"):
        make()  # type: ignore[operator]
