"""Models saved by Stable-Baselines3 as agents. Such a file is a pickle: it can execute anything while it loads."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium.spaces import Box

from symbench.errors import SymbenchError, unknown
from symbench.policies.agent import NetworkAgent

if TYPE_CHECKING:
    from gymnasium.spaces import Space
    from stable_baselines3.common.base_class import BaseAlgorithm

    from symbench.policies.agent import Agent

ALGORITHMS: Final = {
    "ppo": "stable_baselines3.PPO",
    "a2c": "stable_baselines3.A2C",
    "dqn": "stable_baselines3.DQN",
    "sac": "stable_baselines3.SAC",
    "td3": "stable_baselines3.TD3",
    "recurrent_ppo": "sb3_contrib.RecurrentPPO",
    "ppo_lstm": "sb3_contrib.RecurrentPPO",  # its name in rl_zoo3
}

# What only training needs. Old versions pickled schedules that today's Python cannot read; buffers waste memory.
_NOT_NEEDED: Final[dict[str, Any]] = {
    "lr_schedule": lambda _: 0.0,
    "learning_rate": 0.0,
    "clip_range": lambda _: 0.0,
    "clip_range_vf": None,
    "exploration_schedule": lambda _: 0.0,
    "buffer_size": 1,
    "optimize_memory_usage": False,
}


def load_sb3(
    spec: str,
    trust: bool = False,
    observation_space: Space[Any] | None = None,
    action_space: Space[Any] | None = None,
) -> Agent:
    """Load a model from a zip file of Stable-Baselines3 or sb3-contrib.

    Models with an AttentionNeuron layer become agents that read plain sensors, in any number and order, whatever
    wrapper they were trained with; all others predict through SB3.

    Args:
        spec: ``"ALGORITHM:FILE.zip"``, e.g. ``"ppo:my_agent.zip"``; algorithms are ppo, a2c, dqn, sac, td3,
            recurrent_ppo (or ppo_lstm).
        trust: Whether the file's origin is trusted.
        observation_space: The task's space, used if the saved one cannot be read (files of old versions).
        action_space: The task's space, used likewise.

    Raises:
        SymbenchError: The file is not trusted, missing, corrupt, or does not fit these spaces.
    """
    algorithm, _, file = spec.partition(":")
    if algorithm.lower() not in ALGORITHMS:
        raise unknown("algorithm", algorithm, ALGORITHMS)
    path = Path(file)
    if not trust:
        raise SymbenchError(
            f"{file} is a pickle, which can execute any code while it loads: "
            "if you trust where it comes from, add --trust (in Python: trust=True)"
        )
    if not path.is_file():
        raise SymbenchError(f"the agent's file {file!r} does not exist; ALGORITHM:FILE.zip was expected")
    spaces = {"observation_space": observation_space, "action_space": action_space}
    known = {name: space for name, space in spaces.items() if space is not None}
    model = _load(algorithm.lower(), path, known)
    return _agent(model, path.stem)


def _load(algorithm: str, path: Path, spaces: dict[str, Any]) -> BaseAlgorithm:
    module, _, name = ALGORITHMS[algorithm].rpartition(".")
    model_class = getattr(import_module(module), name)
    # The saved spaces first: they tell whether the agent fits the task. Those of old versions cannot be unpickled.
    try:
        return _read(model_class, path, {})
    except Exception:  # unpickling can raise anything
        pass
    try:
        return _read(model_class, path, _with_saved_shape(spaces, path))
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise SymbenchError(f"{path} is not a {algorithm} model that fits this task ({text})") from error


def _read(model_class: type[BaseAlgorithm], path: Path, spaces: dict[str, Any]) -> BaseAlgorithm:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the file is old; that a schedule was replaced
        return model_class.load(path, device="cpu", custom_objects={**_NOT_NEEDED, **spaces})


def _with_saved_shape(spaces: dict[str, Any], path: Path) -> dict[str, Any]:
    """The task's spaces, but with the saved number of sensors, which is written in plain text beside the pickle."""
    with zipfile.ZipFile(path) as archive:
        saved = json.loads(archive.read("data"))["observation_space"]
    shape = tuple(int(size) for size in re.findall(r"\d+", str(saved.get("shape", saved.get("_shape", "")))))
    if not shape or "observation_space" not in spaces or spaces["observation_space"].shape == shape:
        return spaces
    return {**spaces, "observation_space": Box(-np.inf, np.inf, shape)}


def _agent(model: BaseAlgorithm, name: str) -> Agent:
    from symbench.policies.networks import MLPNetwork
    from symbench.policies.sb3 import SB3Agent, actor_network

    try:
        network = actor_network(model)
    except ValueError:
        return SB3Agent(model, name)
    return SB3Agent(model, name) if isinstance(network, MLPNetwork) else NetworkAgent(network, name)
