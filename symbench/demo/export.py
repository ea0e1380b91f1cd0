"""Agents as JSON: what a page needs to play them without Python."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.zoo import bundled, load_card, load_network

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

TASK: Final = "CartPoleSwingUp"
KINDS: Final = ("mlp", "history-mlp", "attention-neuron", "recurrent-attention-neuron")
"""Architectures that ``page/networks.js`` plays, in the order in which they are offered."""

_PLAIN: Final = {"normalisation": "none", "num_layers": 1, "differences": 0.0}  # the page's layer knows no others


def exported_agent(path: str | Path) -> dict[str, Any]:
    """One agent as JSON values; its numbers are those of the file, bit for bit.

    Args:
        path: As of :func:`symbench.zoo.load_agent`.

    Returns:
        ``name``, ``kind``, ``description``, ``config`` and ``weights``: name -> ``shape`` and ``float32``, the numbers
        in base64, little-endian.

    Raises:
        SymbenchError: The files are no agent, or one that the page cannot play.
    """
    card, network = load_card(path), load_network(path)
    config = network.config()
    if problem := _unplayable(card["kind"], config):
        raise SymbenchError(f"{path} {problem}; the page plays networks of kind {', '.join(KINDS)} on {TASK}")
    return {
        "name": card.get("agent", card["kind"]),
        "kind": card["kind"],
        "description": card.get("description", ""),
        "config": config,
        "weights": {name: _packed(tensor) for name, tensor in network.state_dict().items()},
    }


def bundled_agents() -> list[dict[str, Any]]:
    """The first training run of every bundled agent that the page can play, in the order of :data:`KINDS`."""
    paths = [runs[0] for runs in bundled(TASK).values()]
    cards = [(load_card(path), path) for path in paths]
    playable = [(card["kind"], path) for card, path in cards if not _unplayable(card["kind"], card["config"])]
    return [exported_agent(path) for _, path in sorted(playable, key=lambda found: KINDS.index(found[0]))]


def _unplayable(kind: str, config: dict[str, Any]) -> str:
    """Why the page cannot play it; empty if it can."""
    if kind not in KINDS:
        return f"is of kind {kind}"
    for setting, plain in _PLAIN.items():
        if config.get(setting, plain) != plain:
            return f"has {setting} {config[setting]!r}"
    space = config.get("action_space", {"low": [0], "squash": "clip"})  # older cards say it in other words
    is_force = len(space.get("low", ())) == 1 and space.get("squash", "clip") == "clip"
    is_five = config.get("num_sensors", 5) == 5
    return "" if is_force and is_five else "is of another task"


def _packed(tensor: Tensor) -> dict[str, Any]:
    numbers = tensor.numpy().astype(np.dtype("<f4"))
    return {"shape": list(tensor.shape), "float32": base64.b64encode(numbers.tobytes()).decode()}
