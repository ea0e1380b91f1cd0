"""Checks of groups, representations and policies find what is wrong."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import (
    ActionPermutation,
    DictRepresentation,
    FiniteGroup,
    GridRepresentation,
    GroupAction,
    Representation,
    SymmetryPair,
    check_group,
    check_pair,
    check_policy_equivariance,
    check_representation,
    cyclic,
    dihedral,
    product,
    regular,
    signed_permutation,
    standard_2d,
    symmetric,
    symmetry_of,
)


@pytest.mark.parametrize("group", [cyclic(1), cyclic(6), dihedral(4), symmetric(4), product(cyclic(2), dihedral(3))])
def test_groups_are_groups(group: FiniteGroup) -> None:
    check_group(group)


@pytest.mark.parametrize(
    ("entry", "value", "said"),
    [((1, 2), 9, "not closed"), ((0, 2), 1, "not the identity"), ((2, 2), 2, "no inverse"), ((1, 1), 3, "associative")],
)
def test_one_wrong_entry_of_a_table_is_found(entry: tuple[int, int], value: int, said: str) -> None:
    group = cyclic.__wrapped__(4)
    group.table[entry] = value
    with pytest.raises(SymbenchError, match=said):
        check_group(group)


PICTURES = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 1), dtype=np.uint8)


@pytest.mark.parametrize(
    ("action", "batch"),
    [
        (regular(symmetric(3)), None),
        (standard_2d(dihedral(5)), None),
        (ActionPermutation(dihedral(4), [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]), None),
        (GridRepresentation(dihedral(4), ["turn", "flip-columns"]), PICTURES),
        (
            DictRepresentation({"picture": GridRepresentation(cyclic(4), ["turn"]), "place": standard_2d(cyclic(4))}),
            {"picture": PICTURES, "place": np.eye(2)},
        ),
    ],
)
def test_representations_are_representations(action: GroupAction, batch: Any) -> None:
    assert check_representation(action, batch) < 1e-12


def test_a_wrong_matrix_is_found() -> None:
    turns = standard_2d(cyclic(5))
    turns.matrices[2, 0, 0] *= -1
    assert check_representation(turns) > 0.5


def test_pictures_need_a_batch() -> None:
    with pytest.raises(SymbenchError, match="needs a batch of what GridRepresentation acts on"):
        check_representation(GridRepresentation(dihedral(4), ["turn", "flip-columns"]))


OBSERVATIONS = np.random.default_rng(1).standard_normal((50, 4))


def test_an_equivariant_policy_passes_and_a_plain_one_fails() -> None:
    pair = symmetry_of("CartPole-v1")
    weights = np.random.default_rng(2).standard_normal(4)

    def equivariant(x: np.ndarray) -> np.ndarray:
        return np.stack([x @ weights, -x @ weights], axis=1)

    assert check_policy_equivariance(equivariant, pair, OBSERVATIONS) < 1e-12
    assert check_policy_equivariance(lambda x: equivariant(x + 0.1), pair, OBSERVATIONS) > 0.01


@pytest.mark.parametrize("turn", [0, 1])
def test_vectors_of_policies_are_permuted_the_right_way_round(turn: int) -> None:
    """K and its inverse differ for quarter turns: (K v)[map(a)] = v[a]."""
    pair = symmetry_of("symbench/GridWorld-v0")
    assert isinstance(pair.action, ActionPermutation)
    pictures = np.random.default_rng(3).integers(0, 2, (8, 21, 21, 1), dtype=np.uint8)
    moves = np.array([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]])

    def towards_the_mass(x: np.ndarray) -> np.ndarray:
        rows, columns = np.indices((21, 21)) - 10
        centre = np.stack([(x[..., 0] * rows).sum((1, 2)), (x[..., 0] * columns).sum((1, 2))], axis=1)
        return centre @ moves[pair.action.maps[turn] if turn else slice(None)].T

    error = check_policy_equivariance(towards_the_mass, pair, pictures)
    assert (error == 0) == (turn == 0)


def test_a_pair_must_fit_the_environment() -> None:
    with pytest.raises(SymbenchError, match="mirror does not fit Pendulum-v1: observation: acts on a Box of 4"):
        check_pair(symmetry_of("CartPole-v1"), "Pendulum-v1")


@pytest.mark.parametrize("env_id", ["Pendulum-v1", "Acrobot-v1", "symbench/GridWorld-v0"])
def test_states_that_are_not_observations_need_a_simulator(env_id: str) -> None:
    mine = dataclasses.replace(symmetry_of(env_id), name="mine")  # not the catalogue's, which knows the simulator
    with pytest.raises(SymbenchError, match=r"has states of shape .* say how it acts on them: simulator="):
        check_pair(mine, env_id, steps=4, resets=0)


def test_an_environment_without_state_needs_a_simulator() -> None:
    flip = cyclic(2)
    pair = SymmetryPair(Representation(flip, [[[1.0]], [[-1.0]]]), ActionPermutation(flip, [[1, 0]]))

    class Stateless(gym.Env[Any, Any]):
        observation_space, action_space = gym.spaces.Box(-1, 1, (1,)), gym.spaces.Discrete(2)

        def reset(self, **_: Any) -> Any:
            return np.zeros(1), {}

        def step(self, action: Any) -> Any:
            return np.zeros(1), 0.0, False, False, {}

    with pytest.raises(SymbenchError, match=r"no attribute 'state'.*simulator="):
        check_pair(pair, Stateless)


def test_reports_say_where_the_error_is_and_are_reproducible() -> None:
    flip = cyclic(2)
    wrong = SymmetryPair(
        signed_permutation(flip, signs=[[-1, -1, -1, 1]]), ActionPermutation(flip, [[1, 0]]), name="wrong"
    )
    simulator = symmetry_of("CartPole-v1").observation
    first, second, other = (
        check_pair(wrong, "CartPole-v1", _mirrored(simulator), steps=200, seed=seed) for seed in (0, 0, 1)
    )
    assert first.errors[:3].max() == 0 < 1 < first.errors[3]
    assert first.status == "none" and not first.reproduced
    assert np.array_equal(first.errors, second.errors) and not np.array_equal(first.errors, other.errors)


def test_without_resets_the_initial_law_is_untested() -> None:
    report = check_pair(symmetry_of("CartPole-v1"), "CartPole-v1", steps=10, resets=0)
    assert math.isnan(report.initial) and "initial" not in report.holds and report.reproduced


def _mirrored(action: GroupAction) -> Any:
    from symbench.symmetry import StateVector

    return StateVector(action)
