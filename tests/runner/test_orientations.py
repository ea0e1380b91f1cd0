"""Worlds turned by 90, 180 and 270 degrees: which elements those are, and who plays the same in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.scenes import EquivariantGraphNetwork, SceneMLPNetwork
from symbench.runner.orientations import EQUAL, quarter_turns, returns_under
from symbench.runner.transformed_starts import transformable
from symbench.symmetry import cyclic, dihedral, orthogonal, special_orthogonal, symmetry_of, translations

SPREAD = "symbench/ParticleSpread-v0?starts=west"


def test_quarter_turns_of_finite_groups() -> None:
    assert quarter_turns(cyclic(4)) == quarter_turns(dihedral(4)) == [0, 1, 2, 3]
    pair = symmetry_of("Wildlife")
    east = np.array([[[3.0, 6.0]] * 3])  # row and column on a grid of 7
    turned = [pair.observation.parts["positions"].apply(g, east)[0, 0].tolist() for g in quarter_turns(pair.group)]  # type: ignore[attr-defined]
    assert turned == [[3, 6], [0, 3], [3, 0], [6, 3]]  # east, north, west, south


@pytest.mark.parametrize("group", [orthogonal(2), special_orthogonal(3), symmetry_of("ParticleSpread").group])
def test_quarter_turns_of_space_are_exact(group: Any) -> None:
    turns = np.array(quarter_turns(group))
    assert len(np.unique(turns, axis=0)) == 4 and np.isin(turns, np.arange(-1, 7)).all()
    np.testing.assert_array_equal(group.compose(turns[1], turns[3]), group.identity)
    np.testing.assert_array_equal(group.compose(turns[1], turns[1]), turns[2])


@pytest.mark.parametrize("group", [cyclic(2), cyclic(3), cyclic(8), orthogonal(1), translations(2), cyclic(1)])
def test_groups_without_quarter_turns_are_refused(group: Any) -> None:
    with pytest.raises(SymbenchError, match="has no quarter turns"):
        quarter_turns(group)


def test_who_turns_with_the_scene_gets_the_same_and_who_does_not_something_else() -> None:
    declaration = transformable(SPREAD)
    assert declaration is not None
    forces = spaces.Box(-1, 1, (3, 2))

    def changes(network: Any) -> float:
        found = [returns_under(network, SPREAD, declaration, g, 5) for g in quarter_turns(declaration.pair.group)]
        assert found[0].shape == (5,) and len(np.unique(found[0])) == 5
        return float(np.abs(np.subtract(found, found[0])).max())

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"bodies": 6, "dim": 2, "attributes": 2}
    assert changes(EquivariantGraphNetwork(forces, **sizes)) < EQUAL
    assert changes(SceneMLPNetwork(forces, **sizes)) > 0.1
