"""A team learns as one: by the ratio of its joint action. Studies and Stable-Baselines3 do the same update."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv
from torch.distributions import Categorical
from torch.nn.utils import parameters_to_vector

from symbench.policies import NetworkActorCriticPolicy
from symbench.training.study import load_study
from symbench.training.study.learner import Learner, Rollout
from symbench.trees import map_tree

AGENTS = 3
ARMS = ("equivariant", "standard", "gnn", "centralised-cnn")


def learner_of(arm: str) -> Learner:
    study = load_study("wildlife")
    return Learner(study, study.arm(arm), [0])


@pytest.mark.parametrize("arm", ARMS)
def test_the_loss_is_that_of_the_product_of_ratios(arm: str) -> None:
    """Of each agent's own ratio, with the team's advantage; and of the mean over agents of their entropies."""
    learner = learner_of(arm)
    batch = learner.play()
    with torch.no_grad():
        learner.stack.parameters += 0.15 * torch.randn(learner.stack.parameters.shape)
    scores, values = learner.stack(batch.observations)
    policies = [Categorical(logits=each) for each in scores[0].reshape(-1, AGENTS, 5).unbind(1)]
    ratio = torch.ones(len(batch.actions[0]))
    before = batch.log_probabilities[0].exp()
    for agent, policy in enumerate(policies):
        ratio = ratio * policy.log_prob(batch.actions[0, :, agent]).exp()
    ratio, advantages = ratio / before, batch.advantages[0]
    assert ((ratio - 1).abs() > 0.1).any()  # some are clipped
    gain = torch.minimum(ratio * advantages, ratio.clamp(0.9, 1.1) * advantages).mean()
    entropy = torch.stack([policy.entropy() for policy in policies]).mean()
    error = 0.5 * ((values[0] - batch.returns[0]) ** 2).mean()
    torch.testing.assert_close(learner.losses(batch)[0], error - gain - 0.01 * entropy)


def drones() -> VecEnv:
    return make_vec_env("symbench/Wildlife-v0", 16, seed=0, env_kwargs={"width": 5, "height": 5})


@pytest.mark.parametrize("arm", ARMS)
def test_stable_baselines3_does_the_same_update(arm: str) -> None:
    """With the entropy's weight divided by the number of agents, and its error of values by 2."""
    learner = learner_of(arm)
    network = {key: value for key, value in learner.stack._network.network.config().items() if key != "action_space"}
    published: dict[str, Any] = {"n_steps": 5, "batch_size": 80, "n_epochs": 1, "gamma": 0.99, "gae_lambda": 1.0}
    published |= {"clip_range": 0.1, "ent_coef": 0.01 / AGENTS, "vf_coef": 0.5, "max_grad_norm": 1.0}
    kwargs = {"network": {"kind": learner.stack._network.network.kind, **network}, "critic": []}
    model = PPO(
        NetworkActorCriticPolicy,
        drones(),
        learning_rate=1e-4,
        normalize_advantage=False,
        policy_kwargs={**kwargs, "optimizer_kwargs": {"eps": 1e-8}},
        seed=0,
        device="cpu",
        **published,
    )
    model.set_logger(Logger(None, []))
    own = [*model.policy.network.parameters(), *model.policy.mlp_extractor.value.parameters()]
    for parameter, start in zip(own, learner.stack._network.parameters(), strict=True):
        parameter.data.copy_(start)
    _, callback = model._setup_learn(80)
    model.collect_rollouts(model.env, callback, model.rollout_buffer, 5)
    (data,) = model.rollout_buffer.get(None)
    batch = Rollout(
        map_tree(lambda part: part[None], data.observations),
        data.actions.long()[None],
        *(part[None] for part in (data.old_log_prob, data.returns, data.advantages)),
    )
    model.train()
    learner.stack.descend(learner.losses(batch))
    moved = parameters_to_vector(own).detach() - parameters_to_vector(learner.stack._network.parameters()).detach()
    assert moved.abs().max() > 5e-5
    # Where a gradient is nearly 0, Adam makes a whole step of its rounding.
    same = (parameters_to_vector(own) - learner.stack.parameters[0]).abs() < 1e-6
    assert same.float().mean() > 0.995


def test_what_trains_is_what_is_saved_and_plays(tmp_path: Any) -> None:
    from symbench.zoo import load_agent, save_agent

    table = {"kind": "multi-agent-homomorphic", "action": {"maps": [[0, 2, 3, 4, 1]]}}
    kwargs = {"network": table, "critic": []}
    few: dict[str, Any] = {"n_steps": 5, "batch_size": 20, "n_epochs": 2, "seed": 0, "device": "cpu"}
    model = PPO(NetworkActorCriticPolicy, drones(), policy_kwargs=kwargs, **few).learn(160)
    save_agent(model.policy.network, tmp_path / "drones", {"agent": "drones"})
    agent, env = load_agent(tmp_path / "drones"), gym.make("symbench/Wildlife-v0", width=5, height=5)
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        agent.reset()
        action, _ = model.predict(observation, deterministic=True)
        np.testing.assert_array_equal(agent.act(observation), action)
        assert env.action_space.contains(action)
