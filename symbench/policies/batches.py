"""Batches of observations: a tensor, or a dict of tensors whose first axis is the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from symbench.policies.networks import Observations


def map_tree(function: Callable[..., Any], *batches: Any) -> Any:
    """``function`` of tensors, or of every entry of dicts of tensors."""
    if isinstance(batches[0], dict):
        return {key: function(*(batch[key] for batch in batches)) for key in batches[0]}
    return function(*batches)


def stack(batches: Sequence[Observations]) -> Observations:
    """T batches as one with a new first axis, (T, B, ...)."""
    return map_tree(lambda *parts: torch.stack(parts), *batches)  # type: ignore[no-any-return]


def split(batch: Observations, size: int) -> list[Observations]:
    """A batch in parts of at most ``size`` rows."""
    return [
        map_tree(lambda part, start=start: part[start : start + size], batch) for start in range(0, rows(batch), size)
    ]


def first(batch: Observations) -> Tensor:
    """The tensor itself, or the first entry of a dict."""
    return next(iter(batch.values())) if isinstance(batch, dict) else batch


def rows(batch: Observations) -> int:
    """Number of rows B."""
    return len(first(batch))
