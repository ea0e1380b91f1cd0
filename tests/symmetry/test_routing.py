"""Tours under motions, scalings and relabelling: what the pieces do, and what must be found to be wrong."""

from __future__ import annotations

import dataclasses

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import (
    Dilations,
    DirectProduct,
    EntityIndex,
    Invariant,
    PermutationGroup,
    Scaling,
    check_group,
    check_pair,
    check_representation,
    declarations_of,
    orthogonal,
    symmetry_of,
)
from symbench.wrappers import TransformByGroup

IDS = ("symbench/TSP-v0", "symbench/CVRP-v0")


def test_dilations_are_a_group_of_positive_numbers() -> None:
    group = Dilations()
    check_group(group)
    assert group.element(2) == 2.0
    assert check_representation(Scaling(), np.random.default_rng(0).random((3, 5, 2))) < 1e-12
    for wrong in (0, -1.0, np.inf, np.nan):
        with pytest.raises(SymbenchError, match="R\\+ has no element"):
            group.element(wrong)
    with pytest.raises(TypeError, match="an element of R\\+ is a number"):
        group.element([1.0])


@pytest.mark.parametrize("group", [PermutationGroup((1, 4)), DirectProduct(orthogonal(2), PermutationGroup((1, 4)))])
def test_numbers_of_entities_follow_the_entities(group: PermutationGroup | DirectProduct) -> None:
    index, rng = EntityIndex(group, 5), np.random.default_rng(0)
    elements, marked = group.sample(rng, 6), rng.integers(5, size=6)
    ones = np.eye(5)[marked]
    np.testing.assert_array_equal(index.vectors.apply(elements, ones).argmax(axis=1), index.apply(elements, marked))
    np.testing.assert_array_equal(index.allowed(elements, ones), index.vectors.apply(elements, ones))
    np.testing.assert_array_equal(index.undo(elements, index.apply(elements, marked)), marked)
    tours = np.array([[4, 0, 2, 5, 5]] * 6)
    moved = index.apply(elements, tours)
    assert (moved[:, 3:] == 5).all() and (moved[:, 1] == 0).all()  # none stays none, the depot stays
    assert index.incompatibility(gym.spaces.Discrete(5)) is index.incompatibility(gym.spaces.Discrete(6)) is None
    assert "acts on Discrete(5)" in str(index.incompatibility(gym.spaces.Discrete(4)))


@pytest.mark.parametrize("env_id", IDS)
def test_a_scaled_world_without_scaled_rewards_is_found_out(env_id: str) -> None:
    declared = next(each for each in declarations_of(env_id) if each.pair.name == "scaling")
    silent = dataclasses.replace(declared.pair, reward=None)
    report = check_pair(silent, declared, steps=200, resets=0)
    assert report.status == "none" and "reward" not in report.holds
    with pytest.raises(SymbenchError, match="rewards are transformed by R"):
        dataclasses.replace(symmetry_of(env_id, "turns"), reward=Scaling())


@pytest.mark.parametrize("env_id", IDS)
def test_relabelled_cities_need_relabelled_actions(env_id: str) -> None:
    declared = next(each for each in declarations_of(env_id) if each.pair.name == "relabelling")
    wrong = dataclasses.replace(declared.pair, action=Invariant(declared.pair.group))
    with pytest.raises(SymbenchError, match=r"has been visited already|of a vehicle's capacity"):
        check_pair(wrong, declared, steps=200, resets=0)


@pytest.mark.parametrize(
    ("variant", "element"),
    [
        ("turns", None),
        ("motions", None),
        ("scaling", 0.5),
        ("relabelling", None),
        ("motions-and-relabelling", None),
    ],
)
@pytest.mark.parametrize("env_id", IDS)
def test_an_agent_that_follows_the_mask_of_what_it_sees_plays_a_valid_tour(
    env_id: str, variant: str, element: float | None
) -> None:
    env = TransformByGroup(gym.make(env_id), symmetry=env_id, variant=variant, element=element)
    shown, _ = env.reset(seed=0)
    plain, _ = gym.make(env_id).reset(seed=0)
    assert not np.array_equal(shown["cities"], plain["cities"])
    ended, total = False, 0.0
    while not ended:
        np.testing.assert_array_equal(env.get_wrapper_attr("action_masks")(), shown["action_mask"] == 1)
        shown, reward, ended, *_ = env.step(int(shown["action_mask"].argmax()))
        total += float(reward)
    assert -25 < total < -3  # in the units of the environment
