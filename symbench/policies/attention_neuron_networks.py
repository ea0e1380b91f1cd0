"""Permutation-invariant policies: any number of sensors, in any order.

* :class:`AttentionNeuronNetwork` - keys from a history of sensor values and actions
* :class:`RecurrentAttentionNeuronNetwork` - keys from one LSTM per sensor, as published
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from symbench.policies.attention_neuron import AttentionNeuron, RecurrentAttentionNeuron, dense
from symbench.policies.policy_network import SensorNetwork
from symbench.policies.sensor_gate import most_open
from symbench.policies.sensor_histories import SensorHistoryNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

MOST_LAYERS = 16
MANY = 128  # with more sensors, layers behind a gate read only those that it lets through
OPEN = 64  # which are at most so many; where there are more, they read all


class AttentionNeuronNetwork(SensorHistoryNetwork):
    """:class:`~symbench.policies.attention_neuron.AttentionNeuron` over the last k values and actions, then an MLP.

    It acts on any number of sensors in any order.
    """

    kind = "attention-neuron"

    def __init__(
        self,
        action_space: ActionSpace,
        history: int = 8,
        num_codes: int = 16,
        value_dim: int = 8,
        key_widths: Sequence[int] = (64, 32),
        query_dim: int = 8,
        projection_dim: int = 32,
        key_activation: str = "tanh",
        normalisation: str = "none",
        num_layers: int = 1,
        differences: float = 0.0,
        hidden: Sequence[int] = (64,),
        activation: str = "tanh",
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            history: Time steps k it sees.
            num_codes: Rows M of the layer's output.
            value_dim: Columns d_v of the layer's output.
            key_widths: Widths of the key network.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width d_q in which queries and keys are compared.
            key_activation: ``"tanh"`` or ``"relu"``, in the key network.
            normalisation: ``"none"``, ``"softmax"`` or ``"gate"``, over the sensors; see the layer.
            num_layers: Each above the first reads the sensors again, told what the one below said. The head is given
                the codes of all of them. At most 16.
            differences: How many times enlarged layers also see a sensor's steps from value to value; 0: not at all.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.

        Raises:
            ValueError: There is no layer, or too many, or a setting of the layer is impossible.
        """
        if type(num_layers) is not int or not 1 <= num_layers <= MOST_LAYERS:
            raise ValueError(f"num_layers must be a whole number from 1 to {MOST_LAYERS}, received {num_layers!r}")
        layer: dict[str, Any] = {"history": history, "num_codes": num_codes, "value_dim": value_dim}
        layer |= {"key_widths": tuple(key_widths), "query_dim": query_dim, "projection_dim": projection_dim}
        head: dict[str, Any] = {"key_activation": key_activation, "hidden": tuple(hidden), "activation": activation}
        # Published settings say nothing of normalisation, differences or several layers.
        if normalisation != "none":
            layer["normalisation"] = normalisation
        if differences:
            layer["differences"] = differences
        super().__init__(action_space, **layer, **head, **({"num_layers": num_layers} if num_layers > 1 else {}))
        layer |= {"action_dim": self.action.size, "activation": key_activation}
        self.layer = AttentionNeuron(**layer)
        code = self.layer.output_dim
        self.layers_above = nn.ModuleList(AttentionNeuron(**layer, code_below=code) for _ in range(num_layers - 1))
        self.features_dim = num_layers * code
        self.head = dense((self.features_dim, *hidden, self.action.num_logits), activation)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The codes of all layers, (B, L * M * d_v)."""
        sensors, actions = inputs
        assert sensors is not None
        passed = None if self.layer.gate is None else self.layer.gate(sensors, actions)
        if passed is None or torch.is_grad_enabled() or sensors.shape[1] <= MANY:
            return self._codes(sensors, actions, passed)
        return self._codes_of_the_open(sensors, actions, passed)

    def _codes(self, sensors: Tensor, actions: Tensor | None, passed: Tensor | None) -> Tensor:
        codes = [self.layer(sensors, actions, passed=passed)]
        for layer in self.layers_above:
            codes.append(layer(sensors, actions, codes[-1], passed))
        return torch.cat(codes, dim=1)

    def _codes_of_the_open(self, sensors: Tensor, actions: Tensor | None, passed: Tensor) -> Tensor:
        """The same, without computing what the gate shuts out, which adds exactly nothing.

        Which way a row is computed depends on that row alone, not on the others of its batch.
        """
        assert actions is not None
        crowded = (passed > 0).sum(dim=(1, 2)) > OPEN
        codes = sensors.new_empty(len(sensors), self.features_dim)
        codes[crowded] = self._codes(sensors[crowded], actions[crowded], passed[crowded])
        few_sensors, few_passed = most_open(sensors[~crowded], passed[~crowded], OPEN)
        codes[~crowded] = self._codes(few_sensors, actions[~crowded], few_passed)
        return codes


class RecurrentAttentionNeuronNetwork(SensorNetwork):
    """:class:`~symbench.policies.attention_neuron.RecurrentAttentionNeuron`, then an MLP: the published architecture.

    Its state is the hidden and the cell state of every sensor's LSTM (B, N, H) and the previous action (B, A). It
    acts on any number of sensors in any order. Source: Tang & Ha 2021 (arXiv 2109.02869), appendix A: cart-pole has
    no hidden layer in its head, Ant has one of 32 units.
    """

    kind = "recurrent-attention-neuron"
    memory = "a state for every sensor"
    recurrent = True

    def __init__(
        self,
        action_space: ActionSpace,
        num_codes: int = 16,
        hidden_dim: int = 8,
        query_dim: int = 8,
        projection_dim: int = 32,
        bias: bool = False,
        scale: bool = False,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            num_codes: Length M of the layer's output.
            hidden_dim: Size H of a sensor's LSTM.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width in which queries and keys are compared.
            bias: Whether the projections of queries and keys have a bias.
            scale: Whether scores are divided by ``sqrt(projection_dim)``.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.
        """
        layer: dict[str, Any] = {"num_codes": num_codes, "hidden_dim": hidden_dim, "query_dim": query_dim}
        layer |= {"projection_dim": projection_dim, "bias": bias, "scale": scale}
        super().__init__(action_space, **layer, hidden=tuple(hidden), activation=activation)
        self.layer = RecurrentAttentionNeuron(action_dim=self.action.size, **layer)
        self.features_dim = num_codes
        self.head = dense((num_codes, *hidden, self.action.num_logits), activation)

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros: hidden and cell states (B, N, H), previous action (B, A)."""
        lstm = self._zeros(batch, *shape, self.layer.hidden_dim)
        return lstm, lstm.clone(), self._zeros(batch, self.action.size)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The layer's code (B, M), and the next LSTM states."""
        hidden, cell, previous_actions = state
        code, hidden, cell = self.layer(observations, previous_actions, hidden, cell)
        return (code,), (hidden, cell, previous_actions)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The same LSTM states, and the action."""
        hidden, cell, _ = state
        return hidden, cell, actions
