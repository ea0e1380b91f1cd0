"""The action head of a pointer: one of the nodes, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium import spaces

from symbench.policies.actions import DiscreteHead
from symbench.policies.spaces import described

if TYPE_CHECKING:
    from torch import Tensor


class PointerHead(DiscreteHead):
    """The node with the greatest logit; it fits a ``Discrete`` space of any size."""

    def __init__(self) -> None:
        """Make the head."""
        super().__init__(spaces.Discrete(1))

    def data(self) -> dict[str, Any]:
        """See :meth:`~symbench.policies.actions.ActionHead.data`."""
        return {"pointer": True}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`~symbench.policies.actions.ActionHead.incompatibility`."""
        if isinstance(space, spaces.Discrete) and space.start == 0:
            return None
        return f"chooses one of the nodes, the task has {described(space)}"

    def encode(self, actions: Tensor) -> Tensor:
        """The node's number, (B,) -> (B, 1): a memory does not know how many there are."""
        return actions[..., None]
