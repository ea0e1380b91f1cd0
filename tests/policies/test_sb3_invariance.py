"""Policies and critics of SB3 do not care about the order of sensors and patches, nor about what is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import ACTIONS, ALGORITHMS, FORMS, batch_of, model_of, plain, rough, shown
from vision_cases import permuted

from symbench.wrappers import OccludePatches

CASES = [(name, form) for name in ALGORITHMS if name != "RecurrentPPO" for form in FORMS[name]]
RECURRENT = [(kind, form) for kind in ("attention-neuron", "recurrent-attention-neuron") for form in ACTIONS]
PATCHES = ("vision-attention-neuron", "set-transformer")
ORDER = np.random.default_rng(0).permutation(36)
FRAMES = np.random.default_rng(1).integers(0, 256, (12, 36, 36, 1), dtype=np.uint8)


def answers(policy: Any, observations: Any) -> list[torch.Tensor]:
    """All that a policy and its critics say of observations, in float64."""
    policy.double().set_training_mode(False)
    parts = observations if isinstance(observations, dict) else {"": observations}
    tensors = {key: torch.as_tensor(part.copy()).double() for key, part in parts.items()}
    seen: Any = tensors if isinstance(observations, dict) else tensors[""]
    with torch.no_grad():
        if hasattr(policy, "predict_values"):
            distribution = policy.get_distribution(seen).distribution
            scores = distribution.logits if hasattr(distribution, "logits") else distribution.mean
            return [scores, policy.predict_values(seen)]
        if hasattr(policy, "critic"):
            actions = policy._predict(seen, deterministic=True)
            return [actions, *_listed(policy.critic(seen, torch.full_like(actions, 0.3)))]
        return [policy.q_net(seen) if hasattr(policy, "q_net") else policy.quantile_net(seen)]


def _listed(values: Any) -> tuple[torch.Tensor, ...]:
    return values if isinstance(values, tuple) else (values,)


def assert_close(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)
        assert other.std(dim=0).max() > 1e-6  # a constant is invariant, too


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("name", "form"), CASES)
def test_the_order_of_sensors_does_not_matter(name: str, form: str) -> None:
    model = rough(model_of(name, "attention-neuron", form))
    observations = batch_of(model.observation_space)
    shuffled = {**observations, "sensors": observations["sensors"][:, ::-1]}
    assert_close(answers(model.policy, shuffled), answers(model.policy, observations))


@pytest.mark.usefixtures("exact")
def test_an_mlp_notices_it() -> None:
    model = rough(model_of("PPO", "mlp", "continuous"))
    observations = batch_of(model.observation_space)
    with pytest.raises(AssertionError):
        assert_close(answers(model.policy, observations[:, ::-1]), answers(model.policy, observations))


def played(model: Any, steps: np.ndarray) -> np.ndarray:
    """Likeliest actions of a recurrent model over an episode, (T, B, ...)."""
    state, actions, begins = None, [], np.ones(len(steps[0]), dtype=bool)
    for observations in steps:
        action, state = model.predict(observations, state=state, episode_start=begins, deterministic=True)
        actions.append(action)
        begins[:] = False
    return np.stack(actions)


@pytest.mark.parametrize(("kind", "form"), RECURRENT)
def test_nor_does_it_through_an_episode(kind: str, form: str) -> None:
    model = rough(model_of("RecurrentPPO", kind, form))
    steps = np.random.default_rng(0).normal(size=(6, 8, 5)).astype(np.float32)
    actions = played(model, steps)
    np.testing.assert_allclose(played(model, steps[..., [3, 0, 4, 1, 2]]), actions, atol=2e-4)
    assert len(np.unique(actions.round(3))) > 1


@pytest.mark.parametrize(("name", "form"), [*CASES, *[("RecurrentPPO", form) for form in ACTIONS]])
def test_models_act_on_other_numbers_of_sensors(name: str, form: str, tmp_path: Path) -> None:
    """Sensors that are dead, behind the others, have no effect."""
    model = rough(model_of(name, "attention-neuron", form))
    model.save(tmp_path / "model")
    observations = batch_of(model.observation_space)
    if name == "RecurrentPPO":
        space: Any = spaces.Box(-np.inf, np.inf, (11,))
        more: Any = np.pad(observations, [(0, 0), (0, 6)])
    else:
        histories = spaces.Box(-np.inf, np.inf, (11, 3))
        space = spaces.Dict({**model.observation_space.spaces, "sensors": histories})
        more = {**observations, "sensors": np.pad(observations["sensors"], [(0, 0), (0, 6), (0, 0)])}
    larger = ALGORITHMS[name][0].load(tmp_path / "model", device="cpu", custom_objects={"observation_space": space})
    expected, _ = model.predict(observations, deterministic=True)
    np.testing.assert_allclose(larger.predict(more, deterministic=True)[0], expected, atol=2e-4)


def stacks(frames: np.ndarray, form: str, **more: np.ndarray) -> dict[str, np.ndarray]:
    """Two frames on top of each other, and what was done before, for each of four environments."""
    stacked = np.stack([frames[i : i + 2, ..., 0] for i in range(0, 8, 2)])
    done = np.eye(3, dtype=np.float32)[[0, 1, 2, 0], : 3 if form == "discrete" else 2]
    return {"frames": stacked, "previous_action": done, **more}


def policy_of(name: str, kind: str, form: str, masked: bool = False) -> Any:
    env: Any = plain(kind, form)
    env = OccludePatches(env, ratio=0.5, patch_size=6, patch_mask=True) if masked else env
    return rough(model_of(name, kind, form, shown(env, name, kind)), scale=0.1).policy


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("kind", PATCHES)
@pytest.mark.parametrize(("name", "form"), CASES)
def test_the_order_of_patches_does_not_matter(name: str, form: str, kind: str) -> None:
    policy = policy_of(name, kind, form)
    expected = answers(policy, stacks(FRAMES, form))
    assert_close(answers(policy, stacks(permuted(FRAMES, ORDER), form)), expected)


@pytest.mark.usefixtures("exact")
def test_a_cnn_notices_it() -> None:
    policy = policy_of("PPO", "nature-cnn", "continuous")
    with pytest.raises(AssertionError):
        assert_close(
            answers(policy, stacks(permuted(FRAMES, ORDER), "continuous")),
            answers(policy, stacks(FRAMES, "continuous")),
        )


def hidden_patches() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames with black and with white under the mask, and the mask (4, 36)."""
    mask = np.random.default_rng(0).integers(0, 2, (1, 36), dtype=np.int8).repeat(4, 0)
    hidden = np.kron(mask[0].reshape(6, 6), np.ones((6, 6)))[None, :, :, None] == 0
    black, white = (np.where(hidden, fill, FRAMES).astype(np.uint8) for fill in (0, 255))
    return black, white, mask


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("kind", PATCHES)
@pytest.mark.parametrize(("name", "form"), CASES)
def test_hidden_patches_have_no_influence(name: str, form: str, kind: str) -> None:
    policy = policy_of(name, kind, form, masked=True)
    black, white, mask = hidden_patches()
    first, second = (answers(policy, stacks(frames, form, mask=mask)) for frames in (black, white))
    assert all(map(torch.equal, first, second))
    seen = answers(policy, stacks(white, form, mask=np.ones_like(mask)))
    assert not any(map(torch.equal, seen, second))


@pytest.mark.parametrize("kind", PATCHES)
def test_both_hold_for_a_network_with_its_own_memory(kind: str) -> None:
    policy = policy_of("RecurrentPPO", kind, "continuous", masked=True)
    black, white, mask = hidden_patches()

    def episode(frames: np.ndarray, mask: np.ndarray) -> np.ndarray:
        state, actions = None, []
        for i in range(6):
            step, begins = {"image": frames[i : i + 1], "mask": mask[:1]}, np.array([i == 0])
            action, state = policy.predict(step, state=state, episode_start=begins, deterministic=True)
            actions.append(action)
        return np.stack(actions)

    expected = episode(black, mask)
    np.testing.assert_array_equal(episode(white, mask), expected)
    np.testing.assert_allclose(episode(permuted(black, ORDER), mask[:, ORDER]), expected, atol=1e-6)
    assert np.abs(episode(permuted(black, ORDER), mask) - expected).max() > 1e-5
