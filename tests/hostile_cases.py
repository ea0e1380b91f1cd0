"""What strangers may hand over: damaged bytes, and what must come of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS, action_head
from symbench.policies.actions import BoxHead
from symbench.policies.batches import first
from symbench.policies.multi_agent import TeamNetwork
from symbench.policies.routing import RoutingModel
from symbench.policies.scenes import SceneNetwork
from symbench.policies.vision import VisionNetwork

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"num_sensors": 5, "hidden": (8,)},
    "attention-neuron": {"history": 2, "num_codes": 4},
    "recurrent-attention-neuron": {"num_codes": 4, "hidden": (8,)},
    "unshuffler": {"num_sensors": 5, "policy": {"kind": "mlp", "hidden": [8]}, "dynamics": (8,), "candidates": 8},
    "history-mlp": {"num_sensors": 5, "history": 2, "hidden": (8,)},
    "gru": {"num_sensors": 5, "hidden_dim": 8},
    "transformer": {"history": 2, "width": 8, "heads": 2, "layers": 1, "feed_forward": 8, "hidden": (8,)},
    "vision-attention-neuron": {"num_codes": 16, "conv": [[4, 2, 1]], "hidden": (8,)},
    "set-transformer": {"num_codes": 16, "conv": [[4, 2, 1]], "hidden": (8,)},
    "nature-cnn": {"size": 36, "hidden": (8,)},
    "attention-agent": {"size": 43},
    "patch-unshuffler": {"size": 36, "opening": 2, "policy": {"hidden": (8,)}},
    "equivariant-mlp": {"group": "C2", "observation": {"signs": [[-1, -1, 1, -1, -1]]}, "hidden": (4,)},
    "equivariant-cnn": {"size": 21, "group": "C4", "conv": [[4, 7, 2]], "hidden": (8,)},
    "multi-agent-homomorphic": {"agents": 1, "size": 7, "conv": [[2, 7, 1]], "messages": (3, 2)},
    "multi-agent-standard": {"agents": 1, "size": 7, "conv": [[2, 7, 1]], "messages": (3, 2)},
    "multi-agent-graph": {"agents": 1, "size": 7, "conv": [[2, 7, 1]], "messages": (3, 2)},
    "centralised-cnn": {"agents": 1, "size": 7, "conv": [[2, 7, 1]], "hidden": (8,)},
    "equivariant-graph": {"bodies": 3, "dim": 2, "attributes": 1, "hidden": 4, "depth": 1},
    "plain-graph": {"bodies": 3, "dim": 2, "attributes": 1, "hidden": 4, "depth": 1},
    "scene-mlp": {"bodies": 3, "dim": 2, "attributes": 1, "hidden": (8,)},
    "frame-averaged": {"bodies": 3, "dim": 2, "attributes": 1, "network": {"kind": "scene-mlp", "hidden": [8]}},
    "residual-graph": {"bodies": 3, "dim": 2, "attributes": 1, "hidden": 4, "depth": 1},
    "attention-model": {"width": 8, "heads": 2, "layers": 1, "hidden": 8},
    "pomo": {"width": 8, "heads": 2, "layers": 1, "hidden": 8},
    "distance-model": {"width": 8, "heads": 2, "layers": 1, "hidden": 8},
    "egnn-model": {"width": 8, "heads": 2, "layers": 1, "hidden": 8},
    "framed-routing": {"network": {"kind": "attention-model", "width": 8, "heads": 2, "layers": 1, "hidden": 8}},
}
"""A small network of each kind; teams of one, so that all act in the same spaces."""
TWO = spaces.Box(-1, 1, (2,))
ROUTING = tuple(kind for kind, network in NETWORKS.items() if network.of_tours)
SCENES = tuple(kind for kind, network in NETWORKS.items() if issubclass(network, SceneNetwork))


def acted_in(kind: str, space: Any) -> Any:
    """The space, or what in scenes is like it: they know forces in a ball and directions, and nothing else."""
    if kind not in SCENES:
        return space
    head = action_head(space)
    squash = head.squash if isinstance(head, BoxHead) else "clip"
    return action_head(TWO, squash=squash).data() if isinstance(head, BoxHead) else {"discrete": 5}


def observations_of(network: Any, *batch: int, seed: int = 0) -> Any:
    """Random observations that a network can read, with these leading axes."""
    rng = np.random.default_rng(seed)
    if isinstance(network, SceneNetwork):
        numbers = {"positions": network.dim, "velocities": network.dim * network.velocities}
        numbers["attributes"] = network.attributes
        parts = {key: (*batch, network.bodies, number) for key, number in numbers.items() if number}
        return {key: rng.normal(size=shape).astype(np.float32) for key, shape in parts.items()}
    if isinstance(network, TeamNetwork):
        shape = (*batch, network.agents, network.channels, network.size, network.size)
        positions = rng.uniform(-1, 1, (*batch, network.agents, 2)).astype(np.float32)
        return {"images": rng.integers(0, 2, shape).astype(np.float32), "positions": positions}
    if isinstance(network, RoutingModel):
        cities, none_yet = rng.random((*batch, 7, 2), np.float32), np.full(batch, 7)
        mask = rng.integers(0, 2, (*batch, 7)) | (np.arange(7) == 0)
        return {"cities": cities, "first": none_yet, "current": none_yet, "action_mask": mask}
    if isinstance(network, VisionNetwork):
        side = getattr(network, "size", 24)
        return rng.integers(0, 256, (*batch, side, side, network.channels), np.uint8)
    return rng.normal(size=(*batch, getattr(network, "num_sensors", None) or 5)).astype(np.float32)


def shape_of(observations: Any, axes: int = 1) -> tuple[int, ...]:
    """Shape of one of a batch of observations, as initial states are asked for."""
    return tuple(first(observations).shape[axes:])


def card_of(path: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    return card


def write_card(path: Path, card: Any) -> None:
    path.with_suffix(".json").write_text(json.dumps(card))


def refused(load: Any, *args: Any) -> str | None:
    """The one line with which something is refused; ``None`` if it loads. Any other error is a failure."""
    try:
        load(*args)
    except SymbenchError as error:
        message = str(error)
        assert message.isprintable()  # so it has one line
        assert len(message) < 1000
        return message
    return None


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes changed, taken out, put in, doubled or cut off."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data) + 1))
        size = int(rng.integers(1, 20))
        match rng.integers(6):
            case 0:
                data[at : at + size] = rng.bytes(size)
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = rng.bytes(size)
            case 3:
                data[at:at] = data[max(0, at - size) : at]
            case 4:
                del data[at:]
            case _:
                data[at : at + 1] = bytes([rng.choice(list(b'0123456789{}[]",:-eEN\x00\xff'))])
        data = data or bytearray(b"x")
    return bytes(data)
