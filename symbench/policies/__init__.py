"""Policies: permutation-invariant, equivariant and plain ones, as torch modules, agents and for SB3.

* networks and agents, which need torch only: :class:`MLPNetwork`, :class:`AttentionNeuronNetwork`,
  :class:`RecurrentAttentionNeuronNetwork`, :class:`Agent`, :class:`NetworkAgent`, :class:`RandomAgent`,
  :class:`RescaledAgent`
* networks that read frames: :class:`VisionAttentionNeuronNetwork`, :class:`SetTransformerNetwork`,
  :class:`NatureCNNNetwork`, :class:`AttentionAgentNetwork`
* equivariant networks: :class:`EquivariantMLPNetwork`, :class:`EquivariantCNNNetwork`; their layers are in
  :mod:`symbench.policies.equivariant`
* policies for Stable-Baselines3, imported on first use: :class:`AttentionNeuronExtractor` (PPO, A2C, DQN, SAC, TD3),
  :class:`AttentionNeuronPolicy` (PPO, A2C), :class:`RecurrentAttentionNeuronPolicy` (sb3-contrib's RecurrentPPO),
  :class:`VisionAttentionNeuronExtractor`, :class:`SetTransformerExtractor`, :class:`NetRandCNN`,
  :class:`VisionAttentionNeuronPolicy`, :class:`EquivariantActorCriticPolicy` (PPO, A2C), :class:`EquivariantQPolicy`
  (DQN), :class:`EquivariantSACPolicy` (SAC), :class:`SymmetrizedPolicy`, :class:`CanonicalPolicy`,
  :class:`SymmetricReplayBuffer`, :class:`SymmetricPPO`, :func:`actor_network`, :func:`mlp_network`, :class:`SB3Agent`
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from symbench.policies.agent import Agent, NetworkAgent, RandomAgent
from symbench.policies.attention_networks import AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork
from symbench.policies.equivariant import EquivariantCNNNetwork, EquivariantMLPNetwork
from symbench.policies.networks import MLPNetwork, PolicyNetwork
from symbench.policies.rescaled import RescaledAgent
from symbench.policies.vision import (
    AttentionAgentNetwork,
    NatureCNNNetwork,
    SetTransformerNetwork,
    VisionAttentionNeuronNetwork,
)

if TYPE_CHECKING:
    from symbench.policies.sb3 import (
        AttentionNeuronExtractor,
        AttentionNeuronPolicy,
        CanonicalPolicy,
        EquivariantActorCriticPolicy,
        EquivariantQPolicy,
        EquivariantSACPolicy,
        NetRandCNN,
        RecurrentAttentionNeuronPolicy,
        SB3Agent,
        SetTransformerExtractor,
        SymmetricPPO,
        SymmetricReplayBuffer,
        SymmetrizedPolicy,
        VisionAttentionNeuronExtractor,
        VisionAttentionNeuronPolicy,
        actor_network,
        mlp_network,
    )

__all__ = [
    "NETWORKS",
    "Agent",
    "AttentionAgentNetwork",
    "AttentionNeuronExtractor",
    "AttentionNeuronNetwork",
    "AttentionNeuronPolicy",
    "CanonicalPolicy",
    "EquivariantActorCriticPolicy",
    "EquivariantCNNNetwork",
    "EquivariantMLPNetwork",
    "EquivariantQPolicy",
    "EquivariantSACPolicy",
    "MLPNetwork",
    "NatureCNNNetwork",
    "NetRandCNN",
    "NetworkAgent",
    "PolicyNetwork",
    "RandomAgent",
    "RecurrentAttentionNeuronNetwork",
    "RecurrentAttentionNeuronPolicy",
    "RescaledAgent",
    "SB3Agent",
    "SetTransformerExtractor",
    "SetTransformerNetwork",
    "SymmetricPPO",
    "SymmetricReplayBuffer",
    "SymmetrizedPolicy",
    "VisionAttentionNeuronExtractor",
    "VisionAttentionNeuronNetwork",
    "VisionAttentionNeuronPolicy",
    "actor_network",
    "mlp_network",
]

NETWORKS: Final[dict[str, type[PolicyNetwork]]] = {
    network.kind: network
    for network in (
        MLPNetwork,
        AttentionNeuronNetwork,
        RecurrentAttentionNeuronNetwork,
        VisionAttentionNeuronNetwork,
        SetTransformerNetwork,
        NatureCNNNetwork,
        AttentionAgentNetwork,
        EquivariantMLPNetwork,
        EquivariantCNNNetwork,
    )
}

# Stable-Baselines3 takes a second to import and a bundled agent does not need it.
_FROM_SB3 = (
    "AttentionNeuronExtractor",
    "AttentionNeuronPolicy",
    "CanonicalPolicy",
    "EquivariantActorCriticPolicy",
    "EquivariantQPolicy",
    "EquivariantSACPolicy",
    "NetRandCNN",
    "RecurrentAttentionNeuronPolicy",
    "SB3Agent",
    "SetTransformerExtractor",
    "SymmetricPPO",
    "SymmetricReplayBuffer",
    "SymmetrizedPolicy",
    "VisionAttentionNeuronExtractor",
    "VisionAttentionNeuronPolicy",
    "actor_network",
    "mlp_network",
)


def __getattr__(name: str) -> Any:
    if name not in _FROM_SB3:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.sb3"), name)
