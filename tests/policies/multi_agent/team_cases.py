"""Teams of all kinds, what they see, and how turns, flips and other orders of agents change it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from symbench.policies import (
    MultiAgentGraphNetwork,
    MultiAgentHomomorphicNetwork,
    PolicyNetwork,
    StandardMultiAgentNetwork,
)

AGENTS, SIZE = 3, 15
TURN = {"maps": [[0, 2, 3, 4, 1]]}
TURN_AND_FLIP = {"maps": [[0, 2, 3, 4, 1], [0, 1, 4, 3, 2]]}
SWAP = {"maps": [[1, 0]]}
SMALL: dict[str, Any] = {"size": SIZE, "messages": (6, 5), "position_scale": 2 / 15, "reach": 0.4}

Observations = dict[str, torch.Tensor]


def wildlife(kind: type[PolicyNetwork] = MultiAgentHomomorphicNetwork, **options: Any) -> Any:
    """A small network for drones with cells as places, float64."""
    conv = [[3, 7, 2], [4, 5, 1]]
    action = {"action": TURN} if kind is MultiAgentHomomorphicNetwork else {}
    joint = spaces.MultiDiscrete([5] * AGENTS)
    return kind(joint, AGENTS, conv=conv, **{**SMALL, **action, **options}).double()  # type: ignore[arg-type]


def traffic(**options: Any) -> Any:
    """A small network for four junctions, float64."""
    sizes = {"size": 15, "channels": 3, "conv": [[3, 7, 2], [4, 5, 1]], "messages": (6, 5), "reach": 1.25}
    joint = spaces.MultiDiscrete([2] * 4)
    return MultiAgentHomomorphicNetwork(joint, 4, action=SWAP, **{**sizes, **options}).double()  # type: ignore[arg-type]


def seen(batch: int = 6, agents: int = AGENTS, channels: int = 1, seed: int = 0) -> Observations:
    """Pictures, float64, and cells of a 5x5 grid."""
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(batch, agents, channels, SIZE, SIZE))
    cells = [rng.choice(25, agents, replace=False) for _ in range(batch)]
    positions = np.stack([np.stack(np.divmod(each, 5), axis=1) for each in cells]).astype(np.float64)
    return {"images": torch.tensor(images), "positions": torch.tensor(positions)}


def turned(observations: Observations, turns: int, flip: bool = False) -> Observations:
    """Pictures and places as after a flip of columns, and then quarter turns (counter-clockwise) about the origin."""
    images, positions = observations["images"].numpy(), observations["positions"].numpy()
    if flip:
        images, positions = images[..., ::-1], positions * [1, -1]
    images = np.rot90(images, turns, axes=(-2, -1))
    for _ in range(turns):
        positions = np.stack([-positions[..., 1], positions[..., 0]], axis=-1)
    return {"images": torch.tensor(images.copy()), "positions": torch.tensor(positions.copy())}


def reordered(observations: Observations, order: Any) -> Observations:
    """Agent i is the one that was ``order[i]``."""
    return {key: part[:, order] for key, part in observations.items()}


def logits_of(network: Any, observations: Observations) -> torch.Tensor:
    """Of each part of the joint action, (B, n, k)."""
    with torch.no_grad():
        logits = network.logits(observations, ())[0]
    return logits.reshape(len(logits), network.agents, -1)


def values_of(network: Any, observations: Observations, hidden: tuple[int, ...] = ()) -> torch.Tensor:
    """Of a fresh critic, (B, 1)."""
    torch.manual_seed(1)
    critic = network.value_head(hidden).double()
    with torch.no_grad():
        return critic(network.features(*network.remembered(observations)))  # type: ignore[no-any-return]


def actions_turned(logits: torch.Tensor, turns: int, flip: bool = False) -> torch.Tensor:
    """Logits of each agent's action, (..., 5), as the moves they stand for turn."""
    for move, times in ((TURN_AND_FLIP["maps"][1], int(flip)), (TURN_AND_FLIP["maps"][0], turns)):
        for _ in range(times):
            logits = torch.stack([logits[..., move.index(a)] for a in range(5)], dim=-1)
    return logits


KINDS = (MultiAgentHomomorphicNetwork, StandardMultiAgentNetwork, MultiAgentGraphNetwork)
