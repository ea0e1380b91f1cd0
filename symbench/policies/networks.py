"""Deterministic actors as torch modules with one interface, which can be saved as plain weights and a JSON config.

* :class:`PolicyNetwork` - the interface
* :class:`MLPNetwork` - the ordinary baseline, tied to the order and the number of its sensors

The permutation-invariant ones are in :mod:`symbench.policies.attention_networks`. All run on CPU in a few small
matrix products, for a batch of environments at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from torch import Tensor, nn

from symbench.policies.layers import ACTIVATIONS, dense

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
