"""Which policy here belongs to which algorithm, and which networks it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from symbench.policies.registry import NETWORKS
from symbench.policies.sb3.off_policy import (
    NetworkDQNPolicy,
    NetworkQRDQNPolicy,
    NetworkSACPolicy,
    NetworkTD3Policy,
    NetworkTQCPolicy,
)
from symbench.policies.sb3.on_policy import NetworkActorCriticPolicy, NetworkMaskablePolicy
from symbench.policies.sb3.recurrent import NetworkRecurrentPolicy

if TYPE_CHECKING:
    from symbench.policies.sb3.bridge import NetworkPolicy

POLICIES: Final[dict[str, type[NetworkPolicy]]] = {
    **dict.fromkeys(("PPO", "A2C", "TRPO"), NetworkActorCriticPolicy),
    "MaskablePPO": NetworkMaskablePolicy,
    "RecurrentPPO": NetworkRecurrentPolicy,
    "DQN": NetworkDQNPolicy,
    "QRDQN": NetworkQRDQNPolicy,
    "SAC": NetworkSACPolicy,
    "TQC": NetworkTQCPolicy,
    **dict.fromkeys(("TD3", "DDPG"), NetworkTD3Policy),
}
"""Name of an algorithm of SB3 or sb3-contrib -> the policy that it takes."""


def trains(kind: str, algorithm: str) -> bool:
    """Whether an algorithm trains networks of a kind."""
    network, policy = NETWORKS[kind], POLICIES[algorithm]
    if network.of_tours or (network.of_team and policy.values_choices):
        return False
    return network.differentiable and (policy.remembers or not network.recurrent)


def training_table() -> str:
    """Networks and algorithms as a table of Markdown."""
    rows = [f"| network | {' | '.join(POLICIES)} |", f"|---|{':-:|' * len(POLICIES)}"]
    for kind in NETWORKS:
        cells = ["yes" if trains(kind, algorithm) else "-" for algorithm in POLICIES]
        rows.append(f"| `{kind}` | {' | '.join(cells)} |")
    return "\n".join(rows)
