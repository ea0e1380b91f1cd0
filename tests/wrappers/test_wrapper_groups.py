"""What a symmetry group does to an episode: nothing, to an agent that is equivariant; much, to one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.symmetry import (
    ActionPermutation,
    Centred,
    Representation,
    SymmetryPair,
    cyclic,
    register_symmetry,
    signed_permutation,
    standard_2d,
    symmetry_of,
)
from symbench.symmetry.catalogue import registry
from symbench.wrappers import TransformByGroup, vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Policy = Callable[[NDArray[Any]], Any]

VECTOR_ENVS = ["CartPole-v1", "Acrobot-v1", "Pendulum-v1", "MountainCar-v0"]


def equivariant(env_id: str, seed: int) -> Policy:
    """A random policy, averaged over the group: K_g pi(s) = pi(L_g s)."""
    pair = symmetry_of(env_id)
    actions = pair.action.vectors if isinstance(pair.action, ActionPermutation) else pair.action
    assert isinstance(actions, Representation)
    rng, sensors = np.random.default_rng(seed), (gym.make(env_id).observation_space.shape or ())[0]
    weights, bend = rng.standard_normal((actions.dim, sensors)), rng.standard_normal((sensors, sensors))

    def act(observation: NDArray[Any]) -> Any:
        seen = observation[None].astype(np.float64)
        votes = [
            actions.undo(g, np.tanh(pair.observation.apply(g, seen) @ bend.T) @ weights.T)[0]
            for g in pair.group.elements
        ]
        answer = np.mean(votes, axis=0)
        return int(answer.argmax()) if isinstance(pair.action, ActionPermutation) else answer.astype(np.float32)

    return act


def plain(pair: SymmetryPair) -> Policy:
    """A policy that is not equivariant: it always pushes to one side."""
    return (lambda seen: 0) if isinstance(pair.action, ActionPermutation) else (lambda seen: np.float32([1.0]))


def rewards_of(env: gym.Env[Any, Any], policy: Policy, steps: int = 120) -> list[float]:
    """The rewards of an episode of one seed."""
    observation, _ = env.reset(seed=3)
    rewards, over = [], False
    while not over and len(rewards) < steps:
        observation, reward, terminated, truncated, _ = env.step(policy(observation))
        rewards.append(float(reward))
        over = terminated or truncated
    return rewards


def states_of(env: gym.Env[Any, Any], policy: Policy, steps: int = 120) -> NDArray[Any]:
    """The simulator's states in an episode of one seed."""
    states = []

    class Watch(gym.Wrapper[Any, Any, Any, Any]):
        def step(self, action: Any) -> Any:
            result = self.env.step(action)
            states.append(np.array(self.unwrapped.state))  # type: ignore[attr-defined]
            return result

    rewards_of(Watch(env), policy, steps)
    return np.array(states)


@pytest.mark.parametrize("resample", ["episode", "step", 7])
@pytest.mark.parametrize("env_id", VECTOR_ENVS)
def test_an_equivariant_policy_plays_the_same_episode_in_any_environment(env_id: str, resample: Any) -> None:
    """Symmetric or not (MountainCar is not): section 9.1's identity needs the policy's symmetry only."""
    for seed in range(3):
        policy = equivariant(env_id, seed)
        bare = states_of(gym.make(env_id), policy)
        transformed = states_of(TransformByGroup(gym.make(env_id), symmetry=env_id, resample=resample), policy)
        np.testing.assert_allclose(transformed, bare, atol=1e-6)


@pytest.mark.parametrize("env_id", VECTOR_ENVS)
def test_a_policy_that_is_not_equivariant_plays_another_episode(env_id: str) -> None:
    policy = plain(symmetry_of(env_id))
    bare = states_of(gym.make(env_id), policy)
    transformed = states_of(TransformByGroup(gym.make(env_id), symmetry=env_id, element=1), policy)
    assert bare.shape != transformed.shape or np.abs(bare - transformed).max() > 1e-3


def test_every_element_is_undone_by_its_inverse() -> None:
    env = TransformByGroup(
        TransformByGroup(gym.make("CartPole-v1"), symmetry="CartPole-v1", element=1),
        symmetry="CartPole-v1",
        element=1,
    )
    policy = plain(symmetry_of("CartPole-v1"))
    np.testing.assert_array_equal(states_of(env, policy), states_of(gym.make("CartPole-v1"), policy))


def test_the_action_is_taken_back_by_the_element_that_was_shown() -> None:
    """With a new element at every step, the action belongs to the observation it answers, not to the next one."""
    envs = vector.TransformByGroup(gym.make_vec("CartPole-v1", 8), symmetry="CartPole-v1", resample="step")
    told = []
    inner = envs.env.step
    envs.env.step = lambda actions: (told.append(np.array(actions)), inner(actions))[1]  # type: ignore[method-assign]
    envs.reset(seed=0)
    for _ in range(20):
        shown = envs.transform._drawn.copy()
        envs.step(np.zeros(8, dtype=np.int64))
        np.testing.assert_array_equal(told[-1], shown)  # C2: action 0 becomes 1 under the flip


def test_a_given_element_is_drawn_once_and_not_again_and_again() -> None:
    for resample in ("episode", "step", 25):
        env = TransformByGroup(gym.make("CartPole-v1"), symmetry="CartPole-v1", element=1, resample=resample)
        assert env.transform.interval is None


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"symmetry": "CartPole-v2"}, "unknown environment 'CartPole-v2'.*did you mean 'CartPole-v1'"),
        ({"symmetry": "CartPole-v1", "element": 2}, "element must be between 0 and 1, received 2"),
        ({"symmetry": "CartPole-v1", "variant": "turn"}, "unknown symmetry 'turn' of CartPole-v1"),
        ({"symmetry": "Acrobot-v1"}, "the symmetry of Acrobot-v1 does not fit this environment: observation: acts on"),
        ({"symmetry": "CartPole-v1", "resample": "often"}, "resample must be"),
        ({"symmetry": "CartPole-v1", "severity": 1, "element": 1}, "severity=1 sets element"),
    ],
)
def test_mistakes_are_said_in_one_line(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(SymbenchError, match=said):
        TransformByGroup(gym.make("CartPole-v1"), **parameters)


TURNS = standard_2d(cyclic(3))
MIRROR = signed_permutation(cyclic(2), signs=[[-1, 1]])


@pytest.mark.parametrize(
    ("representation", "space", "fits"),
    [
        (TURNS, gym.spaces.Box(-9, 9, (2,), np.int8), False),  # turned by matrices of whole numbers
        (TURNS, gym.spaces.Box(-9, 9, (2,), np.float32), True),
        (MIRROR, gym.spaces.Box(-9, 9, (2,), np.int8), True),
        (MIRROR, gym.spaces.Box(-128, 9, (2,), np.int8), False),  # there is no 128
        (MIRROR, gym.spaces.Box(0, 9, (2,), np.uint8), False),
        (MIRROR, gym.spaces.Box(-9, 9, (2,), np.float16), True),
        (Centred(MIRROR, [0.25, 0.0]), gym.spaces.Box(-9, 9, (2,), np.int8), False),
    ],
)
def test_whole_numbers_are_refused_where_a_group_makes_others_of_them(
    representation: Any, space: gym.spaces.Box, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Numbers(gym.Env[Any, Any]):
        observation_space = space
        action_space = gym.spaces.Discrete(representation.group.order)

        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            return space.sample(), {}

    count = representation.group.order
    pair = SymmetryPair(representation, ActionPermutation(representation.group, [np.roll(np.arange(count), 1)]))
    monkeypatch.setattr(registry, "CATALOGUE", dict(registry.CATALOGUE))
    register_symmetry("symbench-tests/Numbers", pair)
    if not fits:
        with pytest.raises(SymbenchError, match=f"observation: makes numbers that dtype {space.dtype} cannot hold"):
            TransformByGroup(Numbers(), symmetry="symbench-tests/Numbers")
        return
    env = TransformByGroup(Numbers(), symmetry="symbench-tests/Numbers")
    seen = [env.reset(seed=seed)[0] for seed in range(9)]
    assert all(env.observation_space.contains(one) and one.dtype == space.dtype for one in seen)
