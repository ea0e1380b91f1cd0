"""Symmetries that are averaged, sorted out or learned: each is exact where it says so, and told from what is not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import rough
from sb3_contrib import QRDQN, TRPO, MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from symmetry_cases import SMALL, STARTS, parts, rows

from symbench.errors import SymbenchError
from symbench.policies import CanonicalPolicy, NetworkActorCriticPolicy, SymmetricPPO, SymmetrizedPolicy
from symbench.policies.equivariant import EMLP, symmetry_data
from symbench.policies.sb3.symmetrised import vectors_of_policy
from symbench.symmetry import Representation, cyclic, standard_2d

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
