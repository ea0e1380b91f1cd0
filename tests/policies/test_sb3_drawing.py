"""Models of SB3 over equivariant networks play inside ``VecNormalize``, and draw their actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from sb3_cases import batch_of, model_of, plain, rough, shown
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from symbench.errors import SymbenchError
from symbench.policies import NetworkAgent
from symbench.policies.sb3 import SB3Agent
from symbench.zoo import load_sb3

if TYPE_CHECKING:
    from pathlib import Path

MLP, CNN = "equivariant-mlp", "equivariant-cnn"
ALL = [("PPO", "discrete"), ("PPO", "continuous"), ("DQN", "discrete"), ("SAC", "continuous"), ("TD3", "continuous")]
DRAWING = [case for case in ALL if case[0] in ("PPO", "SAC")]


def saved(folder: Path, name: str, form: str, kind: str = MLP, normalise: bool = True) -> tuple[Any, Any, str]:
    """A model, the VecNormalize that it was trained in if any, and the agent's spec."""
    venv: Any = DummyVecEnv([lambda: shown(plain(kind, form), name, kind)])
    if normalise:
        venv = VecNormalize(venv)
    model = model_of(name, kind, form, venv)
    if normalise:
        model.learn(40)
        venv.training = False
        venv.obs_rms.mean, venv.obs_rms.var = np.linspace(-1, 1, 5), np.linspace(0.5, 2, 5)
        venv.save(str(folder / "vecnormalize.pkl"))
    rough(model, seed=1).save(folder / "mine.zip")
    return model, venv, f"{name.lower()}:{folder}/mine.zip"


@pytest.mark.parametrize(("name", "form"), ALL)
def test_observations_are_normalised_as_in_training(tmp_path: Path, name: str, form: str) -> None:
    model, venv, spec = saved(tmp_path, name, form)
    agent, env = load_sb3(spec, trust=True), plain(MLP, form)
    assert agent.preprocessing[0].startswith("observations normalised by VecNormalize")
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    seen = batch_of(env.observation_space, 40)
    agent.reset(40)
    actions = agent.act(seen)
    np.testing.assert_array_equal(actions, model.predict(venv.normalize_obs(seen), deterministic=True)[0])
    assert (actions != model.predict(seen, deterministic=True)[0]).any()
    agent.reset(1)
    np.testing.assert_allclose(np.concatenate([agent.act(row[None]) for row in seen]), actions, rtol=1e-5, atol=1e-6)
    shows = agent.decisions(seen)
    assert shows is not None
    if form == "discrete":
        np.testing.assert_array_equal(shows.argmax(axis=1), actions)


@pytest.mark.parametrize(("name", "form"), DRAWING)
@pytest.mark.parametrize("normalise", [True, False])
def test_actions_are_drawn_with_the_agents_own_seed(tmp_path: Path, name: str, form: str, normalise: bool) -> None:
    model, venv, spec = saved(tmp_path, name, form, normalise=normalise)
    agent = load_sb3(spec, trust=True, stochastic=True)
    assert agent.preprocessing[-1] == "actions are drawn from its distribution"
    seen = batch_of(plain(MLP, form).observation_space, 40)

    def drawn(seed: int, disturbance: int) -> list[Any]:
        agent.reset(40, seed=seed)
        torch.manual_seed(disturbance)
        return [agent.act(seen).tolist() for _ in range(3)]

    assert drawn(1, 0) == drawn(1, 9)
    assert drawn(1, 0) != drawn(2, 0)
    torch.manual_seed(1)
    read = venv.normalize_obs(seen) if normalise else seen
    assert drawn(1, 0)[0] != model.predict(read, deterministic=True)[0].tolist()
    torch.manual_seed(1)
    assert model.predict(read, deterministic=False)[0].tolist() == drawn(1, 0)[0]


def test_what_is_drawn_has_the_policys_distribution(tmp_path: Path) -> None:
    """20,000 draws for each of 3 observations: within 4 standard errors of the probabilities of the policy."""
    model, venv, spec = saved(tmp_path, "PPO", "discrete")
    agent, count = load_sb3(spec, trust=True, stochastic=True), 20_000
    seen = batch_of(plain(MLP, "discrete").observation_space, 3)
    tensors, _ = model.policy.obs_to_tensor(venv.normalize_obs(seen))
    expected = model.policy.get_distribution(tensors).distribution.probs.detach().numpy()
    agent.reset(3 * count, seed=5)
    actions = agent.act(np.repeat(seen, count, axis=0)).reshape(3, count)
    shares = np.stack([(actions == action).mean(axis=1) for action in range(3)], axis=1)
    assert (np.abs(shares - expected) <= 4 * np.sqrt(expected * (1 - expected) / count) + 1e-6).all()
    assert np.abs(expected - 1 / 3).max() > 0.1


def test_frames_draw_too_and_plain_play_is_that_of_the_network(tmp_path: Path) -> None:
    model, _, spec = saved(tmp_path, "PPO", "discrete", CNN, normalise=False)
    seen = batch_of(plain(CNN, "discrete").observation_space, 6)
    agent = load_sb3(spec, trust=True, stochastic=True)
    agent.reset(6, seed=3)
    torch.manual_seed(3)
    assert agent.act(seen).tolist() == model.predict(seen, deterministic=False)[0].tolist()
    assert isinstance(agent, SB3Agent)
    assert isinstance(load_sb3(spec, trust=True), NetworkAgent)


def test_what_remembers_or_has_no_distribution_does_not_draw(tmp_path: Path) -> None:
    _, _, spec = saved(tmp_path, "PPO", "discrete", "attention-neuron", normalise=False)
    with pytest.raises(SymbenchError, match=r"mine remembers the last 3 values .*; such agents play their likeliest"):
        load_sb3(spec, trust=True, stochastic=True)
    _, _, spec = saved(tmp_path, "DQN", "discrete")
    with pytest.raises(SymbenchError, match="mine has nothing to draw from: DQN acts deterministically"):
        load_sb3(spec, trust=True, stochastic=True)
