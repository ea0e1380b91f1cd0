"""TransformByGroup with continuous groups: elements are sampled, undone, and the same in every adapter."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import (
    CATALOGUE,
    GeometricRepresentation,
    Invariant,
    SymmetryPair,
    register_symmetry,
    special_orthogonal,
    symmetry_of,
)
from symbench.symmetry.catalogue import registry
from symbench.testing import check_wrapper
from symbench.wrappers import TransformByGroup, sb3, vector
from symbench.wrappers.groups import TransformByGroup as Perturbation

O2 = {"symmetry": "Reacher-v5", "variant": "rotations-and-reflections"}


@pytest.fixture
def reacher() -> gym.Env[np.ndarray, np.ndarray]:
    pytest.importorskip("mujoco")
    return gym.make("Reacher-v5", disable_env_checker=True)


def test_an_equivariant_policy_plays_the_same_episode_up_to_rounding(reacher: gym.Env[np.ndarray, np.ndarray]) -> None:
    """Its torques are pseudoscalars: the cross products of the arm, the target and the way to the fingertip."""

    def policy(seen: np.ndarray) -> np.ndarray:
        cross = seen[0] * seen[9] - seen[2] * seen[8]
        return np.clip([5 * cross - 0.1 * seen[6], seen[3] - 0.1 * seen[7]], -1, 1)

    def returns(env: gym.Env[np.ndarray, np.ndarray]) -> list[float]:
        seen, rewards = env.reset(seed=3)[0], []
        for _ in range(50):
            seen, reward, *_ = env.step(policy(seen))
            rewards.append(float(reward))
        return rewards

    plain = returns(reacher)
    wrapped = TransformByGroup(gym.make("Reacher-v5", disable_env_checker=True), resample="step", **O2)
    np.testing.assert_allclose(returns(wrapped), plain, atol=1e-9)
    assert len(set(plain)) > 10


def test_observations_are_transformed_by_a_new_element_each_episode(reacher: gym.Env[np.ndarray, np.ndarray]) -> None:
    env = TransformByGroup(reacher, **O2)
    seen = [env.reset(seed=seed)[0] for seed in range(20)]
    angles = [np.arctan2(each[2], each[0]) for each in seen]
    assert np.ptp(angles) > 3  # the arm always begins along x, within 0.1 rad


def test_a_matrix_chooses_the_element(reacher: gym.Env[np.ndarray, np.ndarray]) -> None:
    plain = reacher.reset(seed=1)[0].copy()
    env = TransformByGroup(reacher, element=[[0.0, -1.0], [1.0, 0.0]], **O2)
    seen = env.reset(seed=1)[0]
    np.testing.assert_allclose(seen[[0, 2]], [-plain[2], plain[0]])
    np.testing.assert_allclose(seen[[4, 5]], [-plain[5], plain[4]])
    assert Perturbation(element=np.eye(2).tolist(), **O2).magnitude() == 0
    with pytest.raises(SymbenchError, match=r"O\(2\) has no element"):
        Perturbation(element=[[2.0, 0.0], [0.0, 1.0]], **O2)
    with pytest.raises(TypeError, match=r"an element of O\(2\) is a matrix"):
        Perturbation(element="a", **O2)


def test_the_wrapper_kit_passes_in_every_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CATALOGUE", dict(CATALOGUE))
    group = special_orthogonal(2)
    turned = GeometricRepresentation(group, 3, vectors=[(0, 1)])  # no symmetry of Pendulum, but that is not asked
    register_symmetry("Pendulum-v1", SymmetryPair(turned, Invariant(group), name="turned"))
    check_wrapper(
        TransformByGroup,
        lambda: gym.make("Pendulum-v1"),
        vector_class=vector.TransformByGroup,
        vec_env_class=sb3.TransformByGroup,
        symmetry="Pendulum-v1",
        variant="turned",
    )


def test_the_declared_group_is_continuous() -> None:
    assert not symmetry_of(O2["symmetry"], O2["variant"]).group.is_finite
