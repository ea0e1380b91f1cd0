"""Agents: what the benchmark plays with. Deterministic given a seed, and batched.

* :class:`Agent` - the interface
* :class:`NetworkAgent` - a :class:`~symbench.policies.policy_network.PolicyNetwork` with its memory
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces

from symbench.policies.batches import first, split
from symbench.policies.memory import started

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies.memory import State
    from symbench.policies.policy_network import PolicyNetwork


class Agent(ABC):
    """Acts in a batch of environments.

    Call :meth:`reset` first, then :meth:`act` once per step for all environments, and :meth:`restart` for those that
    begin a new episode in between.

    Attributes:
        name: How tables call it.
        action_space: The (single) space that its actions are from.
        preprocessing: What it does between the task and its network, in words: memory, normalisation, rescaling.
    """

    name: str
    action_space: spaces.Space[Any]
    preprocessing: tuple[str, ...] = ()

    @abstractmethod
    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin new episodes everywhere.

        Args:
            num_envs: Number of environments B.
            seed: Seed of the agent's own randomness, if it has any.
        """

    @abstractmethod
    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Begin a new episode in the environments where ``mask``, shape (B,), is true."""

    @abstractmethod
    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with the environments where ``mask``, shape (B,), is true, as if there had never been others."""

    def allow(self, masks: NDArray[np.bool_] | None) -> None:  # noqa: B027  (an agent need not know masks)
        """Say which discrete actions the next :meth:`act` may choose; only agents that know masks listen.

        Args:
            masks: True where an action is allowed, (B, n), of MultiDiscrete one part after the other; ``None`` for all.
        """

    @abstractmethod
    def act(self, observations: Any) -> NDArray[Any]:
        """Choose actions.

        Args:
            observations: A batch, shape (B, ...); or a single observation if :meth:`reset` was called for one.

        Returns:
            Actions, shape (B, A) float32, or (B,) int64 if they are discrete; a single one for a single observation.
        """

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """What actions are chosen from, for a batch of first observations of an episode; ``None`` if it does not show.

        Args:
            observations: A batch, shape (B, ...).

        Returns:
            Probabilities or Q values of discrete actions, otherwise the actions, shape (B, A).
        """
        return None

    def values(self, observations: Any) -> NDArray[Any] | None:
        """What a critic expects of a batch of observations, shape (B,); ``None`` if there is none."""
        return None

    @abstractmethod
    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Why the agent cannot act in a task with these (single) spaces; ``None`` if it can."""


class NetworkAgent(Agent):
    """Plays a :class:`~symbench.policies.policy_network.PolicyNetwork` and keeps its memory.

    Example:
        >>> from symbench.policies import AttentionNeuronNetwork
        >>> agent = NetworkAgent(AttentionNeuronNetwork(spaces.Box(-1, 1, (1,))), "attention-neuron")
        >>> agent.reset()
        >>> agent.act(np.zeros(5)).shape, agent.incompatibility(spaces.Box(-1, 1, (50,)), spaces.Box(-1, 1, (1,)))
        ((1,), None)
    """

    def __init__(self, network: PolicyNetwork, name: str, dtype: torch.dtype = torch.float32) -> None:
        """Make the agent.

        Args:
            network: The actor; it is converted to ``dtype`` in place and put into evaluation mode.
            name: How tables call it.
            dtype: Precision of its computations. In ``torch.float64`` the order of the sensors changes actions by
                less than float32 can show, so shuffled episodes come out identical.
        """
        self.name = name
        self.network = network.to(dtype).eval()
        self.preprocessing = (network.memory,) if network.memory else ()
        self.action_space = network.action.space
        self._masks: NDArray[np.bool_] | None = None
        self.reset()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Forget everything; ``seed`` has no effect on a deterministic network."""
        self._num_envs = num_envs
        self._shape: tuple[int, ...] | None = None  # of one observation, once it is known
        self._states: list[State] = []  # one for each part of the batch

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Forget what was seen in some environments."""
        if self._states and mask.any():
            rows = torch.split(torch.as_tensor(mask), self._part)
            self._states = [started(state, part) for state, part in zip(self._states, rows, strict=True)]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with the memory of these environments."""
        self._num_envs = int(mask.sum())
        if self._states:
            kept = torch.as_tensor(mask)
            self._split(tuple(torch.cat(parts)[kept] for parts in zip(*self._states, strict=True)))

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """Choose among these actions only."""
        self._masks = masks

    @torch.inference_mode()
    def act(self, observations: Any) -> NDArray[Any]:
        """Choose actions for a batch of B observations, or for a single one of a single environment.

        Raises:
            ValueError: The network cannot read such observations, the batch has another size than :meth:`reset` was
                told, or the shape of observations changed within an episode.
        """
        batch = self.network.read(observations)
        if self._shape is None:
            self._shape = tuple(first(batch).shape[1:])
            if reason := self.network.incompatibility(_space_of(observations, batch)):
                self.reset(self._num_envs)
                raise ValueError(f"{self.name} {reason}")
            self._split(self.network.initial_state(self._num_envs, *self._shape))
        expected, received = (self._num_envs, *self._shape), tuple(first(batch).shape)
        if received != expected:
            raise ValueError(f"observations must have shape {expected} until reset(), received {received}")
        parts = split(batch, self._part)
        masks = [None] * len(parts) if self._masks is None else torch.split(torch.as_tensor(self._masks), self._part)
        steps = [self.network(*part) for part in zip(parts, self._states, masks, strict=True)]
        self._states = [state for _, state in steps]
        actions = torch.cat([actions for actions, _ in steps])
        result: NDArray[Any] = (actions.float() if actions.is_floating_point() else actions).numpy()
        return result if np.ndim(first(observations)) == first(batch).ndim else result[0]

    @torch.inference_mode()
    def decisions(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.decisions`: probabilities of discrete actions, otherwise the actions."""
        batch = self.network.read(observations)
        logits, _ = self.network.logits(batch, self.network.initial_state(*first(batch).shape))
        shown: NDArray[Any] = self.network.action.decisions(logits).numpy()
        return shown

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Compare the spaces with what the network reads and with its actions, their bounds included."""
        reason = self.network.incompatibility(observation_space) or self.network.action.incompatibility(action_space)
        return f"{self.name} {reason}" if reason else None

    def _split(self, state: State) -> None:
        assert self._shape is not None
        self._part = self.network.micro_batch_size(self._shape)
        count = max(1, -(-self._num_envs // self._part))
        parts = [torch.split(tensor, self._part) for tensor in state]
        self._states = [tuple(tensors[i] for tensors in parts) for i in range(count)]


def _space_of(observations: Any, batch: Any) -> spaces.Space[Any]:
    """A space that single observations such as these are of; ``batch`` is what the network made of them."""
    if isinstance(observations, dict):
        return spaces.Dict({key: _space_of(part, batch[key]) for key, part in observations.items()})
    dtype = np.asarray(observations).dtype
    if not np.issubdtype(dtype, np.floating):
        return spaces.Box(0, np.iinfo(dtype).max, tuple(batch.shape[1:]), dtype)
    return spaces.Box(-np.inf, np.inf, tuple(batch.shape[1:]), dtype)
