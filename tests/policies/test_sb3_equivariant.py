"""Equivariant SB3 policies commute with their groups after training, and come back from files as they were."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy

from symbench.errors import SymbenchError
from symbench.policies import (
    EquivariantActorCriticPolicy,
    EquivariantQPolicy,
    EquivariantSACPolicy,
    NetworkAgent,
    actor_network,
)
from symbench.policies.equivariant import action_of, group_named, symmetry_data, vectors_of
from symbench.policies.sb3.equivariant_layers import TiedLogStd
from symbench.symmetry import cyclic, signed_permutation, standard_2d, trivial_representation
from symbench.symmetry.catalogue import symmetry_of
from symbench.wrappers import TransformByGroup

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"n_steps": 32, "batch_size": 32, "n_epochs": 1}
STARTS = {"learning_starts": 20, "buffer_size": 200}
MODELS: dict[str, tuple[Any, Any, str, dict[str, Any]]] = {
    "ppo": (PPO, EquivariantActorCriticPolicy, "CartPole-v1", SMALL),
    "ppo continuous": (PPO, EquivariantActorCriticPolicy, "Pendulum-v1", SMALL),
    "a2c": (A2C, EquivariantActorCriticPolicy, "Acrobot-v1", {"n_steps": 16}),
    "dqn": (DQN, EquivariantQPolicy, "CartPole-v1", STARTS),
    "sac": (SAC, EquivariantSACPolicy, "Pendulum-v1", STARTS),
}
WALKER = {
    "group": "C2",
    "observation": {"orders": [[0, 2, 1]]},
    "action": {"orders": [[2, 3, 0, 1, 4]], "signs": [[1, -1, 1, -1, -1]]},
}
WALKER_SPACES = (spaces.Box(-np.inf, np.inf, (3,)), spaces.Box(-1, 1, (5,)))
TURNS = {"group": "C4", "observation": {"moves": ["turn"]}, "action": {"maps": [[0, 2, 3, 4, 1]]}}
FRAMES = spaces.Box(0, 255, (1, 21, 21), np.uint8)
CONV = {"features_extractor_kwargs": {"conv": [[4, 7, 2], [8, 5, 1]]}}


def trained(name: str, **policy_kwargs: Any) -> Any:
    algorithm, policy, env_id, kwargs = MODELS[name]
    options = {"symmetry": env_id, **policy_kwargs}
    model = algorithm(policy, gym.make(env_id), seed=0, device="cpu", policy_kwargs=options, **deepcopy(kwargs))
    return model.learn(40)


def built(policy: Any, symmetry: dict[str, Any], observation: Any, action: Any, **kwargs: Any) -> Any:
    return policy(observation, action, lambda _: 1e-3, symmetry=symmetry, **kwargs)


def rows(space: spaces.Space[Any], size: int = 6) -> np.ndarray:
    rng = np.random.default_rng(0)
    if space.dtype == np.uint8:
        return rng.integers(256, size=(size, *(space.shape or ())), dtype=np.uint8)
    return rng.normal(size=(size, *(space.shape or ())))


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """SB3 computes features in float32, whatever the weights are."""
    monkeypatch.setattr("stable_baselines3.common.policies.preprocess_obs", lambda observations, *_, **__: observations)


def check(policy: Any, tolerance: float = 1e-10) -> None:
    """Assert in float64 that actor and critic commute with every element."""
    policy = policy.double().eval()
    symmetry = policy.symmetry
    group = group_named(symmetry["group"])
    observation, action = action_of(group, symmetry["observation"]), action_of(group, symmetry["action"])
    if "moves" in symmetry["observation"]:
        observation.axes = (2, 3)
    batch, rep = rows(policy.observation_space).astype(np.float64), vectors_of(action)
    for g in group.elements:
        pair = torch.tensor(batch), torch.tensor(observation.apply(g, batch))
        k = torch.tensor(rep.matrices[g])
        with torch.no_grad():
            for first, second, moved in outputs(policy, *pair, k):
                expected = first @ k.abs().T if moved == "size" else first @ k.T if moved else first
                assert (second - expected).abs().max() < tolerance


def outputs(policy: Any, batch: torch.Tensor, moved: torch.Tensor, k: torch.Tensor) -> list[Any]:
    """What is computed of a batch and of the moved batch, and how it should move."""
    if isinstance(policy, ActorCriticPolicy):
        first, second = (policy.get_distribution(each).distribution for each in (batch, moved))
        names = [("logits", True)] if hasattr(first, "logits") else [("mean", True), ("stddev", "size")]
        found = [(deepcopy(getattr(first, name)), getattr(second, name), how) for name, how in names]
        return [*found, (policy.predict_values(batch), policy.predict_values(moved), False)]
    if isinstance(policy, DQNPolicy):
        return [(policy.q_net(batch), policy.q_net(moved), True)]
    assert isinstance(policy, SACPolicy)
    (mean, log_std, _), (moved_mean, moved_log_std, _) = map(policy.actor.get_action_dist_params, (batch, moved))
    actions = torch.rand(len(batch), len(k), dtype=torch.float64) * 2 - 1
    values = zip(policy.critic(batch, actions), policy.critic(moved, actions @ k.T), strict=True)
    one = [(policy.critic.q1_forward(batch, actions), policy.critic.q1_forward(moved, actions @ k.T), False)]
    found = [(first, second, False) for first, second in values]
    return [(mean, moved_mean, True), (log_std, moved_log_std, "size"), *found, *one]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", MODELS)
def test_trained_models_commute(name: str) -> None:
    check(trained(name).policy)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("name", MODELS)
def test_models_of_another_arm_do_not(name: str) -> None:
    with pytest.raises(AssertionError):
        check(trained(name, layer_kwargs={"basis": "random"}).policy, 1e-3)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("policy", [EquivariantActorCriticPolicy, EquivariantSACPolicy])
def test_several_actions_commute(policy: Any) -> None:
    check(built(policy, WALKER, *WALKER_SPACES))


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("policy", [EquivariantActorCriticPolicy, EquivariantQPolicy])
def test_policies_of_frames_commute(policy: Any) -> None:
    network = built(policy, TURNS, FRAMES, spaces.Discrete(5), **CONV)
    check(network)
    assert not hasattr(network, "log_std")


@pytest.mark.usefixtures("exact")
def test_log_probabilities_do_not_change() -> None:
    """What PPO's ratio is made of: log pi(K_g a | L_g s) = log pi(a | s)."""
    policy = built(EquivariantActorCriticPolicy, WALKER, *WALKER_SPACES, log_std_init=-1.0).double()
    policy.tied_log_std.values.data = torch.tensor([-1.0, 0.3, -0.5], dtype=torch.float64)
    observations, actions = torch.tensor(rows(WALKER_SPACES[0])), torch.randn(6, 5, dtype=torch.float64)
    group = group_named("C2")
    moved, moved_actions = (
        torch.tensor(action_of(group, WALKER[part]).apply(1, values.numpy()))
        for part, values in (("observation", observations), ("action", actions))
    )
    value, log_prob, entropy = policy.evaluate_actions(observations, actions)
    for first, second in zip((value, log_prob, entropy), policy.evaluate_actions(moved, moved_actions), strict=True):
        torch.testing.assert_close(first, second)


def test_deviations_are_tied_where_the_group_mixes() -> None:
    walker = action_of(group_named("C2"), WALKER["action"])
    assert TiedLogStd(walker, -0.5).orbits.tolist() == [0, 1, 0, 1, 2]
    assert TiedLogStd(trivial_representation(cyclic(2), 3), 0.0).orbits.tolist() == [0, 1, 2]
    assert TiedLogStd(signed_permutation(cyclic(2), signs=[[-1, 1]]), 0.0).orbits.tolist() == [0, 1]
    turned = standard_2d(cyclic(5)) + trivial_representation(cyclic(5))
    assert TiedLogStd(turned, 0.0).orbits.tolist() == [0, 0, 1]
    policy = built(EquivariantActorCriticPolicy, WALKER, *WALKER_SPACES, log_std_init=-0.5)
    assert policy.log_std.shape == (5,) and policy.tied_log_std.values.tolist() == [-0.5] * 3
    assert any(parameter is policy.tied_log_std.values for parameter in policy.optimizer.param_groups[0]["params"])


@pytest.mark.parametrize("name", MODELS)
def test_models_and_policies_survive_saving(name: str, tmp_path: Path) -> None:
    model = trained(name, net_arch=[8, 4])
    batch = rows(model.observation_space).astype(np.float32)
    expected, _ = model.predict(batch, deterministic=True)
    model.save(tmp_path / "model")
    loaded = MODELS[name][0].load(tmp_path / "model", device="cpu")
    np.testing.assert_array_equal(loaded.predict(batch, deterministic=True)[0], expected)
    model.policy.save(tmp_path / "policy")
    policy = MODELS[name][1].load(tmp_path / "policy", device="cpu")
    np.testing.assert_array_equal(policy.predict(batch, deterministic=True)[0], expected)
    assert policy.symmetry == symmetry_data(MODELS[name][2])  # data, not a name that may change its meaning


@pytest.mark.parametrize("name", MODELS)
def test_the_actor_without_sb3_acts_the_same(name: str) -> None:
    model = trained(name)
    agent = NetworkAgent(actor_network(model), "exported")
    assert agent.incompatibility(model.observation_space, model.action_space) is None
    batch = rows(model.observation_space).astype(np.float32)
    agent.reset(len(batch))
    expected, _ = model.predict(batch, deterministic=True)
    np.testing.assert_allclose(agent.act(batch), expected, atol=1e-5)


def test_the_actor_of_frames_acts_the_same() -> None:
    policy = built(EquivariantActorCriticPolicy, TURNS, FRAMES, spaces.Discrete(5), net_arch=[8], **CONV)
    network, batch = actor_network(policy), rows(FRAMES)
    with torch.no_grad():
        found, _ = network(torch.tensor(batch.transpose(0, 2, 3, 1)), ())
        expected = policy.get_distribution(torch.tensor(batch)).distribution.logits
    torch.testing.assert_close(torch.log_softmax(found, 1), expected)


def episode(env: Any, agent: NetworkAgent, steps: int = 60) -> list[float]:
    observation, _ = env.reset(seed=0)
    agent.reset()
    rewards = []
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return rewards


@pytest.mark.parametrize("name", ["ppo", "sac", "dqn"])
def test_a_transformed_environment_is_played_alike(name: str) -> None:
    """The sharpest test of a policy from end to end, and one that needs no symmetry of the environment."""
    _, _, env_id, _ = MODELS[name]
    agent = NetworkAgent(actor_network(trained(name)), name, dtype=torch.float64)
    plain = episode(gym.make(env_id), agent)
    transformed = episode(TransformByGroup(gym.make(env_id), symmetry=env_id, element=1), agent)
    assert len(plain) > 5
    np.testing.assert_allclose(transformed, plain, atol=1e-4)


def test_mistakes_are_named() -> None:
    pole = gym.make("CartPole-v1")
    with pytest.raises(SymbenchError, match="use_sde=True is not equivariant"):
        PPO(
            EquivariantActorCriticPolicy,
            gym.make("Pendulum-v1"),
            use_sde=True,
            policy_kwargs={"symmetry": "Pendulum-v1"},
        )
    with pytest.raises(SymbenchError, match="fit the observations: acts on a Box of 3"):
        PPO(EquivariantActorCriticPolicy, pole, policy_kwargs={"symmetry": "Pendulum-v1"})
    with pytest.raises(SymbenchError, match="did you mean"):
        DQN(EquivariantQPolicy, pole, policy_kwargs={"symmetry": "CartPole-v2"})
    with pytest.raises(SymbenchError, match="received GELU"):
        options = {"symmetry": "CartPole-v1", "activation_fn": torch.nn.GELU}
        DQN(EquivariantQPolicy, pole, policy_kwargs=options)
    with pytest.raises(SymbenchError, match="group, observation and action"):
        PPO(EquivariantActorCriticPolicy, pole, policy_kwargs={"symmetry": {"group": "C2"}})
    uneven = {**WALKER, "action": {"signs": [[-1] * 5]}}
    with pytest.raises(SymbenchError, match="bounds"):
        built(EquivariantSACPolicy, uneven, WALKER_SPACES[0], spaces.Box(0, 1, (5,)))
    with pytest.raises(SymbenchError, match="received 21"):
        conv = {"features_extractor_kwargs": {"conv": [[4, 6, 2]]}}
        built(EquivariantQPolicy, TURNS, FRAMES, spaces.Discrete(5), **conv)


def test_the_catalogue_is_what_a_name_means() -> None:
    by_name = built(EquivariantQPolicy, "CartPole-v1", spaces.Box(-1, 1, (4,)), spaces.Discrete(2))
    by_pair = built(EquivariantQPolicy, symmetry_of("CartPole-v1"), spaces.Box(-1, 1, (4,)), spaces.Discrete(2))
    assert by_name.symmetry == by_pair.symmetry
