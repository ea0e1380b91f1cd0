"""Invariant and equivariant policies for Stable-Baselines3, and SB3 models as agents of the benchmark.

* :class:`AttentionNeuronExtractor` - a features extractor, for any SB3 algorithm with ``"MultiInputPolicy"``
* :class:`AttentionNeuronPolicy` - for PPO and A2C, with a critic that may see the true state
* :class:`RecurrentAttentionNeuronPolicy` - the published layer, for sb3-contrib's RecurrentPPO
* :class:`VisionAttentionNeuronExtractor`, :class:`SetTransformerExtractor`, :class:`VisionAttentionNeuronPolicy` - for
  frames as unordered patches
* :class:`NetRandCNN` - convolutions behind random filters
* :class:`EquivariantActorCriticPolicy` (PPO, A2C), :class:`EquivariantQPolicy` (DQN), :class:`EquivariantSACPolicy`
* :class:`SymmetrizedPolicy`, :class:`CanonicalPolicy` - any policy made equivariant when it acts
* :class:`SymmetricReplayBuffer`, :class:`SymmetricPPO` - symmetries learned from data
* :func:`actor_network`, :func:`mlp_network` - a trained actor as a torch module without SB3
* :class:`SB3Agent` - any SB3 model in the benchmark
"""

from symbench.policies.sb3.agent import SB3Agent
from symbench.policies.sb3.augmentation import SymmetricPPO, SymmetricReplayBuffer
from symbench.policies.sb3.equivariant import (
    EquivariantActorCriticPolicy,
    EquivariantQPolicy,
    EquivariantSACPolicy,
)
from symbench.policies.sb3.export import actor_network, mlp_network
from symbench.policies.sb3.layers import STATE, AttentionNeuronExtractor
from symbench.policies.sb3.policies import (
    AttentionNeuronPolicy,
    RecurrentAttentionNeuronPolicy,
    VisionAttentionNeuronPolicy,
)
from symbench.policies.sb3.symmetrised import CanonicalPolicy, SymmetrizedPolicy
from symbench.policies.sb3.vision import NetRandCNN, SetTransformerExtractor, VisionAttentionNeuronExtractor

__all__ = [
    "STATE",
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
]
