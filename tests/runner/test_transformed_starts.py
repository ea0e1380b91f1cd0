"""Episodes in a world that is turned: the first observation is the transformed one, and equal play is paid equally."""

from __future__ import annotations

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.runner.transformed_starts import TransformedStarts, transformable
from symbench.tasks import get_task
from symbench.trees import map_tree

SEEDS = [3, 4, 5, 6, 7]


SMALL = "symbench/Wildlife-v0?width=5&height=5&starts=west"


@pytest.mark.parametrize("task", ["Wildlife", "Traffic", SMALL])
def test_transformed_actions_in_transformed_starts_are_paid_the_same(task: str) -> None:
    declaration = transformable(task)
    assert declaration is not None
    pair, rng = declaration.pair, np.random.default_rng(0)
    for element in pair.group.generators:
        plain = get_task(task).make_vec(len(SEEDS))
        turned = TransformedStarts(get_task(task).make_vec(len(SEEDS)), declaration, element)
        (seen, _), (other, _) = plain.reset(seed=SEEDS), turned.reset(seed=SEEDS)
        for _ in range(5):
            expected = pair.observation.apply(element, seen)
            map_tree(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), other, expected)
            actions = drawn(rng, plain.single_action_space.nvec)
            seen, rewards, *_ = plain.step(actions)
            other, paid, *_ = turned.step(pair.action.apply(element, actions))
            np.testing.assert_allclose(paid, rewards)


def test_episodes_that_go_on_stay_as_they_are() -> None:
    declaration = transformable("symbench/Wildlife-v0")
    assert declaration is not None
    envs = TransformedStarts(get_task("Wildlife").make_vec(len(SEEDS)), declaration, 6)
    before, _ = envs.reset(seed=SEEDS)
    begun = np.array([True, False, False, True, False])
    after, _ = envs.reset(seed=SEEDS, options={"reset_mask": begun})
    np.testing.assert_array_equal(before["positions"], after["positions"])  # the same seeds, transformed once
    other, _ = envs.reset(seed=[9] * len(SEEDS), options={"reset_mask": begun})
    changed = (other["images"] != before["images"]).any(axis=(1, 2, 3, 4))
    np.testing.assert_array_equal(changed, begun)


def drawn(rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    return rng.integers(counts, size=(len(SEEDS), len(counts)))


def test_what_is_turned_must_have_a_state_of_named_arrays() -> None:
    declaration = transformable("symbench/Wildlife-v0")
    assert declaration is not None
    assert transformable("CartPole-v1") is None
    assert transformable("nothing") is None


def test_what_is_declared_must_be_declared_of_the_arguments_of_a_task() -> None:
    for name in ("symbench/Wildlife-v0?starts=west", SMALL, "symbench/ParticleSpread-v0?starts=west"):
        declaration = transformable(name)
        assert declaration is not None and declaration.kwargs == get_task(name).kwargs
    assert transformable(f"{SMALL}&max_episode_steps=4") is transformable(SMALL)
    assert transformable("symbench/Wildlife-v0?width=5&height=5") is None  # cells are turned about another centre
    assert transformable("symbench/ParticleSpread-v0?wind=3") is None  # declared, but as no symmetry


def test_the_world_of_another_task_is_not_turned() -> None:
    declaration = transformable("symbench/Wildlife-v0")
    assert declaration is not None
    with pytest.raises(SymbenchError, match="cannot begin in transformed states"):
        TransformedStarts(get_task("CartPole-v1").make_vec(1), declaration, 1)
