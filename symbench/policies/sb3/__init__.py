"""Networks in Stable-Baselines3, and SB3 models as agents of the benchmark.

The module that SB3 trains is the one that the zoo saves and the runner plays: ``model.policy.network``.

* :class:`NetworkActorCriticPolicy` - for PPO, A2C and sb3-contrib's TRPO; :class:`NetworkMaskablePolicy` - MaskablePPO
* :class:`EquivariantGraphPolicy` - the first with a network that turns with the scene
* :class:`NetworkRecurrentPolicy` - for RecurrentPPO: a network trains with its own memory
* :class:`NetworkDQNPolicy`, :class:`NetworkQRDQNPolicy` - action values
* :class:`NetworkSACPolicy`, :class:`NetworkTQCPolicy`, :class:`NetworkTD3Policy` - continuous actions
* :data:`POLICIES`, :func:`trains` - which policy an algorithm takes, and which networks it trains
* :class:`SymmetrizedPolicy`, :class:`CanonicalPolicy`, :class:`FrameAveragedPolicy` - any policy made equivariant when
  it acts
* :class:`SymmetricReplayBuffer`, :class:`SymmetricPPO` - symmetries learned from data
* :func:`actor_network` - the network of a model, also of SB3's own policies
* :class:`SB3Agent` - any SB3 model in the benchmark
"""

from symbench.policies.sb3.algorithms import POLICIES, training_table, trains
from symbench.policies.sb3.augmentation import SymmetricPPO, SymmetricReplayBuffer
from symbench.policies.sb3.bridge import STATE
from symbench.policies.sb3.off_policy import (
    NetworkDQNPolicy,
    NetworkQRDQNPolicy,
    NetworkSACPolicy,
    NetworkTD3Policy,
    NetworkTQCPolicy,
)
from symbench.policies.sb3.on_policy import (
    EquivariantGraphPolicy,
    NetworkActorCriticPolicy,
    NetworkMaskablePolicy,
)
from symbench.policies.sb3.recurrent import NetworkRecurrentPolicy
from symbench.policies.sb3.sb3_agent import SB3Agent
from symbench.policies.sb3.stock import actor_network
from symbench.policies.sb3.symmetrised import CanonicalPolicy, FrameAveragedPolicy, SymmetrizedPolicy

__all__ = [
    "POLICIES",
    "STATE",
    "CanonicalPolicy",
    "EquivariantGraphPolicy",
    "FrameAveragedPolicy",
    "NetworkActorCriticPolicy",
    "NetworkDQNPolicy",
    "NetworkMaskablePolicy",
    "NetworkQRDQNPolicy",
    "NetworkRecurrentPolicy",
    "NetworkSACPolicy",
    "NetworkTD3Policy",
    "NetworkTQCPolicy",
    "SB3Agent",
    "SymmetricPPO",
    "SymmetricReplayBuffer",
    "SymmetrizedPolicy",
    "actor_network",
    "training_table",
    "trains",
]
