"""What tests of symmetries with Stable-Baselines3 share: small settings, representations, rows of observations."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbench.policies.equivariant import action_of, group_named, symmetry_data

SMALL = {"n_steps": 32, "batch_size": 32, "n_epochs": 1, "device": "cpu", "seed": 0}
STARTS = {"learning_starts": 20, "buffer_size": 200, "device": "cpu", "seed": 0}


def parts(env_id: str) -> tuple[Any, Any]:
    data = symmetry_data(env_id)
    group = group_named(data["group"])
    return action_of(group, data["observation"]), action_of(group, data["action"])


def rows(size: int, dim: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(size, dim)).astype(np.float32)
