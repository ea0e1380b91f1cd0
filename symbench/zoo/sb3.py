"""Models saved by Stable-Baselines3 as agents. Such a file is a pickle: it can execute anything while it loads."""

from __future__ import annotations

import json
import re
import textwrap
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium.spaces import Box, Discrete

from symbench.errors import SymbenchError, unknown
from symbench.policies.agent import NetworkAgent
from symbench.policies.spaces import form

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

# What only files of these algorithms hold (RecurrentPPO's hold the same as PPO's).
_MARKS: Final = {
    "clip_range": ("ppo", "recurrent_ppo", "ppo_lstm"),
    "gae_lambda": ("a2c",),
    "exploration_fraction": ("dqn",),
    "target_entropy": ("sac",),
    "target_policy_noise": ("td3",),
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
    saved = _plain_data(path)
    _check_algorithm(algorithm.lower(), path, saved)
    return _agent(_load(algorithm.lower(), path, _saved_spaces(saved, observation_space, action_space)), path.stem)


def _plain_data(path: Path) -> dict[str, Any]:
    """What is written in plain text beside the pickles: reading it executes nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            data: dict[str, Any] = json.loads(archive.read("data"))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
        raise SymbenchError(f"{path} is corrupt or was not saved by Stable-Baselines3 ({error})") from error
    return data


def _check_algorithm(algorithm: str, path: Path, saved: dict[str, Any]) -> None:
    fitting = next((names for mark, names in _MARKS.items() if mark in saved), (algorithm,))
    if algorithm not in fitting:
        raise SymbenchError(f"{path} was saved by {fitting[0].upper()}, not {algorithm.upper()}: {fitting[0]}:{path}")


def _load(algorithm: str, path: Path, spaces: dict[str, Any]) -> BaseAlgorithm:
    module, _, name = ALGORITHMS[algorithm].rpartition(".")
    model_class = getattr(import_module(module), name)
    # The saved spaces first: they are exact. Those of old versions cannot be unpickled.
    try:
        return _read(model_class, path, {})
    except Exception:  # unpickling can raise anything
        pass
    try:
        return _read(model_class, path, spaces)
    except Exception as error:
        text = textwrap.shorten(f"{type(error).__name__}: {error}", 300, placeholder=" ...")
        raise SymbenchError(f"{path} cannot be loaded as a {algorithm} model ({text})") from error


def _read(model_class: type[BaseAlgorithm], path: Path, spaces: dict[str, Any]) -> BaseAlgorithm:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the file is old; that a schedule was replaced
        return model_class.load(path, device="cpu", custom_objects={**_NOT_NEEDED, **spaces})


def _saved_spaces(
    saved: dict[str, Any], observation_space: Space[Any] | None, action_space: Space[Any] | None
) -> dict[str, Space[Any]]:
    """The spaces that the file describes in plain text; the task's own where they have the same shape, or none is."""
    spaces = {}
    for name, given in (("observation_space", observation_space), ("action_space", action_space)):
        space = _described(saved.get(name, {}))
        if given is not None and (space is None or form(space) == form(given)):
            space = given
        if space is not None:
            spaces[name] = space
    return spaces


def _described(text: dict[str, Any]) -> Space[Any] | None:
    if "n" in text:
        return Discrete(int(text["n"]))
    shape = [int(size) for size in re.findall(r"\d+", str(text.get("shape", text.get("_shape", ""))))]
    return Box(-np.inf, np.inf, shape) if shape else None


def _agent(model: BaseAlgorithm, name: str) -> Agent:
    from symbench.policies.networks import MLPNetwork
    from symbench.policies.sb3 import SB3Agent, actor_network

    try:
        network = actor_network(model)
    except ValueError:
        return SB3Agent(model, name)
    return SB3Agent(model, name) if isinstance(network, MLPNetwork) else NetworkAgent(network, name)
