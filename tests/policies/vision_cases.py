"""Frames and networks for the tests of policies that read pictures."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

import symbench.envs  # noqa: F401
from symbench.policies import SetTransformerNetwork, VisionAttentionNeuronNetwork
from symbench.policies.vision.patches import to_patches

SIX = spaces.Discrete(6)
SMALL = {"num_codes": 100, "code_dim": 8, "hidden": (32,)}
INVARIANT: dict[str, tuple[Any, dict[str, Any]]] = {
    "conv": (VisionAttentionNeuronNetwork, {"action_space": SIX, **SMALL}),
    "hidden keys": (VisionAttentionNeuronNetwork, {"action_space": SIX, **SMALL, "key_hidden": (16,)}),
    "both": (VisionAttentionNeuronNetwork, {"action_space": SIX, **SMALL, "key_input": "both", "lstm_dim": 8}),
    "attention-agent": (
        VisionAttentionNeuronNetwork,
        # With differences alone all codes are equal until something moves, and the most important ones undefined.
        {
            "action_space": {"low": [-1.0] * 3, "high": [1.0] * 3, "squash": "tanh"},
            "num_codes": 64,
            "code_dim": 8,
            "key_input": "both",
            "head": "attention-agent",
        },
    ),
    "relations": (
        VisionAttentionNeuronNetwork,
        {"action_space": SIX, **SMALL, "key_input": "frames", "learned_queries": True, "blocks": 1, "heads": 2},
    ),
    "set-transformer": (SetTransformerNetwork, {"action_space": SIX, **SMALL, "heads": 2}),
}


def network_of(name: str) -> Any:
    """One of the invariant networks, with weights that make its actions vary."""
    torch.manual_seed(1)
    architecture, config = INVARIANT[name]
    network = architecture(**config).eval()
    if name == "attention-agent":
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    return network


@functools.cache
def pong(steps: int = 40, seed: int = 0) -> np.ndarray:
    """Frames of a game with random actions, (T, 84, 84, 1) uint8; the ball is in play in the last of them."""
    env = gym.make("symbench/Pong-v0")
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    frames = [observation]
    for _ in range(30 + steps):
        frames.append(env.step(env.action_space.sample())[0])
    return np.stack(frames[-steps:])


def patches_of(batch: int = 6) -> torch.Tensor:
    """Stacks of 4 consecutive frames as patches, (B, 196, 4, 36) uint8."""
    cut = to_patches(torch.from_numpy(pong()), 6)
    return torch.stack([cut[3 * i : 3 * i + 4].transpose(0, 1) for i in range(batch)]).contiguous()


def permuted(frames: np.ndarray, order: np.ndarray, size: int = 6) -> np.ndarray:
    """Frames (T, H, W, C) with their patches in another order."""
    steps, height, width, channels = frames.shape
    rows, columns = height // size, width // size
    grid = frames.reshape(steps, rows, size, columns, size, channels).swapaxes(2, 3)
    cut = grid.reshape(steps, rows * columns, size, size, channels)[:, order]
    return cut.reshape(steps, rows, columns, size, size, channels).swapaxes(2, 3).reshape(frames.shape)
