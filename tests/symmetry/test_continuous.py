"""Continuous groups: sampled elements obey the axioms, act on points and vectors, and are checked like finite ones."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from scipy import stats

from symbench.errors import SymbenchError
from symbench.policies.equivariant.symmetries import symmetry_data
from symbench.symmetry import (
    Centred,
    DictRepresentation,
    EuclideanGroup,
    GeometricRepresentation,
    Group,
    Invariant,
    Simulator,
    SymmetryPair,
    check_group,
    check_pair,
    check_policy_equivariance,
    check_representation,
    cyclic,
    dihedral,
    euclidean,
    orthogonal,
    point_representation,
    special_euclidean,
    special_orthogonal,
    symmetry_of,
    translations,
    vector_representation,
)
from symbench.symmetry.catalogue import CATALOGUE
from symbench.symmetry.simulators import MujocoState

GROUPS = [
    *map(orthogonal, (1, 2, 3)),
    *map(special_orthogonal, (2, 3)),
    *map(euclidean, (1, 2, 3)),
    *map(special_euclidean, (2, 3)),
    *map(translations, (1, 3)),
]


@pytest.mark.parametrize("group", [*GROUPS, cyclic(5), dihedral(4)], ids=lambda group: group.name)
def test_groups_sample_compose_and_invert(group: Group) -> None:
    check_group(group)
    rng = np.random.default_rng(0)
    first, second = group.sample(rng, 6), group.sample(rng, 6)
    assert first.shape == (6, *group.element_shape)
    for product in (group.compose(first, group.inverse(first)), group.compose(group.inverse(first), first)):
        np.testing.assert_allclose(product, np.broadcast_to(group.identity, first.shape), atol=1e-12)
    pairs = zip(first, second, strict=True)
    np.testing.assert_allclose(group.compose(first, second), [group.compose(g, h) for g, h in pairs], atol=1e-12)
    for g in first:  # every sample is an element of the group
        np.testing.assert_allclose(group.element(g), g)


def test_finite_groups_are_enumerated_and_continuous_ones_are_not() -> None:
    assert list(dihedral(3).enumerate()) == list(range(6)) and dihedral(3).is_finite
    with pytest.raises(SymbenchError, match=r"SO\(2\) is continuous"):
        special_orthogonal(2).enumerate()


def test_rotations_are_uniform_and_reflections_are_half() -> None:
    turns = special_orthogonal(2).sample(np.random.default_rng(1), 2000)
    angles = np.arctan2(turns[:, 1, 0], turns[:, 0, 0])
    assert stats.kstest(angles, "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-3
    axes = special_orthogonal(3).sample(np.random.default_rng(1), 2000)[:, :3, 0]
    assert min(stats.kstest(axes[:, i], "uniform", (-1, 2)).pvalue for i in range(3)) > 1e-3  # Archimedes
    parity = np.linalg.det(orthogonal(3).sample(np.random.default_rng(1), 2000)).round()
    assert abs(parity.mean()) < 0.1 and set(parity.tolist()) == {-1.0, 1.0}
    shifts = translations(2, scale=3.0).sample(np.random.default_rng(1), 2000)[:, :2, 2]
    assert shifts.std() == pytest.approx(3.0, rel=0.1)


@pytest.mark.parametrize(
    ("group", "value", "said"),
    [
        (special_orthogonal(2), [[0, 1], [1, 0]], "has no element"),
        (orthogonal(2), [[2, 0], [0, 1]], "has no element"),
        (orthogonal(2), [[1, 0, 5], [0, 1, 0], [0, 0, 1]], "has no element"),
        (translations(2), [[0, -1], [1, 0]], "has no element"),
        (orthogonal(2), [1.0, 0.0], r"is a matrix \(3, 3\), received \(2,\)"),
        (cyclic(4), 4, "between 0 and 3, received 4"),
    ],
)
def test_elements_of_other_groups_are_refused(group: Group, value: Any, said: str) -> None:
    with pytest.raises(SymbenchError, match=said):
        group.element(value)


def test_dimensions_out_of_range() -> None:
    with pytest.raises(SymbenchError, match=r"SO\(n\) needs a whole number n >= 2, received 1"):
        special_orthogonal(1)


E3 = euclidean(3)
ENTITY = GeometricRepresentation(E3, 11, points=[(0, 1, 2)], vectors=[(3, 5, 4)], axial=[(6, 7, 8)], pseudoscalars=[9])


@pytest.mark.parametrize(
    ("action", "batch"),
    [
        *((point_representation(group), None) for group in GROUPS),
        (vector_representation(orthogonal(3)), None),
        (ENTITY, np.random.default_rng(0).standard_normal((4, 7, 11))),
        (Centred(vector_representation(orthogonal(2)), [1.0, 2.0]), np.random.default_rng(0).standard_normal((4, 2))),
        (Invariant(E3), np.arange(4)),
        (
            DictRepresentation({"atoms": point_representation(E3), "force": vector_representation(E3)}),
            {"atoms": np.random.default_rng(0).standard_normal((4, 5, 3)), "force": np.eye(4, 3), "mass": np.ones(4)},
        ),
    ],
)
def test_they_act_as_the_group_multiplies(action: Any, batch: Any) -> None:
    assert check_representation(action, batch) < 1e-12


def test_points_keep_distances_vectors_are_differences_and_torques_are_cross_products() -> None:
    rng = np.random.default_rng(0)
    elements, batch = E3.sample(rng, 50), rng.standard_normal((50, 2, 11))
    moved, rotation = ENTITY.apply(elements, batch), elements[:, :3, :3]
    before, after = (each[:, 0, :3] - each[:, 1, :3] for each in (batch, moved))
    np.testing.assert_allclose(np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1))
    np.testing.assert_allclose(vector_representation(E3).apply(elements, before), after, atol=1e-12)
    np.testing.assert_allclose(
        moved[..., [3, 5, 4]], np.einsum("bij,bnj->bni", rotation, batch[..., [3, 5, 4]]), atol=1e-12
    )
    force, arm = batch[:, 0, :3], batch[:, 1, :3]
    torque = np.zeros((50, 1, 11))
    torque[:, 0, 6:9] = np.cross(arm, force)
    turned = np.cross(np.einsum("bij,bj->bi", rotation, arm), np.einsum("bij,bj->bi", rotation, force))
    np.testing.assert_allclose(ENTITY.apply(elements, torque)[:, 0, 6:9], turned, atol=1e-12)
    np.testing.assert_allclose(moved[..., 9], np.linalg.det(rotation)[:, None] * batch[..., 9])
    np.testing.assert_array_equal(moved[..., 10], batch[..., 10])
    np.testing.assert_allclose(ENTITY.undo(elements, moved), batch, atol=1e-12)
    assert ENTITY.apply(elements, batch.astype(np.float32)).dtype == np.float32


def test_bounds_hold_everything_that_the_elements_make() -> None:
    space = spaces.Box(np.float64([-1, 0, -2, -1]), np.float64([3, 4, 1, 1]), dtype=np.float64)
    turns = GeometricRepresentation(orthogonal(2), 4, vectors=[(0, 1)], pseudoscalars=[2])
    image = turns.image(space)
    np.testing.assert_allclose(image.high, [5, 5, 2, 1])
    np.testing.assert_allclose(image.low, [-5, -5, -2, -1])
    for g in turns.group.sample(np.random.default_rng(0), 50):
        assert all(image.contains(row) for row in turns.apply(g, np.stack([space.sample() for _ in range(20)])))
    shifts = GeometricRepresentation(translations(2), 4, points=[(0, 1)])
    assert np.isinf(shifts.image(space).high[:2]).all() and (shifts.image(space).high[2:] == space.high[2:]).all()
    assert "floating" in str(turns.lossy(spaces.Box(0, 9, (4,), np.int64)))
    assert "last axis has 4" in str(turns.incompatibility(spaces.Box(0, 9, (4, 3))))
    assert turns.escape(spaces.Box(-1, 1, (4,))) == "the group does not map the bounds of " + (
        f"{spaces.Box(-1, 1, (4,))} to themselves"
    )


def test_places_are_checked() -> None:
    with pytest.raises(SymbenchError, match="named once"):
        GeometricRepresentation(orthogonal(2), 3, vectors=[(0, 1)], pseudoscalars=[1])
    with pytest.raises(SymbenchError, match="2-dimensional space has 2 places"):
        GeometricRepresentation(orthogonal(2), 3, vectors=[(0, 1, 2)])


class _Puck(gym.Env[np.ndarray, np.ndarray]):
    """A puck on an endless table, pushed; the goal is another point."""

    observation_space = spaces.Box(-np.inf, np.inf, (6,), np.float64)
    action_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)

    def __init__(self, wind: float = 0.0) -> None:
        self.wind = wind

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.state = self.np_random.standard_normal(6)
        return self.state.copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, Any]:
        place, speed, goal = self.state.reshape(3, 2)
        speed = 0.9 * speed + 0.1 * action + [self.wind, 0.0]
        self.state = np.concatenate([place + 0.1 * speed, speed, goal])
        return self.state.copy(), -float(np.linalg.norm(place - goal)), False, False, {}


def _puck_pair(group: EuclideanGroup) -> SymmetryPair:
    observation = GeometricRepresentation(group, 6, points=[(0, 1), (4, 5)], vectors=[(2, 3)])
    return SymmetryPair(observation, vector_representation(group), holds=frozenset({"transition", "reward"}))


@pytest.mark.parametrize("group", [orthogonal(2), euclidean(2), special_euclidean(2)], ids=lambda group: group.name)
def test_a_pair_of_a_continuous_group_is_checked_against_the_simulator(group: EuclideanGroup) -> None:
    pair = _puck_pair(group)
    assert check_pair(pair, _Puck, steps=300).reproduced
    assert check_pair(pair, lambda: _Puck(wind=0.01), steps=300).status == "none"
    still = dataclasses.replace(pair, action=Invariant(group))  # actions that do not turn with the scene
    assert check_pair(still, _Puck, steps=300).status == "none"


def test_the_law_of_first_states_is_tested_under_sampled_elements() -> None:
    pair = dataclasses.replace(_puck_pair(orthogonal(2)), holds=frozenset({"transition", "reward", "initial"}))
    assert check_pair(pair, _Puck, steps=100).reproduced
    shifted = dataclasses.replace(_puck_pair(euclidean(2)), holds=pair.holds)
    assert "initial" not in check_pair(shifted, _Puck, steps=100).holds


def test_policies_are_checked_with_sampled_elements() -> None:
    pair, seen = _puck_pair(euclidean(2)), np.random.default_rng(0).standard_normal((20, 6))
    assert check_policy_equivariance(lambda x: x[:, 4:] - x[:, :2] - x[:, 2:4], pair, seen) < 1e-12
    assert check_policy_equivariance(lambda x: x[:, 4:], pair, seen) > 0.1


def test_networks_say_that_they_need_a_finite_group() -> None:
    with pytest.raises(SymbenchError, match=r"networks need a finite group, received O\(2\)"):
        symmetry_data(symmetry_of("Reacher-v5", "rotations-and-reflections"))


def _reacher() -> Any:
    pytest.importorskip("mujoco")
    return next(each for each in CATALOGUE["Reacher-v5"] if each.pair.group == orthogonal(2))


def test_reacher_has_all_rotations_and_reflections() -> None:
    report = check_pair(_reacher().pair, "Reacher-v5", steps=300)
    assert report.reproduced and report.status == "exact" and report.holds == {"transition", "reward"}


def _wrong_observation(**changes: Any) -> SymmetryPair:
    pair = _reacher().pair
    places: dict[str, Any] = {"vectors": ((0, 2), (4, 5), (8, 9)), "pseudoscalars": (3, 6, 7), **changes}
    return dataclasses.replace(pair, observation=GeometricRepresentation(pair.group, 10, **places), name="wrong")


@pytest.mark.parametrize(
    "changes",
    [
        {"vectors": ((4, 5), (8, 9))},  # the shoulder's angle stays
        {"vectors": ((0, 2), (8, 9))},  # the target stays
        {"vectors": ((0, 2), (4, 5))},  # the way to the fingertip stays
        {"pseudoscalars": (6, 7)},
        {"pseudoscalars": (3, 6)},
    ],
)
def test_every_part_of_reachers_observation_that_is_left_out_is_found(changes: dict[str, Any]) -> None:
    simulator: Simulator = _reacher().simulator
    assert check_pair(_wrong_observation(**changes), "Reacher-v5", simulator, steps=300, resets=0).status == "none"


def test_rotating_only_the_arm_is_no_symmetry_of_reacher() -> None:
    """The negative control: the transition of the joints alone is symmetric, the reward is not."""
    declared = _reacher()

    class ArmOnly(type(declared.simulator.positions)):  # type: ignore[misc]
        def apply(self, elements: Any, batch: Any) -> Any:
            moved = super().apply(elements, batch)
            moved[:, 2:] = batch[:, 2:]
            return moved

    wrong = MujocoState(ArmOnly(), declared.simulator.velocities)
    report = check_pair(declared.pair, "Reacher-v5", wrong, steps=300, resets=0)
    assert report.status == "none" and report.reward > 0.01


def test_torques_that_a_reflection_does_not_negate_are_found() -> None:
    declared = _reacher()
    for places in ((), (0,), (1,)):
        wrong = dataclasses.replace(
            declared.pair, action=GeometricRepresentation(declared.pair.group, 2, pseudoscalars=places), name="wrong"
        )
        report = check_pair(wrong, "Reacher-v5", declared.simulator, steps=300, resets=0)
        assert report.status == "none"
