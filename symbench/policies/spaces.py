"""Spaces in words."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces


def form(space: spaces.Space[Any]) -> str:
    """A space's kind and shape, without bounds: what two spaces must share to be exchangeable for a network."""
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{key}: {form(part)}" for key, part in space.spaces.items()) + ")"
    if isinstance(space, spaces.Discrete):
        return f"Discrete({space.n})"
    return f"{type(space).__name__}{space.shape}"
