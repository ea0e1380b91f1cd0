"""RecurrentPPO trains a network with its own memory: sequences are unrolled as they were played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hostile_cases import shape_of
from sb3_cases import ACTIONS, TABLES, TRAINED, actions_of, batch_of, model_of, rough, table_of, toy_of
from sb3_contrib import RecurrentPPO
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from symbench.policies import NetworkRecurrentPolicy
from symbench.policies.sb3.recurrent import StateRows

CASES = [(kind, form) for name, kind, form in TRAINED if name == "RecurrentPPO"]
OTHER = {"several choices": spaces.MultiDiscrete([2, 3]), "switches": spaces.MultiBinary(3)}
OTHER_CASES = [("recurrent-attention-neuron", form) for form in OTHER]


class Compare(BaseCallback):
    """Evaluates what was collected, before anything is learned of it."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[tuple[float, float]] = []
        self.steps, self.starts = 0, 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        policy: Any = self.model.policy
        policy.set_training_mode(False)
        for data in self.model.rollout_buffer.get(20):  # type: ignore[attr-defined]
            discrete = isinstance(policy.action_space, spaces.Discrete)
            actions = data.actions.long().flatten() if discrete else data.actions
            with torch.no_grad():
                values, log_prob, entropy = policy.evaluate_actions(
                    data.observations, actions, data.lstm_states, data.episode_starts
                )
            there = data.mask > 1e-8
            assert entropy is None or entropy[there].isfinite().all()
            errors = (values.flatten() - data.old_values)[there], (log_prob - data.old_log_prob)[there]
            self.errors.append((float(errors[0].abs().max()), float(errors[1].abs().max())))
            self.steps += int(there.sum())
            self.starts += int(data.episode_starts[there].sum())


def collected(kind: str, space: spaces.Space[Any], envs: int = 3, **kwargs: Any) -> Compare:
    """An episode of a toy has 12 steps, a rollout 32: there are beginnings within sequences."""
    vec_env = DummyVecEnv([lambda: toy_of(kind, space)] * envs)
    table = {"kind": kind, **TABLES[kind], **kwargs}
    model = rough(model_of("RecurrentPPO", kind, "discrete", vec_env, table=table), 0.2)
    compare = Compare()
    model.learn(32 * envs * 2, callback=compare)
    assert compare.steps == 32 * envs * 2 and compare.starts > 2 * envs
    return compare


@pytest.mark.parametrize(("kind", "form"), [*CASES, *OTHER_CASES])
def test_sequences_give_what_was_collected_step_by_step(kind: str, form: str) -> None:
    table = table_of(kind, form)
    compare = collected(table.pop("kind"), OTHER[form] if form in OTHER else actions_of(kind, form), **table)
    assert np.max(compare.errors) < 2e-4


def test_an_lstm_behind_the_features_is_unrolled_too() -> None:
    compare = collected("vision-attention-neuron", ACTIONS["continuous"], lstm_dim=8)
    assert np.max(compare.errors) < 2e-4


@pytest.mark.parametrize("forgotten", ["starts", "actions"])
@pytest.mark.parametrize("kind", ["attention-neuron", "recurrent-attention-neuron", "vision-attention-neuron"])
def test_episode_starts_and_remembered_actions_matter(
    kind: str, forgotten: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison notices a memory that is not begun anew, or is not told what was done."""
    unroll = type(model_of("RecurrentPPO", kind, "continuous").policy.network).unroll

    def forgetful(network: Any, observations: Any, starts: Any, actions: Any, state: Any) -> Any:
        parts = (0 * starts, actions) if forgotten == "starts" else (starts, 0 * actions)
        return unroll(network, observations, *parts, state)

    monkeypatch.setattr("symbench.policies.policy_network.PolicyNetwork.unroll", forgetful)
    # What a linear layer adds to the keys of all patches has no effect.
    hidden = {"key_hidden": [8]} if kind == "vision-attention-neuron" else {}
    assert np.max(collected(kind, ACTIONS["continuous"], **hidden).errors) > 1e-3


def test_memories_are_told_actions_as_they_are_played() -> None:
    """Cut to their bounds: so the agent, which knows no others, remembers."""
    policy = model_of("RecurrentPPO", "attention-neuron", "continuous").policy
    rows = policy.lstm_actor.rows(policy.network.initial_state(2, 5), 2)
    told = policy._told(policy.lstm_actor.state(rows), torch.tensor([[-5.0, 0.5], [0.25, 9.0]]))
    _, actions = policy.lstm_actor.state(told)
    torch.testing.assert_close(actions[:, -1], torch.tensor([[-1.0, 0.5], [0.25, 2.0]]))


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_memory_restarts_with_its_episode_only(kind: str, form: str) -> None:
    model = rough(model_of("RecurrentPPO", kind, form))
    policy, network = model.policy, model.policy.network
    seen, _ = policy.obs_to_tensor(batch_of(model.observation_space, 2))
    steps = [{key: part + i for key, part in seen.items()} if isinstance(seen, dict) else seen + i for i in range(2)]
    rows = policy.lstm_actor.rows(
        network.initial_state(2, *shape_of(batch_of(model.get_env().envs[0].observation_space))), 2
    )
    begun = torch.tensor([1.0, 1.0])
    with torch.no_grad():
        *_, states = policy(steps[0], RNNStates(rows, rows), begun, deterministic=True)
        fresh = policy.predict_values(steps[1], rows, begun)
        again = policy.predict_values(steps[1], states.pi, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(again[0], fresh[0])
    assert torch.equal(again[1], fresh[1]) != bool(network.memory)


def test_a_state_comes_back_from_its_rows() -> None:
    for kind, form in CASES:
        model = model_of("RecurrentPPO", kind, form)
        network, shape = model.policy.network, shape_of(batch_of(toy_of(kind, ACTIONS[form]).observation_space))
        state = network.initial_state(3, *shape)
        drawn = tuple((200 * torch.rand(part.shape)).to(part.dtype) for part in state)
        rows = StateRows(network.initial_state(1, *shape))
        halves = rows.rows(drawn, 3)
        assert [half.shape for half in halves] == [(1, 3, rows.hidden_size)] * 2
        assert all(map(torch.equal, rows.state(halves), drawn))


@pytest.mark.parametrize("form", ACTIONS)
def test_models_and_policies_keep_their_states(form: str, tmp_path: Path) -> None:
    kind = "recurrent-attention-neuron"
    model = model_of("RecurrentPPO", kind, form, critic=[6]).learn(32)
    # Hidden and cell state of 5 sensors, 8 numbers each, and the last action.
    assert model.policy.lstm_hidden_state_shape == (1, 1, -(-(5 * 8 * 2 + (3 if form == "discrete" else 2)) // 2))
    model.save(tmp_path / "model")
    model.policy.save(tmp_path / "policy")
    loaded = RecurrentPPO.load(tmp_path / "model", device="cpu")
    observations = batch_of(model.observation_space)
    actions, states = model.predict(observations, deterministic=True)
    for policy in (loaded.policy, NetworkRecurrentPolicy.load(tmp_path / "policy")):
        assert policy.lstm_hidden_state_shape == model.policy.lstm_hidden_state_shape
        found, others = policy.predict(observations, deterministic=True)
        np.testing.assert_array_equal(found, actions)
        assert all(map(np.array_equal, others, states))
