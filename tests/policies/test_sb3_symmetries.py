"""Symmetries that are averaged, sorted out or learned: each is exact where it says so, and told from what is not."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import QRDQN, TRPO, MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from symbench.errors import SymbenchError
from symbench.policies import (
    CanonicalPolicy,
    NetworkActorCriticPolicy,
    SymmetricPPO,
    SymmetricReplayBuffer,
    SymmetrizedPolicy,
)
from symbench.policies.equivariant import (
    EMLP,
    BasisLinear,
    GroupConv2d,
    action_of,
    free_part,
    group_named,
    symmetry_data,
)
from symbench.policies.sb3.symmetrised import vectors_of_policy
from symbench.symmetry import Representation, cyclic, dihedral, regular, standard_2d, trivial_representation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = {"n_steps": 32, "batch_size": 32, "n_epochs": 1, "device": "cpu", "seed": 0}
STARTS = {"learning_starts": 20, "buffer_size": 200, "device": "cpu", "seed": 0}
PLAIN: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "ppo": (PPO, "CartPole-v1", SMALL),
    "ppo continuous": (PPO, "Pendulum-v1", SMALL),
    "dqn": (DQN, "Acrobot-v1", STARTS),
    "qrdqn": (QRDQN, "CartPole-v1", STARTS),
    "maskable ppo": (MaskablePPO, "CartPole-v1", SMALL),
    "trpo": (TRPO, "CartPole-v1", {name: value for name, value in SMALL.items() if name != "n_epochs"}),
    "sac": (SAC, "Pendulum-v1", STARTS),
}
TURNS = {"group": "C4", "observation": {"moves": ["turn"]}, "action": {"maps": [[0, 2, 3, 4, 1]]}}


def trained(name: str) -> Any:
    algorithm, env_id, kwargs = PLAIN[name]
    unmasked = {"use_masking": False} if algorithm is MaskablePPO else {}
    return rough(algorithm("MlpPolicy", gym.make(env_id), **deepcopy(kwargs)).learn(40, **unmasked))


def rough(model: Any) -> Any:
    """With weights that are far from any symmetry: SB3's tanh networks begin as odd functions, without biases."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.policy.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return model


def parts(env_id: str) -> tuple[Any, Any]:
    data = symmetry_data(env_id)
    group = group_named(data["group"])
    return action_of(group, data["observation"]), action_of(group, data["action"])


def rows(size: int, dim: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(size, dim)).astype(np.float32)


@pytest.mark.parametrize("wrapper", [SymmetrizedPolicy, CanonicalPolicy])
@pytest.mark.parametrize("name", PLAIN)
def test_wrapped_policies_are_equivariant_and_plain_ones_are_not(name: str, wrapper: Any) -> None:
    model, env_id = trained(name), PLAIN[name][1]
    observation, action = parts(env_id)
    batch = rows(200, model.observation_space.shape[0])
    moved = observation.apply(1, batch)

    def error(policy: Any) -> float:
        here, there = (policy.predict(each, deterministic=True)[0] for each in (batch, moved))
        return float(np.abs(action.apply(1, here) - there).max())

    assert error(model) > 1e-2
    assert error(wrapper(model, env_id)) < 1e-5


@pytest.mark.parametrize("name", PLAIN)
def test_the_mean_is_that_of_the_definition(name: str) -> None:
    model, env_id = trained(name), PLAIN[name][1]
    observation, action = parts(env_id)
    rep = getattr(action, "vectors", action)
    batch = rows(6, model.observation_space.shape[0])
    with torch.no_grad():
        terms = [
            rep.undo(g, vectors_of_policy(model.policy, torch.tensor(observation.apply(g, batch))).numpy())
            for g in action.group.elements
        ]
        found = SymmetrizedPolicy(model, env_id).scores(torch.tensor(batch))
    np.testing.assert_allclose(found.numpy(), np.mean(terms, axis=0), atol=1e-6)


@pytest.mark.parametrize("wrapper", [SymmetrizedPolicy, CanonicalPolicy])
def test_a_policy_that_remembers_is_refused(wrapper: Any) -> None:
    model = RecurrentPPO("MlpLstmPolicy", "CartPole-v1", **SMALL)
    with pytest.raises(SymbenchError, match="a recurrent policy remembers"):
        wrapper(model, "CartPole-v1")


def test_an_equivariant_policy_is_its_own_mean() -> None:
    options = {"network": {"symmetry": "CartPole-v1"}}
    policy = PPO(NetworkActorCriticPolicy, "CartPole-v1", policy_kwargs=options, **SMALL).policy
    batch = torch.tensor(rows(6, 4))
    with torch.no_grad():
        for wrapper in (SymmetrizedPolicy, CanonicalPolicy):
            wrapped = wrapper(policy, "CartPole-v1")
            assert torch.equal(wrapped._predict(batch, True), policy._predict(batch, True))
        torch.testing.assert_close(
            SymmetrizedPolicy(policy, "CartPole-v1").scores(batch), vectors_of_policy(policy, batch)
        )


def test_drawn_actions_come_from_the_mean() -> None:
    model = trained("ppo")
    policy, one = SymmetrizedPolicy(model, "CartPole-v1"), torch.tensor(rows(1, 4))
    with torch.no_grad():
        drawn = policy._predict(one.expand(20_000, 4)).float().mean()
        expected, plain = policy.scores(one)[0, 1], vectors_of_policy(model.policy, one)[0, 1]
    assert abs(drawn - expected) < 0.02
    assert abs(expected - plain) > 0.05


def test_representatives_are_the_same_for_a_whole_orbit() -> None:
    model = DQN("CnnPolicy", FramesEnv(), **STARTS)
    policy = CanonicalPolicy(model, TURNS)
    batch = torch.randint(0, 2, (20, 1, 36, 36), dtype=torch.uint8)

    def representatives(frames: torch.Tensor) -> torch.Tensor:
        return policy.moves.observations(policy.elements(frames), frames)

    for k in range(4):
        assert torch.equal(representatives(torch.rot90(batch, k, (2, 3)).contiguous()), representatives(batch))
    assert len(set(policy.elements(batch).tolist())) == 4


class FramesEnv(gym.Env):
    """Noise in frames of 36x36 pixels, five actions."""

    observation_space = spaces.Box(0, 255, (36, 36, 1), np.uint8)
    action_space = spaces.Discrete(5)

    def reset(self, **kwargs: Any) -> Any:
        super().reset(seed=kwargs.get("seed"))
        return self.observe(), {}

    def step(self, action: Any) -> Any:
        return self.observe(), 0.0, False, False, {}

    def observe(self) -> np.ndarray:
        return self.np_random.integers(256, size=(36, 36, 1), dtype=np.uint8)


def test_wrapped_policies_are_evaluated_by_sb3() -> None:
    env = Monitor(gym.make("CartPole-v1"))
    mean, _ = evaluate_policy(SymmetrizedPolicy(trained("ppo"), "CartPole-v1"), env, n_eval_episodes=2)
    assert mean >= 1


def filled(symmetry: Any, env_id: str, **kwargs: Any) -> tuple[SymmetricReplayBuffer, gym.Env]:
    env = gym.make(env_id)
    buffer = SymmetricReplayBuffer(
        64, env.observation_space, env.action_space, device="cpu", symmetry=symmetry, **kwargs
    )
    rng, dim = np.random.default_rng(0), env.observation_space.shape[0]
    env.action_space.seed(0)
    for i in range(64):
        before, after = rng.normal(size=(2, 1, dim)).astype(np.float32)
        action = np.atleast_1d(env.action_space.sample())[None]
        buffer.add(before, after, action, np.array([float(i)]), np.array([i % 2]), [{}])
    return buffer, env


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_sampled_transitions_are_transformed_as_wholes(env_id: str) -> None:
    buffer, _ = filled(env_id, env_id)
    observation, action = parts(env_id)
    samples, seen = buffer.sample(500), set()
    for i in range(500):
        row = int(samples.rewards[i])  # rewards name the transition and are not transformed
        original = buffer.observations[row], buffer.next_observations[row], buffer.actions[row]
        matches = [
            g
            for g in observation.group.elements
            if np.allclose(observation.apply(g, original[0]), samples.observations[i])
            and np.allclose(observation.apply(g, original[1]), samples.next_observations[i])
            and np.allclose(
                np.ravel(action.apply(g, original[2].reshape(1, -1)[:, 0] if env_id == "CartPole-v1" else original[2])),
                samples.actions[i],
            )
        ]
        assert len(matches) == 1
        assert int(samples.dones[i]) == row % 2
        seen.add((row, matches[0]))
    assert {g for _, g in seen} == {0, 1}
    assert samples.actions.dtype == torch.tensor(buffer.actions).dtype


@contextmanager
def sb3_draws_alike() -> Iterator[None]:
    """Inside the block SB3 draws from one seed of numpy's global stream; afterwards that is as it was."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def test_the_buffer_has_a_stream_of_its_own() -> None:
    def draws(seed: int) -> torch.Tensor:
        buffer, _ = filled("CartPole-v1", "CartPole-v1", seed=seed)
        with sb3_draws_alike():
            return buffer.sample(64).observations

    assert torch.equal(draws(1), draws(1))
    assert not torch.equal(draws(1), draws(2))


def test_statistics_are_applied_after_the_transformation() -> None:
    buffer, env = filled("CartPole-v1", "CartPole-v1")
    normaliser = VecNormalize(DummyVecEnv([lambda: env]))
    normaliser.obs_rms.mean[:] = [1.0, 2.0, 3.0, 4.0]
    with sb3_draws_alike():
        plain = buffer.sample(32).observations
    buffer.rng = np.random.default_rng(0)
    buffer, _ = filled("CartPole-v1", "CartPole-v1")
    with sb3_draws_alike():
        normalised = buffer.sample(32, normaliser).observations
    np.testing.assert_allclose(normalised, normaliser.normalize_obs(plain.numpy()))


@pytest.mark.parametrize(("algorithm", "env_id"), [(DQN, "CartPole-v1"), (SAC, "Pendulum-v1")])
def test_off_policy_algorithms_train_with_it(algorithm: Any, env_id: str, tmp_path: Path) -> None:
    options = {"replay_buffer_class": SymmetricReplayBuffer, "replay_buffer_kwargs": {"symmetry": env_id}}
    model = algorithm("MlpPolicy", env_id, **options, **STARTS).learn(40)
    model.save(tmp_path / "model")
    algorithm.load(tmp_path / "model", env=gym.make(env_id), device="cpu").learn(30)


def test_without_further_losses_it_is_ppo() -> None:
    options = {"n_steps": 64, "batch_size": 32, "n_epochs": 3, "device": "cpu", "seed": 0, "clip_range_vf": 0.1}
    ours, theirs = (kind("MlpPolicy", "CartPole-v1", **options).learn(192) for kind in (SymmetricPPO, PPO))
    for first, second in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(first, second)
    assert ours._n_updates == theirs._n_updates


def test_the_target_divergence_stops_an_update() -> None:
    options = {"n_steps": 64, "batch_size": 32, "n_epochs": 9, "device": "cpu", "seed": 0, "target_kl": 1e-5}
    ours, theirs = (kind("MlpPolicy", "CartPole-v1", **options).learn(64) for kind in (SymmetricPPO, PPO))
    for first, second in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("loss", ["drac", "mirror"])
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_losses_measure_what_is_broken(env_id: str, loss: str) -> None:
    plain = rough(SymmetricPPO("MlpPolicy", env_id, symmetry=env_id, symmetry_loss=loss, **SMALL))
    options = {"network": {"symmetry": env_id}}
    exact = SymmetricPPO(
        NetworkActorCriticPolicy, env_id, symmetry=env_id, symmetry_loss=loss, policy_kwargs=options, **SMALL
    )
    batch = torch.tensor(rows(64, plain.observation_space.shape[0]))
    before = plain._asymmetry(batch).detach()
    assert exact._asymmetry(batch) < 1e-6 < 1e-2 < before
    optimizer = torch.optim.Adam(plain.policy.parameters(), 3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        plain._asymmetry(batch).backward()
        optimizer.step()
    assert plain._asymmetry(batch) < 0.3 * before


def test_a_model_with_losses_trains_and_comes_back(tmp_path: Path) -> None:
    model = SymmetricPPO("MlpPolicy", "Pendulum-v1", symmetry="Pendulum-v1", symmetry_coef=0.5, **SMALL).learn(64)
    model.save(tmp_path / "model")
    loaded = SymmetricPPO.load(tmp_path / "model", env=gym.make("Pendulum-v1"), device="cpu")
    assert (loaded.symmetry, loaded.symmetry_coef, loaded.symmetry_loss) == ("Pendulum-v1", 0.5, "drac")
    batch = rows(6, 3)
    np.testing.assert_array_equal(
        loaded.predict(batch, deterministic=True)[0], model.predict(batch, deterministic=True)[0]
    )
    loaded.learn(32)


def act(rep: Representation, g: int, features: torch.Tensor) -> torch.Tensor:
    return features @ torch.tensor(rep.matrices[g], dtype=features.dtype).T


def test_soft_layers_begin_equivariant_and_may_leave() -> None:
    reg = regular(cyclic(4))
    layer = BasisLinear(3, 2, reg, reg, basis="soft").double()
    assert len(layer.coefficients) == 16 and layer.free() == 0
    features = torch.randn(5, 3, 4, dtype=torch.float64)
    torch.testing.assert_close(layer(act(reg, 1, features)), act(reg, 1, layer(features)))
    layer.coefficients.data[4:] = 1.0
    layer.bias.data[1:] = 2.0
    assert layer.free() == 12 * 6 + 4 * 3 * 2
    assert not torch.allclose(layer(act(reg, 1, features)), act(reg, 1, layer(features)), atol=1e-2)
    assert (BasisLinear(3, 2, reg, reg).free(), BasisLinear(3, 2, reg, reg, basis="random").free()) == (0, 0)


def test_soft_convolutions_begin_equivariant_and_may_leave() -> None:
    layer = GroupConv2d(cyclic(4), ["turn"], 2, 3, 3, basis="soft").double()
    assert layer.coefficients.shape == (3, 2, 16 * 9) and layer.free() == 0
    assert free_part(torch.nn.Sequential(layer, torch.nn.ReLU())) == 0
    features = torch.randn(2, 2, 4, 5, 5, dtype=torch.float64)

    def turned(values: torch.Tensor) -> torch.Tensor:
        return torch.rot90(values, 1, (3, 4)).roll(1, 2)

    torch.testing.assert_close(layer(turned(features)), turned(layer(features)))
    layer.coefficients.data[..., 36:] = 0.1
    assert float(layer.free().detach()) == pytest.approx(0.01 * 6 * 108)
    assert not torch.allclose(layer(turned(features)), turned(layer(features)), atol=1e-2)


def test_a_prior_keeps_soft_policies_near_the_symmetry() -> None:
    def free(coefficient: float) -> float:
        soft = {"symmetry": "CartPole-v1", "basis": "soft", "hidden": [8]}
        options = {"network": soft, "critic": [8]}
        settings = {"n_steps": 256, "batch_size": 64, "device": "cpu", "seed": 0, "learning_rate": 1e-2}
        model = SymmetricPPO(
            NetworkActorCriticPolicy, "CartPole-v1", free_coef=coefficient, policy_kwargs=options, **settings
        ).learn(512)
        return float(free_part(model.policy).detach())

    none, strong = free(0.0), free(100.0)
    assert 0 < strong < 0.1 * none


@pytest.mark.parametrize("nonlinearity", ["gated", "norm"])
@pytest.mark.parametrize("group", [cyclic(5), dihedral(3)], ids=lambda group: group.name)
def test_an_emlp_commutes_through_any_representation(group: Any, nonlinearity: str) -> None:
    turn, one = standard_2d(group), trivial_representation(group)
    hidden = turn + one + turn @ turn
    net = EMLP(turn + one, turn, hidden, [8, 8], nonlinearity).double()
    for parameter in net.parameters():
        parameter.data = torch.randn_like(parameter)
    values = torch.randn(7, 3, dtype=torch.float64)
    for g in group.elements:
        error = net(act(turn + one, g, values)) - act(turn, g, net(values))
        assert error.abs().max() < 1e-10 * net(values).abs().max()


def test_relu_would_break_it() -> None:
    turn = standard_2d(cyclic(5))
    net = torch.nn.Sequential(BasisLinear(1, 8, turn, turn), torch.nn.ReLU(), BasisLinear(8, 1, turn, turn))
    values = torch.randn(7, 1, 2)
    assert not torch.allclose(net(act(turn, 1, values)), act(turn, 1, net(values)), atol=1e-2)


def test_mistakes_are_named() -> None:
    with pytest.raises(SymbenchError, match="unknown symmetry loss 'miror'; did you mean 'mirror'"):
        SymmetricPPO("MlpPolicy", "CartPole-v1", symmetry="CartPole-v1", symmetry_loss="miror")
    with pytest.raises(SymbenchError, match="fit the observations"):
        SymmetrizedPolicy(trained("ppo"), {**symmetry_data("CartPole-v1"), "observation": {"dim": 3}})
    with pytest.raises(SymbenchError, match="fit the actions"):
        SymmetrizedPolicy(trained("ppo"), "Pendulum-v1")
    with pytest.raises(SymbenchError, match="unknown nonlinearity 'relu'"):
        EMLP(*[standard_2d(cyclic(5))] * 3, nonlinearity="relu")
    skew = np.array([[1.0, 1.0], [0.0, 1.0]])
    rep = Representation(cyclic(4), skew @ standard_2d(cyclic(4)).matrices @ np.linalg.inv(skew))
    with pytest.raises(SymbenchError, match="orthogonal"):
        EMLP(rep, rep, rep, nonlinearity="norm")
