"""What a gate learns besides imitation: which channels show a number of the true state, and which are noise.

By the teacher's answers alone a gate learns to shut out as much noise as there was in training. In a hundred times as
much, a channel in a thousand that it lets through is one too many: so each channel of noise weighs as many as are to
be expected for a sensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn.functional import softplus

from symbench.policies.attention_neuron_networks import AttentionNeuronNetwork

if TYPE_CHECKING:
    from torch import Tensor

    from symbench.policies.policy_network import Inputs, PolicyNetwork
    from symbench.policies.sensor_gate import SensorGate

SCALE = 0.1  # of a loss that begins at about 1, beside the distance from the teacher


def gate_of(network: PolicyNetwork) -> SensorGate | None:
    """The network's gate, if it has one."""
    return network.layer.gate if isinstance(network, AttentionNeuronNetwork) else None


def genuine(observations: Tensor, states: Tensor) -> Tensor:
    """Which channels (B, N) show exactly one of the numbers of the true states (B, S), bool: noise does not."""
    return (observations[:, :, None] == states[:, None]).any(dim=2)


def gate_loss(network: PolicyNetwork, inputs: Inputs, are_genuine: Tensor, odds: float) -> Tensor:
    """How far the gate is from letting through sensors and nothing else, a scalar.

    Args:
        network: Has a gate.
        inputs: Histories of sensors (n, N, k) and actions (n, k, A).
        are_genuine: Which channels are sensors, (n, N) bool.
        odds: How much a channel of noise weighs beside a sensor.
    """
    gate, (sensors, actions) = gate_of(network), inputs
    assert gate is not None and sensors is not None and actions is not None
    logits = gate.logits(sensors, actions).squeeze(2)
    silent = (sensors == 0).all(dim=2)
    shut, opened = (softplus(logits) * (~are_genuine & ~silent)).mean(), (softplus(-logits) * are_genuine).mean()
    return SCALE * (opened + odds * shut)
