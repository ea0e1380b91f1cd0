"""Deterministic actors as torch modules with one interface, which can be saved as plain weights and a JSON config.

* :class:`MLPNetwork` - the ordinary baseline, tied to the order and the number of its sensors
* :class:`AttentionNeuronNetwork` - permutation invariant, keys from a history of sensor values and actions
* :class:`RecurrentAttentionNeuronNetwork` - permutation invariant, keys from one LSTM per sensor (as published)

All run on CPU in a few small matrix products, for a batch of environments at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from torch import Tensor, nn

from symbench.policies.layers import ACTIVATIONS, AttentionNeuron, RecurrentAttentionNeuron, compress, dense

if TYPE_CHECKING:
    from collections.abc import Sequence

    State = tuple[Tensor, ...]

OUTPUTS: Final = ("tanh", "clip", "discrete")


class PolicyNetwork(nn.Module, ABC):
    """A deterministic actor: observations and a state in, actions and the next state out.

    A batch of B environments is computed at once. A state is a tuple of tensors whose first axis is B, all zeros at
    the start of an episode, so that single environments can be restarted.

    Attributes:
        kind: Name of the architecture in saved files.
        num_sensors: Number of sensors it needs, or ``None`` if it takes any number.
        action_dim: Length A of an action, or number of Discrete actions.
        head: The ordinary layers at the end.
        output: How an action is made of the last layer's output: ``"tanh"`` (squashed into ``[low, high]``),
            ``"clip"`` (cut to ``[low, high]``) or ``"discrete"`` (scores, of which the greatest is played).
    """

    kind: ClassVar[str]
    head: nn.Sequential
    low: Tensor
    high: Tensor

    def __init__(
        self,
        action_dim: int,
        output: str = "tanh",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
        **architecture: Any,
    ) -> None:
        """Remember the action's form and the architecture's JSON parameters.

        Raises:
            ValueError: ``output`` or ``architecture["activation"]`` is unknown.
        """
        super().__init__()
        activation = architecture["activation"]
        if output not in OUTPUTS:
            raise ValueError(f"output must be one of {OUTPUTS}, received {output!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {tuple(ACTIVATIONS)}, received {activation!r}")
        self.action_dim, self.output = action_dim, output
        self.num_sensors: int | None = architecture.get("num_sensors")
        bounds = {name: list(b) if not isinstance(b, (int, float)) else b for name, b in (("low", low), ("high", high))}
        self._config = {**architecture, "action_dim": action_dim, "output": output, **bounds}
        # Not part of the weights: the config holds them.
        for name, bound in bounds.items():
            self.register_buffer(name, torch.as_tensor(bound, dtype=torch.float32), persistent=False)

    def config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values: ``type(network)(**network.config())`` has the same shapes."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._config.items()}

    @abstractmethod
    def initial_state(self, batch: int, num_sensors: int) -> State:
        """The state before the first observation of an episode: zeros.

        Args:
            batch: Number of environments B.
            num_sensors: Number of sensors N that will be observed.
        """

    @abstractmethod
    def raw(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """The last layer's output, and the state that has seen the observations but not yet the action.

        Args:
            observations: Sensor values, shape (B, N).
            state: From :meth:`initial_state` or :meth:`remember`.

        Returns:
            Shape (B, A), and the state to pass to :meth:`remember`.
        """

    @abstractmethod
    def remember(self, state: State, actions: Tensor) -> State:
        """The state before the next observation, given what was done (actions as :meth:`played` gives them, (B, A))."""

    def forward(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step.

        Args:
            observations: Sensor values, shape (B, N).
            state: From :meth:`initial_state` or the previous call.

        Returns:
            Actions, shape (B, A) (one score per action if the output is discrete), and the next state.
        """
        raw, state = self.raw(observations, state)
        actions = self.finish(raw)
        return actions, self.remember(state, self.played(actions))

    def finish(self, raw: Tensor) -> Tensor:
        """The action of the last layer's output, (B, A) -> (B, A)."""
        if self.output == "tanh":
            return (self.high + self.low) / 2 + (self.high - self.low) / 2 * torch.tanh(raw)
        return torch.clamp(raw, self.low, self.high) if self.output == "clip" else raw

    def played(self, actions: Tensor) -> Tensor:
        """What the next step is told about these actions, (B, A): themselves, one-hot if they are discrete."""
        if self.output != "discrete":
            return actions
        return nn.functional.one_hot(actions.argmax(dim=-1), self.action_dim).to(actions.dtype)

    def _zeros(self, *shape: int) -> Tensor:
        # Every network has weights; its state lives where they do, in their precision.
        return next(self.parameters()).new_zeros(shape)


class MLPNetwork(PolicyNetwork):
    """An ordinary multilayer perceptron over the sensors in their order; it has no state."""

    kind = "mlp"

    def __init__(
        self,
        num_sensors: int,
        action_dim: int,
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
        output: str = "clip",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
    ) -> None:
        """Make the network.

        Args:
            num_sensors: Number of sensors N.
            action_dim: Length A of an action, or number of Discrete actions.
            hidden: Widths of the hidden layers.
            activation: ``"tanh"`` or ``"relu"``.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
        """
        super().__init__(
            action_dim, output, low, high, num_sensors=num_sensors, hidden=tuple(hidden), activation=activation
        )
        self.head = dense((num_sensors, *hidden, action_dim), activation)

    def initial_state(self, batch: int, num_sensors: int) -> State:
        """The empty tuple."""
        return ()

    def raw(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N); the state stays empty."""
        return self.head(observations), state

    def remember(self, state: State, actions: Tensor) -> State:
        """The empty tuple."""
        return state


class AttentionNeuronNetwork(PolicyNetwork):
    """:class:`~symbench.policies.layers.AttentionNeuron` over the last k values and actions, then an MLP.

    Its state is the history it needs: the last k values of every sensor (B, N, k) and the last k actions (B, k, A),
    newest last, zeros before the start of the episode. It acts on any number of sensors in any order.
    """

    kind = "attention-neuron"

    def __init__(
        self,
        action_dim: int,
        history: int = 8,
        num_codes: int = 16,
        value_dim: int = 8,
        key_widths: Sequence[int] = (64, 32),
        query_dim: int = 8,
        projection_dim: int = 32,
        key_activation: str = "tanh",
        hidden: Sequence[int] = (64,),
        activation: str = "tanh",
        output: str = "clip",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            history: Time steps k it sees.
            num_codes: Rows M of the layer's output.
            value_dim: Columns d_v of the layer's output.
            key_widths: Widths of the key network.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width d_q in which queries and keys are compared.
            key_activation: ``"tanh"`` or ``"relu"``, in the key network.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
        """
        layer: dict[str, Any] = {
            "history": history,
            "num_codes": num_codes,
            "value_dim": value_dim,
            "key_widths": tuple(key_widths),
            "query_dim": query_dim,
            "projection_dim": projection_dim,
        }
        super().__init__(
            action_dim,
            output,
            low,
            high,
            **layer,
            key_activation=key_activation,
            hidden=tuple(hidden),
            activation=activation,
        )
        self.history = history
        self.layer = AttentionNeuron(action_dim=action_dim, activation=key_activation, **layer)
        self.head = dense((self.layer.output_dim, *hidden, action_dim), activation)

    def initial_state(self, batch: int, num_sensors: int) -> State:
        """Zeros: sensor histories (B, N, k) and action history (B, k, A)."""
        return self._zeros(batch, num_sensors, self.history), self._zeros(batch, self.history, self.action_dim)

    def raw(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N), and the sensor histories shifted by one."""
        sensors, past_actions = state
        # The history is kept compressed, so that a value is compressed once and not in each of its k steps.
        sensors = torch.cat([sensors[:, :, 1:], compress(observations)[:, :, None]], dim=2)
        return self.head(self.layer(sensors, past_actions)), (sensors, past_actions)

    def remember(self, state: State, actions: Tensor) -> State:
        """The action history shifted by one."""
        sensors, past_actions = state
        return sensors, torch.cat([past_actions[:, 1:], actions[:, None]], dim=1)


class RecurrentAttentionNeuronNetwork(PolicyNetwork):
    """:class:`~symbench.policies.layers.RecurrentAttentionNeuron`, then an MLP: the published architecture.

    Its state is the hidden and the cell state of every sensor's LSTM (B, N, H) and the previous action (B, A). It
    acts on any number of sensors in any order. Source: Tang & Ha 2021 (arXiv 2109.02869), appendix A: cart-pole has
    no hidden layer in its head, Ant has one of 32 units.
    """

    kind = "recurrent-attention-neuron"

    def __init__(
        self,
        action_dim: int,
        num_codes: int = 16,
        hidden_dim: int = 8,
        query_dim: int = 8,
        projection_dim: int = 32,
        bias: bool = False,
        scale: bool = False,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        output: str = "tanh",
        low: float | Sequence[float] = -1.0,
        high: float | Sequence[float] = 1.0,
    ) -> None:
        """Make the network.

        Args:
            action_dim: Length A of an action, or number of Discrete actions.
            num_codes: Length M of the layer's output.
            hidden_dim: Size H of a sensor's LSTM.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width in which queries and keys are compared.
            bias: Whether the projections of queries and keys have a bias.
            scale: Whether scores are divided by ``sqrt(projection_dim)``.
            hidden: Widths of the head's hidden layers.
            activation: ``"tanh"`` or ``"relu"``, in the head.
            output: ``"tanh"``, ``"clip"`` or ``"discrete"``; see :class:`PolicyNetwork`.
            low: Least action (a number, or one per dimension).
            high: Greatest action.
        """
        layer: dict[str, Any] = {
            "num_codes": num_codes,
            "hidden_dim": hidden_dim,
            "query_dim": query_dim,
            "projection_dim": projection_dim,
            "bias": bias,
            "scale": scale,
        }
        super().__init__(action_dim, output, low, high, **layer, hidden=tuple(hidden), activation=activation)
        self.layer = RecurrentAttentionNeuron(action_dim=action_dim, **layer)
        self.head = dense((num_codes, *hidden, action_dim), activation)

    def initial_state(self, batch: int, num_sensors: int) -> State:
        """Zeros: hidden and cell states (B, N, H), previous action (B, A)."""
        lstm = self._zeros(batch, num_sensors, self.layer.hidden_dim)
        return lstm, lstm.clone(), self._zeros(batch, self.action_dim)

    def raw(self, observations: Tensor, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N), and the next LSTM states."""
        hidden, cell, previous_actions = state
        code, hidden, cell = self.layer(observations, previous_actions, hidden, cell)
        return self.head(code), (hidden, cell, previous_actions)

    def remember(self, state: State, actions: Tensor) -> State:
        """The same LSTM states, and the action."""
        hidden, cell, _ = state
        return hidden, cell, actions


NETWORKS: Final[dict[str, type[PolicyNetwork]]] = {
    network.kind: network for network in (MLPNetwork, AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork)
}
