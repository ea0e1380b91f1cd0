"""Policies of teams: several like agents, each with a picture of its own and a place, and one joint action.

* :class:`MultiAgentHomomorphicNetwork` - equivariant encoders, messages and heads
* :class:`StandardMultiAgentNetwork`, :class:`MultiAgentGraphNetwork` - ordinary ones that exchange messages, too
* :class:`CentralisedCNNNetwork` - an ordinary network over all pictures at once
* :class:`DistributedTeam` - the same policy as separate agents that share nothing but what they send

Source: van der Pol et al. 2022, "Multi-agent MDP homomorphic networks" (ICLR, arXiv 2110.04495).
"""

from symbench.policies.multi_agent.centralised import CentralisedCNNNetwork
from symbench.policies.multi_agent.distributed_team import DistributedTeam, Outgoing, deliver
from symbench.policies.multi_agent.homomorphic import MultiAgentHomomorphicNetwork
from symbench.policies.multi_agent.message_passing import MessagePassingNetwork
from symbench.policies.multi_agent.standard import MultiAgentGraphNetwork, StandardMultiAgentNetwork
from symbench.policies.multi_agent.team_network import TeamNetwork

__all__ = [
    "CentralisedCNNNetwork",
    "DistributedTeam",
    "MessagePassingNetwork",
    "MultiAgentGraphNetwork",
    "MultiAgentHomomorphicNetwork",
    "Outgoing",
    "StandardMultiAgentNetwork",
    "TeamNetwork",
    "deliver",
]
