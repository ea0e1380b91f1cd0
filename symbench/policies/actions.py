"""Action heads: what becomes of a network's last layer, made from the action space.

* :func:`action_head` - the head of a space, or of plain data as saved files hold it
* :class:`DiscreteHead`, :class:`MultiDiscreteHead`, :class:`MultiBinaryHead`, :class:`BoxHead` - its kinds
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.policies.spaces import action_difference, form

SQUASHES: Final = ("clip", "tanh")


class ActionHead(nn.Module, ABC):
    """Decodes the last layer's output, (B, L), to actions, and encodes actions as vectors, (B, A), for memories.

    Attributes:
        space: The (single) space of its actions.
        size: Length A of an encoded action.
        copies: How often the last layer says something of each of them.
    """

    space: spaces.Space[Any]
    size: int
    copies: int = 1

    @property
    def num_logits(self) -> int:
        """Length L of the last layer's output."""
        return self.size * self.copies

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """JSON values of which :func:`action_head` makes the same head."""

    @abstractmethod
    def decode(self, logits: Tensor, masks: Tensor | None = None) -> Tensor:
        """The best actions, (B,) or (B, ...) as the environment takes them.

        Args:
            logits: The last layer's output, (B, L).
            masks: True where an action is allowed, (B, A); only heads of choices listen.
        """

    @abstractmethod
    def encode(self, actions: Tensor) -> Tensor:
        """Actions as vectors, (B, ...) -> (B, A): one-hot if they are choices."""

    @abstractmethod
    def decisions(self, logits: Tensor) -> Tensor:
        """What is chosen from, (B, A): probabilities of choices, otherwise the actions."""

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """Why its actions cannot be played in a (single) space ("acts in ..."); ``None`` if they can."""
        return action_difference(self.space, space)

    @abstractmethod
    def distance(self, logits: Tensor, actions: Tensor) -> Tensor:
        """How far the output is from these actions, a scalar to be minimised: cross-entropy, or smooth L1."""


class DiscreteHead(ActionHead):
    """One of n actions: the greatest of n logits is played; of quantiles, (Q, n) in a row, the greatest mean."""

    space: spaces.Discrete

    def __init__(self, space: spaces.Discrete, quantiles: int = 1) -> None:
        """Make the head; with ``quantiles`` of returns for each action, as QRDQN learns them.

        Raises:
            ValueError: There are no quantiles.
        """
        super().__init__()
        if type(quantiles) is not int or quantiles < 1:
            raise ValueError(f"quantiles must be a whole number of at least 1, received {quantiles!r}")
        self.space, self.size, self.copies = space, int(space.n), quantiles

    def data(self) -> dict[str, Any]:
        """See :meth:`ActionHead.data`."""
        start = {"start": int(self.space.start)} if self.space.start else {}
        return {"discrete": self.size, **start, **({"quantiles": self.copies} if self.copies > 1 else {})}

    def decode(self, logits: Tensor, masks: Tensor | None = None) -> Tensor:
        """See :meth:`ActionHead.decode`."""
        chosen = _among(self._means(logits), masks).argmax(dim=-1)
        return chosen + int(self.space.start) if self.space.start else chosen

    def encode(self, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.encode`."""
        return nn.functional.one_hot(actions - int(self.space.start), self.size)

    def decisions(self, logits: Tensor) -> Tensor:
        """See :meth:`ActionHead.decisions`; means of quantiles."""
        return logits.softmax(dim=1) if self.copies == 1 else self._means(logits)

    def distance(self, logits: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.distance`; actions are their numbers (B,), or probabilities of each (B, A), floats."""
        targets = actions if actions.is_floating_point() else actions - int(self.space.start)
        return nn.functional.cross_entropy(self._means(logits), targets)

    def _means(self, logits: Tensor) -> Tensor:
        return logits if self.copies == 1 else logits.reshape(*logits.shape[:-1], self.copies, self.size).mean(dim=-2)


class MultiDiscreteHead(ActionHead):
    """Several choices at once, such as those of a team: the logits of all of them in a row."""

    space: spaces.MultiDiscrete

    def __init__(self, space: spaces.MultiDiscrete) -> None:
        """Make the head; of a table of choices its numbers in a row."""
        super().__init__()
        self.space, self.counts = space, [int(count) for count in space.nvec.ravel()]
        self.size = sum(self.counts)

    def data(self) -> dict[str, Any]:
        """See :meth:`ActionHead.data`."""
        start = {"start": self.space.start.tolist()} if self.space.start.any() else {}
        return {"multi_discrete": self.space.nvec.tolist(), **start}

    def decode(self, logits: Tensor, masks: Tensor | None = None) -> Tensor:
        """See :meth:`ActionHead.decode`."""
        allowed = [None] * len(self.counts) if masks is None else self._split(masks)
        parts = zip(self._split(logits), allowed, strict=True)
        chosen = torch.stack([_among(part, mask).argmax(dim=-1) for part, mask in parts], dim=-1)
        return _shaped(chosen, self.space) + torch.from_numpy(self.space.start)

    def encode(self, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.encode`."""
        parts = zip(self._chosen(actions), self.counts, strict=True)
        return torch.cat([nn.functional.one_hot(part, count) for part, count in parts], dim=-1)

    def decisions(self, logits: Tensor) -> Tensor:
        """See :meth:`ActionHead.decisions`."""
        return torch.cat([part.softmax(dim=-1) for part in self._split(logits)], dim=-1)

    def distance(self, logits: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.distance`: the mean of all choices."""
        parts = zip(self._split(logits), self._chosen(actions), strict=True)
        return torch.stack([nn.functional.cross_entropy(part, target) for part, target in parts]).mean()

    def _chosen(self, actions: Tensor) -> tuple[Tensor, ...]:
        return _flat(actions - torch.from_numpy(self.space.start), self.space).unbind(dim=-1)

    def _split(self, rows: Tensor) -> tuple[Tensor, ...]:
        return torch.split(rows, self.counts, dim=-1)


class MultiBinaryHead(ActionHead):
    """Several switches: those whose logit is above 0 are on."""

    space: spaces.MultiBinary

    def __init__(self, space: spaces.MultiBinary) -> None:
        """Make the head."""
        super().__init__()
        self.space, self.size = space, prod(space.shape)

    def data(self) -> dict[str, Any]:
        """See :meth:`ActionHead.data`."""
        return {"multi_binary": list(self.space.shape or ())}

    def decode(self, logits: Tensor, masks: Tensor | None = None) -> Tensor:
        """See :meth:`ActionHead.decode`."""
        return _shaped((logits > 0).to(torch.int8), self.space)

    def encode(self, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.encode`: 0 and 1."""
        return _flat(actions, self.space)

    def decisions(self, logits: Tensor) -> Tensor:
        """See :meth:`ActionHead.decisions`."""
        return logits.sigmoid()

    def distance(self, logits: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.distance`."""
        return nn.functional.binary_cross_entropy_with_logits(logits, self.encode(actions).to(logits.dtype))


class BoxHead(ActionHead):
    """Real numbers between bounds: the output is cut to them (``"clip"``) or squashed into them (``"tanh"``)."""

    space: spaces.Box
    low: Tensor
    high: Tensor

    def __init__(self, space: spaces.Box, squash: str = "clip") -> None:
        """Make the head.

        Raises:
            ValueError: ``squash`` is unknown, the bounds are not in order, or there are none to squash into.
        """
        super().__init__()
        if squash not in SQUASHES:
            raise ValueError(f"squash must be one of {SQUASHES}, received {squash!r}")
        if squash == "tanh" and not space.is_bounded():
            raise ValueError("squash 'tanh' needs finite bounds; take 'clip'")
        self.space, self.squash, self.size = space, squash, prod(space.shape)
        # Not weights: the config holds them. They are read here, also where a network is only planned.
        for name, bound in (("low", space.low), ("high", space.high)):
            values = torch.as_tensor(bound.ravel(), dtype=torch.float32, device="cpu")
            self.register_buffer(name, values, persistent=False)
        if not bool((self.low <= self.high).all()):
            raise ValueError(f"low must not be above high, received {space}")

    def data(self) -> dict[str, Any]:
        """See :meth:`ActionHead.data`."""
        return {"low": self.space.low.tolist(), "high": self.space.high.tolist(), "squash": self.squash}

    def decode(self, logits: Tensor, masks: Tensor | None = None) -> Tensor:
        """See :meth:`ActionHead.decode`."""
        output = logits if self.squash == "clip" else _squashed(logits, self.low, self.high)
        # Also what is squashed: the last bit of it may be beyond.
        return _shaped(output.clamp(self.low, self.high), self.space)

    def encode(self, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.encode`: the numbers themselves."""
        return _flat(actions, self.space)

    def decisions(self, logits: Tensor) -> Tensor:
        """See :meth:`ActionHead.decisions`."""
        return self.encode(self.decode(logits))

    def distance(self, logits: Tensor, actions: Tensor) -> Tensor:
        """See :meth:`ActionHead.distance`; beyond its bounds a clipped output has no gradient, so it is not cut."""
        output = logits if self.squash == "clip" else _squashed(logits, self.low, self.high)
        return nn.functional.smooth_l1_loss(output, self.encode(actions), beta=0.3)

    def scaled(self, vectors: Tensor) -> Tensor:
        """Encoded actions in units of their range, [-1, 1]; as they are if some have none, as ``FrameHistory`` does."""
        if not self.space.is_bounded() or bool((self.low == self.high).any()):
            return vectors
        return (2.0 * vectors - self.high - self.low) / (self.high - self.low)


ActionSpace = ActionHead | spaces.Space[Any] | Mapping[str, Any]


def action_head(action_space: ActionSpace, **options: Any) -> ActionHead:
    """The head of an action space.

    Args:
        action_space: A space; or plain data: ``{"discrete": n}``, ``{"multi_discrete": [n, m]}``,
            ``{"multi_binary": [n]}`` or ``{"low": [...], "high": [...], "squash": "tanh"}``; or a head, returned as it
            is.
        **options: ``squash`` of a Box, ``quantiles`` of a Discrete space; others ignore them.

    Raises:
        ValueError: There is no head for the space, or the data describe none.
    """
    if isinstance(action_space, ActionHead):
        return action_space
    if isinstance(action_space, Mapping):
        return _of_data(dict(action_space))
    if isinstance(action_space, spaces.Discrete):
        return DiscreteHead(action_space, options.get("quantiles", 1))
    if isinstance(action_space, spaces.MultiDiscrete) and action_space.shape:
        return MultiDiscreteHead(action_space)
    if isinstance(action_space, spaces.MultiBinary) and action_space.shape:
        return MultiBinaryHead(action_space)
    if isinstance(action_space, spaces.Box) and action_space.shape:
        return BoxHead(action_space, options.get("squash", "clip"))
    raise ValueError(
        f"networks act in Discrete, MultiDiscrete, MultiBinary and Box spaces, received {form(action_space)}"
    )


def _of_data(data: dict[str, Any]) -> ActionHead:
    keys, start = data.keys(), data.get("start")
    if {"discrete"} <= keys <= {"discrete", "start", "quantiles"}:
        discrete = spaces.Discrete(data["discrete"], start=0 if start is None else start)
        return action_head(discrete, quantiles=data.get("quantiles", 1))
    if {"multi_discrete"} <= keys <= {"multi_discrete", "start"}:
        return action_head(spaces.MultiDiscrete(data["multi_discrete"], start=start))
    if keys == {"multi_binary"}:
        return action_head(spaces.MultiBinary(data["multi_binary"]))
    if {"low", "high"} <= keys <= {"low", "high", "squash"}:
        low, high = (np.asarray(data[name], dtype=np.float32) for name in ("low", "high"))
        return action_head(spaces.Box(low, high, dtype=np.float32), squash=data.get("squash", "clip"))
    raise ValueError(f"action_space must be a space or say 'discrete', ... or 'low' and 'high', received {data}")


def _among(logits: Tensor, masks: Tensor | None) -> Tensor:
    """The logits of allowed actions; where none is allowed, of all."""
    if masks is None:
        return logits
    return torch.where(masks | ~masks.any(dim=-1, keepdim=True), logits, -torch.inf)


def _squashed(logits: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return (high + low) / 2 + (high - low) / 2 * torch.tanh(logits)


def _shaped(rows: Tensor, space: spaces.Space[Any]) -> Tensor:
    """(..., A) to the shape that the space has, (..., *shape)."""
    shape = space.shape or ()
    return rows.reshape(*rows.shape[:-1], *shape) if len(shape) > 1 else rows


def _flat(values: Tensor, space: spaces.Space[Any]) -> Tensor:
    """The other way round."""
    axes = len(space.shape or ())
    return values.flatten(-axes) if axes > 1 else values
