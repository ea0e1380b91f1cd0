"""Stable-Baselines3 models that read frames: they train, are invariant, and are exported exactly."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack
from torch import nn
from vision_cases import permuted, pong

import symbench.envs  # noqa: F401
from symbench.policies import (
    NatureCNNNetwork,
    NetRandCNN,
    NetworkAgent,
    SB3Agent,
    SetTransformerExtractor,
    VisionAttentionNeuronExtractor,
    VisionAttentionNeuronPolicy,
    actor_network,
)
from symbench.wrappers import FrameHistory, OccludePatches

EXTRACTORS = (VisionAttentionNeuronExtractor, SetTransformerExtractor)
LAYER = {"num_codes": 100, "code_dim": 8, "features_dim": 32}
SMALL = {"n_steps": 8, "batch_size": 8, "n_epochs": 1}


class Film(gym.Env[Any, Any]):
    """Shows recorded frames of Pong, whatever is done."""

    observation_space = spaces.Box(0, 255, (84, 84, 1), np.uint8)
    action_space = spaces.Discrete(6)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return pong()[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return pong()[self.t], float(action == 2), self.t == 20, False, {}


def model_of(algorithm: Any, extractor: Any, env: gym.Env | None = None, **kwargs: Any) -> Any:
    env = FrameHistory(Film()) if env is None else env
    policy_kwargs = {"features_extractor_class": extractor, "features_extractor_kwargs": {**LAYER, **kwargs}}
    if algorithm is DQN:
        rest = {"buffer_size": 40, "learning_starts": 4, "batch_size": 4}
        policy_kwargs["net_arch"] = [16]
        return DQN("MultiInputPolicy", env, policy_kwargs=policy_kwargs, device="cpu", seed=0, **rest)
    rest = SMALL if algorithm is PPO else {}
    return algorithm(VisionAttentionNeuronPolicy, env, policy_kwargs=policy_kwargs, device="cpu", seed=0, **rest)


def disturb(model: Any) -> None:
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))


def assert_plays_alike(model: Any, env: Any) -> None:
    """The exported agent sees frames only, and does what the model does."""
    played = set()
    for _ in range(4):
        disturb(model)
        original, agent = SB3Agent(model, "original"), NetworkAgent(actor_network(model), "exported")
        observation, _ = env.reset(seed=0)
        for _ in range(8):
            action = original.act(observation)
            assert agent.act(observation["frames"][-1][..., None]) == action
            played.add(int(action))
            observation, *_ = env.step(action)
    assert len(played) > 1


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN])
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_models_learn_and_are_exported_exactly(algorithm: Any, extractor: Any) -> None:
    model = model_of(algorithm, extractor)
    before = [parameter.clone() for parameter in model.policy.parameters()]
    model.learn(16)
    assert any(not torch.equal(old, new) for old, new in zip(before, model.policy.parameters(), strict=True))
    assert_plays_alike(model, FrameHistory(Film()))


def logits_of(model: Any, observations: dict[str, np.ndarray]) -> torch.Tensor:
    model.policy.set_training_mode(False)
    with torch.no_grad():
        return model.policy.get_distribution(model.policy.obs_to_tensor(observations)[0]).distribution.logits


def observations_of(frames: np.ndarray, **more: np.ndarray) -> dict[str, np.ndarray]:
    stacks = np.stack([frames[i : i + 4, ..., 0] for i in range(0, 12, 3)])
    return {"frames": stacks, "previous_action": np.eye(6, dtype=np.float32)[:4], **more}


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_models_do_not_care_about_the_order_of_patches(extractor: Any) -> None:
    model = model_of(PPO, extractor)
    shuffled = permuted(pong(), np.random.default_rng(0).permutation(196))
    logits, again = (logits_of(model, observations_of(frames)) for frames in (pong(), shuffled))
    torch.testing.assert_close(again, logits, atol=1e-5, rtol=0)
    assert logits.std(dim=0).max() > 0


@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_hidden_patches_have_no_influence(extractor: Any) -> None:
    model = model_of(PPO, extractor, FrameHistory(OccludePatches(Film(), ratio=0.5, patch_mask=True)))
    mask = np.random.default_rng(0).integers(0, 2, (1, 196), dtype=np.int8).repeat(4, 0)
    hidden = np.kron(mask[0].reshape(14, 14), np.ones((6, 6)))[None, :, :, None] == 0
    black, white = (np.where(hidden, fill, pong()).astype(np.uint8) for fill in (0, 255))
    first, second = (logits_of(model, observations_of(frames, mask=mask)) for frames in (black, white))
    assert torch.equal(first, second)
    model.learn(8)


def test_pixels_are_read_exactly() -> None:
    extractor = model_of(PPO, VisionAttentionNeuronExtractor).policy.features_extractor
    pixels = torch.arange(256, dtype=torch.uint8).repeat(4 * 84 * 84 // 256 + 1)[: 4 * 84 * 84].reshape(1, 4, 84, 84)
    patches = extractor._patches(pixels.float() / 255.0)
    assert torch.equal(patches[0, 1, 2], pixels[0, 2, :6, 6:12].flatten())
    with pytest.raises(ValueError, match="leave normalize_images=True"):
        extractor(dict(frames=pixels.float(), previous_action=torch.zeros(1, 6)))


def test_orthogonal_initialisation_spares_the_layer() -> None:
    plain, orthogonal = (
        PPO(
            VisionAttentionNeuronPolicy,
            FrameHistory(Film()),
            policy_kwargs={"ortho_init": ortho, "features_extractor_kwargs": LAYER},
            seed=0,
            device="cpu",
        ).policy
        for ortho in (False, True)
    )
    pairs = zip(plain.features_extractor.parameters(), orthogonal.features_extractor.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert orthogonal.action_net.weight.norm() < 0.1 < plain.action_net.weight.norm()


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_cnn_policy_is_exported_with_its_black_frames(algorithm: Any) -> None:
    stacked = VecFrameStack(DummyVecEnv([Film]), 4)
    rest = {"buffer_size": 10} if algorithm is DQN else SMALL
    model = algorithm("CnnPolicy", stacked, seed=0, device="cpu", **rest)
    disturb(model)
    network = actor_network(model)
    assert isinstance(network, NatureCNNNetwork) and (network.channels, network.history) == (1, 4)
    agent, observations = NetworkAgent(network, "exported"), stacked.reset()
    for frame in pong()[:20]:
        actions, _ = model.predict(observations, deterministic=True)
        assert agent.act(frame[None]) == actions
        observations, *_ = stacked.step(actions)


def test_netrand_trains_and_acts_without_randomness() -> None:
    kwargs = {"features_extractor_class": NetRandCNN, "features_extractor_kwargs": {"clean": 0.0}, "net_arch": []}
    model = PPO("CnnPolicy", VecFrameStack(DummyVecEnv([Film]), 4), policy_kwargs=kwargs, **SMALL, device="cpu")
    model.learn(8)
    extractor, frames = model.policy.features_extractor, torch.rand(2, 4, 84, 84)
    extractor.train()
    assert not torch.allclose(extractor(frames), extractor(frames))
    loss = extractor.feature_matching(frames)
    loss.backward()
    assert loss > 0 and extractor.cnn[0].weight.grad.abs().max() > 0
    extractor.eval()
    assert torch.equal(extractor(frames), extractor(frames)) and extractor.feature_matching(frames) == 0
    assert isinstance(actor_network(model), NatureCNNNetwork)


def test_what_cannot_be_exported_is_named() -> None:
    kwargs = {"features_extractor_class": VisionAttentionNeuronExtractor, "features_extractor_kwargs": LAYER}
    model = PPO("MultiInputPolicy", FrameHistory(Film()), policy_kwargs=kwargs, **SMALL)
    with pytest.raises(ValueError, match=r"only ReLU can be exported, received Tanh: .* net_arch=\[\]"):
        actor_network(model)


@pytest.mark.parametrize(
    ("space", "kwargs", "message"),
    [
        (Film.observation_space, {}, "must be wrapped in symbench.wrappers.FrameHistory, received Box"),
        (None, {"history": 3}, "3 frames are expected, received 4 channels: give FrameHistory's length"),
        (None, {"patch_size": 5}, "patches of 5x5 do not tile 84x84 frames"),
        (None, {"num_codes": 50}, "num_codes must be a square number"),
        (
            spaces.Dict({**FrameHistory(Film()).observation_space.spaces, "mask": spaces.MultiBinary(49)}),
            {},
            r"patches of 6x6 are 196, the mask has shape \(49,\)",
        ),
    ],
)
def test_bad_spaces_and_parameters_are_named(space: Any, kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VisionAttentionNeuronExtractor(space or FrameHistory(Film()).observation_space, **kwargs)


def test_a_model_of_plain_frames_fits_a_task_that_tells_what_is_hidden() -> None:
    agent = SB3Agent(PPO("CnnPolicy", Film(), device="cpu", **SMALL), "cnn")
    masked = spaces.Dict(image=Film.observation_space, mask=spaces.MultiBinary(196))
    assert agent.incompatibility(Film.observation_space, Film.action_space) is None
    assert agent.incompatibility(masked, Film.action_space) is None
    assert agent.incompatibility(spaces.Box(0, 255, (96, 96, 1), np.uint8), Film.action_space) is not None
    agent.reset(2)
    frames = np.stack([pong()[0], pong()[9]])
    actions = agent.act({"image": frames, "mask": np.ones((2, 196), np.int8)})
    np.testing.assert_array_equal(actions, agent.act(frames))


def test_the_activation_of_hidden_layers_behind_convolutions_is_kept() -> None:
    kwargs = {"net_arch": [16], "activation_fn": nn.ReLU, "features_extractor_kwargs": LAYER}
    model = PPO(VisionAttentionNeuronPolicy, FrameHistory(Film()), policy_kwargs=kwargs, **SMALL)
    assert actor_network(model).config()["hidden"] == [32, 16]
