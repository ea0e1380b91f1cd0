"""What networks keep between steps.

A state is a tuple of tensors whose first axis is the batch, all zeros at the start of an episode, so that single
environments can begin again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    State = tuple[Tensor, ...]


def started(state: State, starts: Tensor) -> State:
    """``state`` with zeros where an episode begins; ``starts`` has shape (B,)."""
    if not bool(starts.any()):
        return state
    ends = starts != 0
    return tuple(part.masked_fill(ends.reshape(-1, *[1] * (part.ndim - 1)), 0) for part in state)


class History:
    """The latest k of something along an axis, oldest first; its state is (begun, history).

    ``begun`` (B, 1), bool, says whether there was anything yet; (B, N) says so of each of N parts along the first axis
    of the history. The first of an episode comes after copies of it, or, with ``blank_start``, after zeros, as SB3's
    ``VecFrameStack`` has it.
    """

    def __init__(self, length: int, axis: int, *, blank_start: bool = False) -> None:
        """Keep the latest ``length``, joined along ``axis`` of a batch."""
        self.length, self.axis, self.blank_start = length, axis, blank_start

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros, uint8; ``shape`` is that of one of them, without the batch."""
        whole = [batch, *shape]
        whole[self.axis] *= self.length
        return torch.zeros(batch, 1, dtype=torch.bool), torch.zeros(whole, dtype=torch.uint8)

    def push(self, newest: Tensor, state: State) -> State:
        """The state after the newest."""
        begun, before = state
        one = newest.shape[self.axis]
        history = torch.cat([before.narrow(self.axis, one, before.shape[self.axis] - one), newest], dim=self.axis)
        if not self.blank_start and not bool(begun.all()):
            copies = torch.cat([newest] * self.length, dim=self.axis)
            history = torch.where(begun.reshape(*begun.shape, *[1] * (history.ndim - 2)), history, copies)
        return torch.ones_like(begun), history
