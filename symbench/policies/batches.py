"""Batches of observations: a tensor, or a dict of tensors whose first axis is the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from symbench.policies.policy_network import Observations


def stack(batches: Sequence[Observations]) -> Observations:
    """T batches as one with a new first axis, (T, B, ...)."""
    return map_tree(lambda *parts: torch.stack(parts), *batches)  # type: ignore[no-any-return]


def split(batch: Observations, size: int) -> list[Observations]:
    """A batch in parts of at most ``size`` rows."""
    if rows(batch) <= size:
        return [batch]
    starts = range(0, rows(batch), size)
    return [map_tree(lambda part, start=start: part[start : start + size], batch) for start in starts]


def first(batch: Observations) -> Tensor:
    """The tensor itself, or the first entry of a dict."""
    return next(iter(batch.values())) if isinstance(batch, dict) else batch


def rows(batch: Observations) -> int:
    """Number of rows B."""
    return len(first(batch))
