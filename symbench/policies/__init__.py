"""Policies: permutation-invariant ones (AttentionNeuron) and the plain baseline, as torch modules, agents and for SB3.

* networks and agents, which need torch only: :class:`MLPNetwork`, :class:`AttentionNeuronNetwork`,
  :class:`RecurrentAttentionNeuronNetwork`, :class:`Agent`, :class:`NetworkAgent`, :class:`RandomAgent`
* policies for Stable-Baselines3, imported on first use: :class:`AttentionNeuronExtractor` (PPO, A2C, DQN, SAC, TD3)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from symbench.policies.agent import Agent, NetworkAgent, RandomAgent
from symbench.policies.networks import (
    NETWORKS,
    AttentionNeuronNetwork,
    MLPNetwork,
    PolicyNetwork,
    RecurrentAttentionNeuronNetwork,
)

if TYPE_CHECKING:
    from symbench.policies.sb3 import AttentionNeuronExtractor, AttentionNeuronPolicy, mlp_network

__all__ = [
    "NETWORKS",
    "Agent",
    "AttentionNeuronExtractor",
    "AttentionNeuronNetwork",
    "AttentionNeuronPolicy",
    "MLPNetwork",
    "NetworkAgent",
    "PolicyNetwork",
    "RandomAgent",
    "RecurrentAttentionNeuronNetwork",
    "mlp_network",
]

# Stable-Baselines3 takes a second to import and a bundled agent does not need it.
_LAZY = {
    "AttentionNeuronExtractor": "sb3",
    "AttentionNeuronPolicy": "sb3",
    "mlp_network": "sb3",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
