"""What trains beside a network: its values, an encoder of their own, the true state that only they see, deviations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import FORMS, ON_POLICY, TRAINED, batch_of, model_of, plain, shown
from torch import nn

from symbench.policies import NetworkAgent, make_network
from symbench.policies.critics import Critic, StateValue, ValueHead
from symbench.policies.sb3 import POLICIES, STATE

ACTOR_CRITICS = [(name, kind, form) for name, kind, form in TRAINED if name in ON_POLICY and form == FORMS[name][0]]
OWN_ENCODER = [(name, kind) for name, kind, _ in ACTOR_CRITICS if name != "RecurrentPPO"]


class WithState(gym.ObservationWrapper):
    """Shows a true state of three numbers, too."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        state = spaces.Box(-np.inf, np.inf, (3,))
        own = env.observation_space
        parts = own.spaces if isinstance(own, spaces.Dict) else {"observation": own}
        self.observation_space = spaces.Dict({**parts, STATE: state})

    def observation(self, observation: Any) -> dict[str, Any]:
        parts = observation if isinstance(observation, dict) else {"observation": observation}
        return {**parts, STATE: np.ones(3, dtype=np.float32)}

    def action_masks(self) -> np.ndarray:
        masks: np.ndarray = self.env.get_wrapper_attr("action_masks")()
        return masks


def answers(policy: Any, observations: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """What the actor says, and the values."""
    policy.set_training_mode(False)
    seen, _ = policy.obs_to_tensor(observations)
    memory: tuple[Any, ...] = ()
    if hasattr(policy, "lstm_actor"):
        halves = (torch.zeros(1, 6, policy.lstm_actor.hidden_size),) * 2
        memory = (halves, torch.zeros(6))
    with torch.no_grad():
        found = policy.get_distribution(seen, *memory)
        whole = found[0] if memory else found
        parts = getattr(whole, "distributions", None) or np.atleast_1d(np.array(whole.distribution, dtype=object))
        scores = [part.logits if hasattr(part, "logits") else part.mean for part in parts]
        return torch.cat(scores, dim=1), policy.predict_values(seen, *memory)


def unused(module: nn.Module) -> list[str]:
    """Weights without a gradient, but for a bias that has no effect: it adds the same to all scores of a softmax."""
    missed = [key for key, parameter in module.named_parameters() if parameter.grad is None]
    assert list(module.parameters())
    return [key for key in missed if not key.endswith("layer.project_key.0.bias")]


@pytest.mark.parametrize(("name", "kind", "form"), ACTOR_CRITICS)
def test_only_the_critic_sees_the_state(name: str, kind: str, form: str) -> None:
    model = model_of(name, kind, form, WithState(shown(plain(kind, form), name, kind))).learn(32)
    assert isinstance(model.policy.mlp_extractor.value, StateValue)
    rows = [batch_of(model.observation_space) for _ in range(3)]
    rows[1][STATE] = rows[1][STATE] + 1
    rows[2] = {key: value if key == STATE else value // 2 + 1 for key, value in rows[2].items()}
    (scores, values), (as_before, other_values), (other_scores, same_values) = (
        answers(model.policy, row) for row in rows
    )
    assert torch.equal(scores, as_before) and not torch.allclose(values, other_values)
    assert not torch.equal(scores, other_scores) and torch.equal(values, same_values)
    task = plain(kind, form)
    agent = NetworkAgent(model.policy.network, "mine")
    assert agent.incompatibility(task.observation_space, task.action_space) is None
    assert task.action_space.contains(agent.act(task.reset(seed=0)[0]))


def test_off_policy_algorithms_see_nothing_of_it() -> None:
    model = model_of("SAC", "mlp", "continuous", WithState(plain("mlp", "continuous"))).learn(40)
    rows = [batch_of(model.observation_space) for _ in range(2)]
    rows[1][STATE] = rows[1][STATE] + 1
    seen = [model.policy.obs_to_tensor(row)[0] for row in rows]
    actions = torch.zeros(6, 2)
    with torch.no_grad():
        assert torch.equal(*(model.policy._predict(each, deterministic=True) for each in seen))
        assert torch.equal(*(torch.cat(model.critic(each, actions)) for each in seen))


@pytest.mark.parametrize("privileged", [True, False])
@pytest.mark.parametrize("share", [True, False])
def test_saved_policies_keep_what_their_critics_read(privileged: bool, share: bool, tmp_path: Path) -> None:
    env = shown(plain("attention-neuron", "discrete"), "PPO", "attention-neuron")
    env = WithState(env) if privileged else env
    model = model_of("PPO", "attention-neuron", "discrete", env, share_encoder=share, critic=[6, 5]).learn(32)
    model.policy.save(tmp_path / "policy")
    loaded = POLICIES["PPO"].load(tmp_path / "policy")  # type: ignore[attr-defined]
    observations = batch_of(model.observation_space)
    for found, expected in zip(answers(loaded, observations), answers(model.policy, observations), strict=True):
        assert torch.equal(found, expected)
    value = loaded.mlp_extractor.value
    assert isinstance(value, StateValue if privileged else ValueHead if share else Critic)
    widths = [layer.out_features for layer in value.modules() if isinstance(layer, nn.Linear)]
    assert widths[-3:] == [6, 5, 1]


@pytest.mark.parametrize(("name", "kind"), OWN_ENCODER)
def test_a_critic_may_have_an_encoder_of_its_own(name: str, kind: str) -> None:
    """Then the values leave the policy's encoder alone; the critic has no layer that it does not use."""
    policy = model_of(name, kind, FORMS[name][0], share_encoder=False).policy
    seen, _ = policy.obs_to_tensor(batch_of(policy.observation_space))
    policy.predict_values(seen).sum().backward()
    assert all(parameter.grad is None for parameter in policy.network.parameters())
    assert unused(policy.mlp_extractor.value) == []
    together = model_of(name, kind, FORMS[name][0]).policy
    together.predict_values(seen).sum().backward()
    trained = [parameter for parameter in together.network.parameters() if parameter.grad is not None]
    # The features of an MLP are what it reads.
    assert bool(trained) == (kind not in ("mlp", "history-mlp", "equivariant-mlp", "scene-mlp"))


@pytest.mark.parametrize("name", ["SAC", "TQC", "TD3", "DDPG"])
@pytest.mark.parametrize("kind", sorted({kind for name, kind, _ in TRAINED if name == "SAC"}))
def test_critics_of_actions_share_nothing(name: str, kind: str) -> None:
    policy = model_of(name, kind, "continuous").policy
    seen, _ = policy.obs_to_tensor(batch_of(policy.observation_space))
    values = policy.critic(seen, torch.zeros(6, spaces.flatdim(policy.action_space)))
    torch.cat([each.flatten() for each in (values if isinstance(values, tuple) else [values])]).sum().backward()
    assert all(parameter.grad is None for parameter in policy.actor.parameters())
    assert unused(policy.critic) == []
    owners = [parameter.data_ptr() for critic in policy.critic.q_networks for parameter in critic.parameters()]
    assert len(set(owners)) == len(owners)


def test_trpo_trains_all_of_the_policy() -> None:
    """It leaves out of the policy's step whatever has "value" in its name."""
    for kind in ("attention-neuron", "vision-attention-neuron", "set-transformer", "equivariant-mlp"):
        policy = model_of("TRPO", kind, "continuous").policy
        chosen = {id(parameter) for name, parameter in policy.named_parameters() if "value" not in name}
        expected = {id(parameter) for part in (policy.network, policy.deviations) for parameter in part.parameters()}
        assert chosen == expected


@pytest.mark.parametrize("kind", ["mlp", "nature-cnn"])
def test_reinforcement_learning_begins_with_orthogonal_weights(kind: str) -> None:
    policy = model_of("PPO", kind, "discrete").policy
    first, last = (layer for layer in policy.network.head if isinstance(layer, nn.Linear))
    assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    weights = first.weight if first.out_features < first.in_features else first.weight.T
    torch.testing.assert_close(weights @ weights.T, 2 * torch.eye(len(weights)), atol=1e-5, rtol=0)
    assert last.weight.norm() < 0.1 and not last.bias.any() and not first.bias.any()


@pytest.mark.parametrize("kind", ["attention-neuron", "vision-attention-neuron", "equivariant-mlp"])
def test_where_that_does_not_suit_weights_are_those_of_the_network(kind: str) -> None:
    model = model_of("PPO", kind, "discrete")
    torch.manual_seed(0)  # as SB3 does
    table, task = model.policy.table, plain(kind, "discrete")
    fresh = make_network(table, task.observation_space, task.action_space)
    for key, tensor in fresh.state_dict().items():
        assert torch.equal(model.policy.network.state_dict()[key], tensor)


def test_deviations_begin_where_they_are_told() -> None:
    policy = model_of("PPO", "mlp", "continuous", log_std_init=-0.7).policy
    assert policy.log_std.tolist() == pytest.approx([-0.7] * 2)
    assert any(parameter is policy.deviations.values for parameter in policy.optimizer.param_groups[0]["params"])
    assert not hasattr(model_of("PPO", "mlp", "discrete").policy, "log_std")
