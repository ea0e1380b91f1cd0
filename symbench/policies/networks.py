"""Deterministic actors as torch modules with one interface, which can be saved as plain weights and a JSON config.

* :class:`PolicyNetwork` - the interface
* :class:`SensorNetwork` - what all that read a vector of sensors share
* :class:`MLPNetwork` - the ordinary baseline, tied to the order and the number of its sensors

The permutation-invariant ones are in :mod:`symbench.policies.attention_networks`, those that read frames in
:mod:`symbench.policies.vision`. All run on CPU in a few matrix products, for a batch of environments at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import index, itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.policies.layers import ACTIVATIONS, dense
from symbench.policies.spaces import form
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    State = tuple[Tensor, ...]
    Observations = Tensor | dict[str, Tensor]

OUTPUTS: Final = ("tanh", "clip", "discrete")
_SENSORS_AT_ONCE: Final = 16_384  # of a whole batch; with more, a step is up to 4 times slower


class PolicyNetwork(nn.Module, ABC):
    """A deterministic actor: observations and a state in, actions and the next state out.

    A batch of B environments is computed at once. A state is a tuple of tensors whose first axis is B, all zeros at
    the start of an episode, so that single environments can be restarted.

    Attributes:
        kind: Name of the architecture in saved files.
        memory: What the state holds, in words; empty for a network without a state.
        action_dim: Length A of an action, or number of Discrete actions.
        action_space: The (single) space that its actions are from.
        output: How an action is made of the last layer's output: ``"tanh"`` (squashed into ``[low, high]``),
            ``"clip"`` (cut to ``[low, high]``) or ``"discrete"`` (scores, of which the greatest is played).
    """

    kind: ClassVar[str]
    memory: str = ""
    low: Tensor
    high: Tensor
    action_space: spaces.Discrete | spaces.Box

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
            ValueError: ``output`` or ``architecture["activation"]`` is unknown, or the bounds do not fit.
        """
        super().__init__()
        activation = architecture.get("activation", "relu")
        if output not in OUTPUTS:
            raise ValueError(f"output must be one of {OUTPUTS}, received {output!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {tuple(ACTIVATIONS)}, received {activation!r}")
        if index(action_dim) < 1:
            raise ValueError(f"action_dim must be at least 1, received {action_dim}")
        self.action_dim, self.output = action_dim, output
        bounds = {name: list(b) if not isinstance(b, (int, float)) else b for name, b in (("low", low), ("high", high))}
        self._config = {**architecture, "action_dim": action_dim, "output": output, **bounds}
        # Not part of the weights: the config holds them. They are read here, also where a network is only planned.
        for name, bound in bounds.items():
            values = torch.as_tensor(bound, dtype=torch.float32, device="cpu")
            self.register_buffer(name, values, persistent=False)
            if values.shape not in ((), (action_dim,)) or bool(values.isnan().any()):
                raise ValueError(f"{name} must be a number or one per action, {action_dim}, received {bound}")
        if bool((self.low > self.high).any()):
            raise ValueError(f"low must not be above high, received {low} and {high}")
        self.action_space = spaces.Discrete(action_dim) if output == "discrete" else _bounded(action_dim, low, high)

    def config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values: ``type(network)(**network.config())`` has the same shapes."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._config.items()}

    @abstractmethod
    def initial_state(self, batch: int, *shape: int) -> State:
        """The state before the first observation of an episode: zeros.

        Args:
            batch: Number of environments B.
            *shape: Shape of one observation: (N,) for N sensors, (H, W, C) for frames.
        """

    @abstractmethod
    def read(self, observations: Any) -> Observations:
        """Observations as environments give them (arrays, dicts of arrays), as a batch of tensors.

        Args:
            observations: Those of B environments, or a single one, which becomes a batch of one.
        """

    @abstractmethod
    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """Why it cannot read observations of this (single) space ("reads ..."); ``None`` if it can."""

    @abstractmethod
    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """How many observations of this shape are best computed at once: with more, temporaries leave the cache."""

    @abstractmethod
    def logits(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """The last layer's output, and the state that has seen the observations but not yet the action.

        Args:
            observations: From :meth:`read`.
            state: From :meth:`initial_state` or :meth:`update_memory`.

        Returns:
            Shape (B, A), and the state to pass to :meth:`update_memory`.
        """

    @abstractmethod
    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state before the next observation, given what was done (actions as :meth:`played` gives them, (B, A))."""

    def forward(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """One time step.

        Args:
            observations: From :meth:`read`.
            state: From :meth:`initial_state` or the previous call.

        Returns:
            Actions, shape (B, A) (one score per action if the output is discrete), and the next state.
        """
        logits, state = self.logits(observations, state)
        actions = self.finish(logits)
        return actions, self.update_memory(state, self.played(actions))

    def unroll(self, observations: Observations, starts: Tensor, actions: Tensor, state: State) -> Tensor:
        """The last layer's outputs over T time steps that were played, (T, B, A).

        Args:
            observations: Shape (T, B, ...).
            starts: 1 where an episode begins, else 0, shape (T, B).
            actions: What was done, as :meth:`played` gives it, shape (T, B, A).
            state: Before the first of the steps.
        """
        outputs = []
        for t, begins in enumerate(starts):
            logits, state = self.logits(map_tree(itemgetter(t), observations), started(state, begins))
            outputs.append(logits)
            state = self.update_memory(state, actions[t])
        return torch.stack(outputs)

    def finish(self, logits: Tensor) -> Tensor:
        """The action of the last layer's output, (B, A) -> (B, A)."""
        if self.output == "tanh":
            return (self.high + self.low) / 2 + (self.high - self.low) / 2 * torch.tanh(logits)
        return torch.clamp(logits, self.low, self.high) if self.output == "clip" else logits

    def played(self, actions: Tensor) -> Tensor:
        """What the next step is told about these actions, (B, A): themselves, one-hot if they are discrete."""
        if self.output != "discrete":
            return actions
        return nn.functional.one_hot(actions.argmax(dim=-1), self.action_dim).to(actions.dtype)

    def _zeros(self, *shape: int) -> Tensor:
        # Every network has weights; its state lives where they do, in their precision.
        return next(self.parameters()).new_zeros(shape)


def started(state: State, starts: Tensor) -> State:
    """``state`` with zeros where an episode begins; ``starts`` has shape (B,)."""
    if not bool(starts.any()):
        return state
    ends = starts != 0
    return tuple(part.masked_fill(ends.reshape(-1, *[1] * (part.ndim - 1)), 0) for part in state)


class SensorNetwork(PolicyNetwork):
    """A network that reads a vector of sensors.

    Attributes:
        num_sensors: Number of sensors it needs, or ``None`` if it takes any number.
        head: The ordinary layers at the end.
    """

    num_sensors: int | None = None
    head: nn.Sequential

    def read(self, observations: Any) -> Tensor:
        """Sensor values, (B, N) or (N,) -> (B, N)."""
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        values = torch.tensor(np.asarray(observations), dtype=next(self.parameters()).dtype)
        return values if values.ndim > 1 else values[None]

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`PolicyNetwork.incompatibility`."""
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            return f"reads a vector of sensors, the task gives {form(space)}"
        received = space.shape[0]
        fits = self.num_sensors in (None, received)
        return None if fits else f"reads {self.num_sensors} sensors in a fixed order, received {received}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`PolicyNetwork.micro_batch_size`."""
        return max(1, _SENSORS_AT_ONCE // shape[0])


class MLPNetwork(SensorNetwork):
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
        self.num_sensors = num_sensors
        self.head = dense((num_sensors, *hidden, action_dim), activation)

    def initial_state(self, batch: int, *shape: int) -> State:
        """The empty tuple."""
        return ()

    def logits(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """Shape (B, A) for observations of shape (B, N); the state stays empty."""
        assert isinstance(observations, Tensor)
        return self.head(observations), state

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The empty tuple."""
        return state


def _bounded(action_dim: int, *bounds: float | Sequence[float]) -> spaces.Box:
    low, high = (np.broadcast_to(np.asarray(bound, np.float32), (action_dim,)) for bound in bounds)
    return spaces.Box(low, high, dtype=np.float32)
