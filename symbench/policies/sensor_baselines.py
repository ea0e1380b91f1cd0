"""Ordinary networks with a memory, for sensors in one order: what a permutation-invariant layer is compared with.

* :class:`HistoryMLPNetwork` - an MLP over the last k values of all sensors and the last k actions
* :class:`GRUNetwork` - a recurrent network (Cho et al. 2014, arXiv 1406.1078)
* :class:`TransformerNetwork` - attention among sensors that know their places (Vaswani et al. 2017, arXiv 1706.03762)

Each could learn in one episode which sensor is which. None is built for it, but for the transformer without places,
which is permutation invariant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from symbench.policies.attention_neuron import compress, dense, sinusoidal_table
from symbench.policies.policy_network import SensorNetwork
from symbench.policies.routing.attention_encoder import AttentionLayer
from symbench.policies.sensor_histories import SensorHistoryNetwork
from symbench.policies.spaces import shapes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium import spaces

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations


class HistoryMLPNetwork(SensorHistoryNetwork):
    """A multilayer perceptron over the last k values of all sensors, in their order, and the last k actions."""

    kind = "history-mlp"
    ortho_init = True

    def __init__(
        self,
        num_sensors: int,
        action_space: ActionSpace,
        history: int = 12,
        hidden: Sequence[int] = (256, 128),
        activation: str = "relu",
    ) -> None:
        """Make the network.

        Args:
            num_sensors: Number of sensors N.
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            history: Time steps k it sees.
            hidden: Widths of the hidden layers.
            activation: ``"tanh"`` or ``"relu"``.
        """
        sizes = {"num_sensors": num_sensors, "hidden": tuple(hidden), "activation": activation}
        super().__init__(action_space, history, **sizes)
        self.num_sensors = num_sensors
        self.features_dim = history * (num_sensors + self.action.size)
        self.head = dense((self.features_dim, *hidden, self.action.num_logits), activation)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        implied = super().sizes(space, given, shown)
        sensors = shapes_of(space, "SensorHistory", ("sensors", 2), ("actions", 2))[0] if shown else space.shape or ()
        return {**implied, "num_sensors": sensors[0]}

    def features(self, *inputs: Tensor | None) -> Tensor:
        """All that is remembered, (B, k * (N + A))."""
        sensors, actions = inputs
        assert sensors is not None
        assert actions is not None
        return torch.cat([sensors.flatten(1), actions.flatten(1)], dim=1)


class GRUNetwork(SensorNetwork):
    """A gated recurrent unit over the sensors, in their order, and the previous action; then an MLP.

    Its state is the hidden state (B, H) and the previous action (B, A).
    """

    kind = "gru"
    memory = "a hidden state, the previous action"
    recurrent = True

    def __init__(
        self,
        num_sensors: int,
        action_space: ActionSpace,
        hidden_dim: int = 128,
        hidden: Sequence[int] = (),
        activation: str = "relu",
    ) -> None:
        """Make the network.

        Args:
            num_sensors: Number of sensors N.
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            hidden_dim: Size H of the hidden state.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.
        """
        sizes = {"num_sensors": num_sensors, "hidden_dim": hidden_dim}
        super().__init__(action_space, **sizes, hidden=tuple(hidden), activation=activation)
        self.num_sensors, self.features_dim = num_sensors, hidden_dim
        self.gru = nn.GRUCell(num_sensors + self.action.size, hidden_dim)
        self.head = dense((hidden_dim, *hidden, self.action.num_logits), activation)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        super().sizes(space, given, shown)
        return {"num_sensors": (space.shape or ())[0]}

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros: hidden state (B, H), previous action (B, A)."""
        return self._zeros(batch, self.features_dim), self._zeros(batch, self.action.size)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The next hidden state, (B, H)."""
        assert isinstance(observations, Tensor)
        hidden, previous_actions = state
        hidden = gru_step(self.gru, torch.cat([compress(observations), previous_actions], dim=1), hidden)
        return (hidden,), (hidden, previous_actions)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The same hidden state, and the action."""
        return state[0], actions


def gru_step(gru: nn.GRUCell, inputs: Tensor, hidden: Tensor) -> Tensor:
    """What ``gru(inputs, hidden)`` computes, in operations that ``torch.vmap`` can batch over weights."""
    reset, update, new = nn.functional.linear(inputs, gru.weight_ih, gru.bias_ih).chunk(3, dim=-1)
    before = nn.functional.linear(hidden, gru.weight_hh, gru.bias_hh).chunk(3, dim=-1)
    keep = torch.sigmoid(update + before[1])
    candidate = torch.tanh(new + torch.sigmoid(reset + before[0]) * before[2])
    return candidate + keep * (hidden - candidate)


class TransformerNetwork(SensorHistoryNetwork):
    """Attention among sensors, each told its place; then an MLP over their mean.

    A token is the last k values of a sensor and the last k actions, projected, plus a sinusoidal code of its place. It
    takes any number of sensors, in one order; without the code, which makes it a Set Transformer (Lee et al. 2019,
    arXiv 1810.00825) whose pooling is a mean, in any order.
    """

    kind = "transformer"

    def __init__(
        self,
        action_space: ActionSpace,
        history: int = 12,
        width: int = 48,
        heads: int = 4,
        layers: int = 2,
        feed_forward: int = 128,
        hidden: Sequence[int] = (64,),
        activation: str = "relu",
        positions: bool = True,
    ) -> None:
        """Make the network.

        Args:
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            history: Time steps k it sees.
            width: Length d of a token.
            heads: Heads of attention; they divide ``width``.
            layers: Number of layers of attention.
            feed_forward: Width of the feed-forward networks between them.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.
            positions: Whether sensors know their places; without them it is permutation invariant.

        Raises:
            SymbenchError: The heads do not divide the width.
        """
        sizes = {"width": width, "heads": heads, "layers": layers, "feed_forward": feed_forward}
        super().__init__(
            action_space, history, **sizes, hidden=tuple(hidden), activation=activation, positions=positions
        )
        self.features_dim, self.positions = width, positions
        self.embed_sensor = nn.Linear(history, width, bias=False)
        self.embed_actions = nn.Linear(history * self.action.size, width)
        blocks = (AttentionLayer(width, heads, feed_forward, "layer", bias=True) for _ in range(layers))
        self.layers = nn.Sequential(*blocks)
        self.head = dense((width, *hidden, self.action.num_logits), activation)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The mean of the tokens behind the last layer, (B, d)."""
        sensors, actions = inputs
        assert sensors is not None
        assert actions is not None
        tokens = self.embed_sensor(sensors) + self.embed_actions(actions.flatten(1))[:, None]
        if self.positions:
            tokens = tokens + sinusoidal_table(sensors.shape[1], self.features_dim).to(tokens)
        with sdpa_kernel(SDPBackend.MATH):  # TRPO differentiates twice, which faster kernels cannot
            return self.layers(tokens).mean(dim=1)  # type: ignore[no-any-return]
