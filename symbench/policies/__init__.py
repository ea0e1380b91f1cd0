"""Policies: permutation-invariant, equivariant and plain ones, as torch modules, agents and for SB3.

* networks and agents, which need torch only: :class:`MLPNetwork`, :class:`AttentionNeuronNetwork`,
  :class:`RecurrentAttentionNeuronNetwork`, :class:`Agent`, :class:`NetworkAgent`, :class:`RandomAgent`,
  :class:`RescaledAgent`; :func:`make_network` - a network of a kind, for a task
* ordinary networks with a memory: :class:`HistoryMLPNetwork`, :class:`GRUNetwork`, :class:`TransformerNetwork`
* networks that read frames: :class:`VisionAttentionNeuronNetwork`, :class:`SetTransformerNetwork`,
  :class:`NatureCNNNetwork`, :class:`AttentionAgentNetwork`
* equivariant networks: :class:`EquivariantMLPNetwork`, :class:`EquivariantCNNNetwork`; their layers are in
  :mod:`symbench.policies.equivariant`
* graph networks, for nodes with positions: :class:`EGNN`, :class:`GNN`, :class:`RadialField`, :class:`E2GN2`,
  :class:`SteerableGNN`, :class:`SE3Transformer`, :class:`TensorFieldNetwork`; see :mod:`symbench.policies.graph`
* networks that move teams: :class:`MultiAgentHomomorphicNetwork` and what it is compared with, and
  :class:`DistributedTeam`; see :mod:`symbench.policies.multi_agent`
* networks that push bodies: :class:`EquivariantGraphNetwork`, and what it is compared with,
  :class:`PlainGraphNetwork`, :class:`SceneMLPNetwork`, these in frames, :class:`FrameAveragedNetwork`, and with a soft
  constraint, :class:`ResidualPathwayNetwork`; see :mod:`symbench.policies.scenes`
* policies for Stable-Baselines3 over all of them, imported on first use: see :mod:`symbench.policies.sb3`
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import symbench.envs  # noqa: F401  (whoever trains a policy names an environment)
from symbench.policies.actions import ActionHead, action_head
from symbench.policies.agent import Agent, NetworkAgent
from symbench.policies.attention_neuron_networks import AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork
from symbench.policies.equivariant import EquivariantCNNNetwork, EquivariantMLPNetwork
from symbench.policies.graph import E2GN2, EGNN, GNN, RadialField, SE3Transformer, SteerableGNN, TensorFieldNetwork
from symbench.policies.multi_agent import (
    CentralisedCNNNetwork,
    DistributedTeam,
    MultiAgentGraphNetwork,
    MultiAgentHomomorphicNetwork,
    StandardMultiAgentNetwork,
)
from symbench.policies.policy_network import MLPNetwork, PolicyNetwork
from symbench.policies.random_agent import RandomAgent
from symbench.policies.registry import NETWORKS, make_network
from symbench.policies.rescaled import RescaledAgent
from symbench.policies.scenes import (
    EquivariantGraphNetwork,
    FrameAveragedNetwork,
    PlainGraphNetwork,
    ResidualPathwayNetwork,
    SceneMLPNetwork,
)
from symbench.policies.sensor_baselines import GRUNetwork, HistoryMLPNetwork, TransformerNetwork
from symbench.policies.unshuffler import UnshufflerNetwork
from symbench.policies.vision import (
    AttentionAgentNetwork,
    NatureCNNNetwork,
    PatchUnshufflerNetwork,
    SetTransformerNetwork,
    VisionAttentionNeuronNetwork,
)

if TYPE_CHECKING:
    from symbench.policies.sb3 import (
        CanonicalPolicy,
        EquivariantGraphPolicy,
        FrameAveragedPolicy,
        NetworkActorCriticPolicy,
        NetworkDQNPolicy,
        NetworkMaskablePolicy,
        NetworkQRDQNPolicy,
        NetworkRecurrentPolicy,
        NetworkSACPolicy,
        NetworkTD3Policy,
        NetworkTQCPolicy,
        SB3Agent,
        SymmetricPPO,
        SymmetricReplayBuffer,
        SymmetrizedPolicy,
        actor_network,
    )

__all__ = [
    "E2GN2",
    "EGNN",
    "GNN",
    "NETWORKS",
    "ActionHead",
    "Agent",
    "AttentionAgentNetwork",
    "AttentionNeuronNetwork",
    "CanonicalPolicy",
    "CentralisedCNNNetwork",
    "DistributedTeam",
    "EquivariantCNNNetwork",
    "EquivariantGraphNetwork",
    "EquivariantGraphPolicy",
    "EquivariantMLPNetwork",
    "FrameAveragedNetwork",
    "FrameAveragedPolicy",
    "GRUNetwork",
    "HistoryMLPNetwork",
    "MLPNetwork",
    "MultiAgentGraphNetwork",
    "MultiAgentHomomorphicNetwork",
    "NatureCNNNetwork",
    "NetworkActorCriticPolicy",
    "NetworkAgent",
    "NetworkDQNPolicy",
    "NetworkMaskablePolicy",
    "NetworkQRDQNPolicy",
    "NetworkRecurrentPolicy",
    "NetworkSACPolicy",
    "NetworkTD3Policy",
    "NetworkTQCPolicy",
    "PatchUnshufflerNetwork",
    "PlainGraphNetwork",
    "PolicyNetwork",
    "RadialField",
    "RandomAgent",
    "RecurrentAttentionNeuronNetwork",
    "RescaledAgent",
    "ResidualPathwayNetwork",
    "SB3Agent",
    "SE3Transformer",
    "SceneMLPNetwork",
    "SetTransformerNetwork",
    "StandardMultiAgentNetwork",
    "SteerableGNN",
    "SymmetricPPO",
    "SymmetricReplayBuffer",
    "SymmetrizedPolicy",
    "TensorFieldNetwork",
    "TransformerNetwork",
    "UnshufflerNetwork",
    "VisionAttentionNeuronNetwork",
    "action_head",
    "actor_network",
    "make_network",
]


def __getattr__(name: str) -> Any:
    # Stable-Baselines3 takes a second to import and a bundled agent does not need it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.sb3"), name)
