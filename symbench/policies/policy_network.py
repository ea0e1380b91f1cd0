"""Policies as torch modules with one interface: what trains is what is saved and what plays.

* :class:`PolicyNetwork` - the interface
* :class:`SensorNetwork` - what all that read a vector of sensors share
* :class:`MLPNetwork` - the ordinary baseline, tied to the order and the number of its sensors

The permutation-invariant ones are in :mod:`symbench.policies.attention_neuron_networks`, those that read frames in
:mod:`symbench.policies.vision`, the equivariant ones in :mod:`symbench.policies.equivariant`. All run on CPU in a few
matrix products, for a batch of environments at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.policies.actions import ActionHead, ActionSpace, action_head
from symbench.policies.attention_neuron import ACTIVATIONS, dense
from symbench.policies.critics import FreeLogStd, ValueHead
from symbench.policies.memory import started
from symbench.policies.spaces import form
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.memory import State

    Observations = Tensor | dict[str, Tensor]
    Inputs = tuple[Tensor | None, ...]

_SENSORS_AT_ONCE: Final = 16_384  # of a whole batch; with more, a step is up to 4 times slower


class PolicyNetwork(nn.Module, ABC):
    """A policy: an encoder, a memory and an action head.

    A step of a batch of B environments has three parts. :meth:`perceive` remembers what is seen; :meth:`features`, the
    encoder, depends on no state, so that all steps of a sequence make one batch; :meth:`decide` makes the logits that
    the action head decodes. Algorithms that shuffle single steps train it without the memory: a wrapper of the
    environment shows what it would remember, and :meth:`remembered` takes the place of :meth:`perceive`.

    Attributes:
        kind: Name of the architecture in saved files.
        memory: What the state holds, in words; empty for a network without a state.
        history: How many steps the state holds, if a wrapper can show them.
        shown_by: Name of the wrapper that shows what the network would remember; empty if it remembers nothing.
        recurrent: Whether it remembers more than a wrapper can show.
        differentiable: Whether gradients reach all of its weights.
        trained_by: How it is trained if they do not, in words.
        of_team: Whether it moves several agents at once.
        of_tours: Whether it builds tours, and learns from whole ones only.
        ortho_init: Whether reinforcement learning begins with orthogonal weights behind the features, as SB3 does.
        action: Decodes logits to actions.
        features_dim: Length of the features, which a critic may share.
        head: The layers behind the features; the last of them makes the logits.
    """

    kind: ClassVar[str]
    memory: str = ""
    history: int = 1
    shown_by: str = ""
    recurrent: bool = False
    differentiable: bool = True
    trained_by: ClassVar[str] = "by evolution"
    of_team: ClassVar[bool] = False
    of_tours: ClassVar[bool] = False
    ortho_init: ClassVar[bool] = False
    action: ActionHead
    features_dim: int
    head: Any

    def __init__(self, action_space: ActionSpace, **architecture: Any) -> None:
        """Make the action head and remember the architecture's JSON parameters.

        Raises:
            ValueError: There is no head for the action space, or ``architecture["activation"]`` is unknown.
        """
        super().__init__()
        activation = architecture.get("activation", "relu")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {tuple(ACTIVATIONS)}, received {activation!r}")
        self.action = action_head(action_space)
        self._config = {**architecture, "action_space": self.action.data()}

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return next(self.parameters()).dtype

    def config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values: ``type(network)(**network.config())`` has the same shapes."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._config.items()}

    @classmethod
    @abstractmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """Arguments of the constructor that an observation space implies.

        Args:
            space: The (single) space of observations.
            given: The arguments that are said already.
            shown: Whether a wrapper shows what the network would remember: the space of what :meth:`remembered` takes.

        Raises:
            ValueError: The network cannot read the space.
        """

    def initial_state(self, batch: int, *shape: int) -> State:
        """The state before the first observation of an episode: zeros; none by default.

        Args:
            batch: Number of environments B.
            *shape: Shape of one observation: (N,) for N sensors, (H, W, C) for frames.
        """
        return ()

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

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """What :meth:`features` reads, (B, ...) each, and the state that saw the observations, but not the action.

        Args:
            observations: From :meth:`read`.
            state: From :meth:`initial_state` or :meth:`update_memory`.
        """
        assert isinstance(observations, Tensor)
        return (observations,), state

    def remembered(self, observations: Observations) -> Inputs:
        """What :meth:`features` reads, of observations in which a wrapper shows what the network would remember.

        Args:
            observations: Shape (B, ...), float, as Stable-Baselines3 gives them; frames channels first, 0 to 255.
        """
        assert isinstance(observations, Tensor)
        return (observations,)

    @abstractmethod
    def features(self, *inputs: Tensor | None) -> Tensor:
        """The encoder, (B, ...) -> (B, ...): depends on no state."""

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Features to logits (B, L), and the next state."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """Features to what the last layer reads, (B, ...)."""
        return self.head[:-1](features)  # type: ignore[no-any-return]

    def last(self, latent: Tensor) -> Tensor:
        """The last layer, to logits (B, L)."""
        return self.head[-1](latent)  # type: ignore[no-any-return]

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state before the next observation, given what was done, (B, A) as the action head encodes it."""
        return state

    def logits(self, observations: Observations, state: State) -> tuple[Tensor, State]:
        """The last layer's output, (B, L), and the state that has seen the observations but not yet the action."""
        inputs, state = self.perceive(observations, state)
        return self.decide(self.features(*inputs), state)

    def forward(self, observations: Observations, state: State, masks: Tensor | None = None) -> tuple[Tensor, State]:
        """One time step.

        Args:
            observations: From :meth:`read`.
            state: From :meth:`initial_state` or the previous call.
            masks: True where an action is allowed, (B, A); ``None`` for all.

        Returns:
            Actions, (B,) or (B, ...), and the next state.
        """
        logits, state = self.logits(observations, state)
        actions = self.action.decode(logits, masks)
        if state:
            state = self.update_memory(state, self.action.encode(actions).to(logits.dtype))
        return actions, state

    def unroll(
        self, observations: Observations, starts: Tensor, actions: Tensor, state: State
    ) -> tuple[Tensor, Tensor]:
        """The features and the logits of T time steps that were played, (T, B, ...) and (T, B, L).

        Args:
            observations: Shape (T, B, ...).
            starts: 1 where an episode begins, else 0, shape (T, B).
            actions: What was done, as the action head encodes it, shape (T, B, A).
            state: Before the first of the steps.
        """
        outputs, features = [], self.features(*self.perceive_all(observations, starts, actions, state))
        for t, part in enumerate(torch.split(features, starts.shape[1])):
            logits, state = self.decide(part, started(state, starts[t]))
            outputs.append(logits)
            state = self.update_memory(state, actions[t])
        return features.reshape(*starts.shape, *features.shape[1:]), torch.stack(outputs)

    def perceive_all(self, observations: Observations, starts: Tensor, actions: Tensor, state: State) -> Inputs:
        """What :meth:`features` reads in the T steps of :meth:`unroll`, (T * B, ...) each."""
        columns = []
        for t, begins in enumerate(starts):
            inputs, state = self.perceive(map_tree(itemgetter(t), observations), started(state, begins))
            columns.append(inputs)
            state = self.update_memory(state, actions[t])
        return tuple(map(_join, zip(*columns, strict=True)))

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """Fresh layers from features (B, ...), and encoded actions (B, A) if ``of_actions``, to values (B, outputs)."""
        width = self.features_dim + (self.action.size if of_actions else 0)
        return ValueHead((width, *hidden, outputs), self._config.get("activation", "relu"))

    def drop_decisions(self) -> None:
        """Take off the layers behind the features: a critic has others."""
        self.head = nn.Identity()

    def log_std(self, initial: float) -> nn.Module:
        """Logarithms of deviations, one for each number of an action; a module that is called with nothing."""
        return FreeLogStd(self.action.size, initial)

    def log_std_head(self) -> nn.Module:
        """A fresh last layer for logarithms of deviations that depend on the state: :meth:`latent` to (B, A)."""
        return nn.Linear(self.head[-1].in_features, self.action.size)

    def _zeros(self, *shape: int) -> Tensor:
        # Every network has weights; its state lives where they do, in their precision.
        return next(self.parameters()).new_zeros(shape)


class SensorNetwork(PolicyNetwork):
    """A network that reads a vector of sensors; its head is dense layers over the features.

    Attributes:
        num_sensors: Number of sensors it needs, or ``None`` if it takes any number.
    """

    num_sensors: int | None = None

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"{cls.kind} reads a vector of sensors, received {form(space)}")
        return {}

    def read(self, observations: Any) -> Tensor:
        """Sensor values, (B, N) or (N,) -> (B, N)."""
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        values = torch.tensor(np.asarray(observations), dtype=self.dtype)
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

    def features(self, *inputs: Tensor | None) -> Tensor:
        """What was perceived, as it is."""
        (features,) = inputs
        assert features is not None
        return features

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`PolicyNetwork.decide`."""
        return self.head(features), state


class MLPNetwork(SensorNetwork):
    """An ordinary multilayer perceptron over the sensors in their order; it has no state."""

    kind = "mlp"
    ortho_init = True

    def __init__(
        self,
        num_sensors: int,
        action_space: ActionSpace,
        hidden: Sequence[int] = (64, 64),
        activation: str = "tanh",
    ) -> None:
        """Make the network.

        Args:
            num_sensors: Number of sensors N.
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            hidden: Widths of the hidden layers.
            activation: ``"tanh"`` or ``"relu"``.
        """
        super().__init__(action_space, num_sensors=num_sensors, hidden=tuple(hidden), activation=activation)
        self.num_sensors = self.features_dim = num_sensors
        self.head = dense((num_sensors, *hidden, self.action.num_logits), activation)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        super().sizes(space, given, shown)
        return {"num_sensors": (space.shape or ())[0]}


def _join(parts: tuple[Tensor | None, ...]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None
