"""Recordings of the authors' programs, and what tests of graph networks compute with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Recording:
    """Inputs, weights and outputs of the authors' programs. Sizes are those of the arrays, never known beforehand."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as file:
            self.arrays = {key: file[key] for key in file.files}

    def __getitem__(self, key: str) -> Tensor:
        return torch.from_numpy(np.asarray(self.arrays[key])).double()

    def integers(self, key: str) -> Tensor:
        return torch.from_numpy(np.asarray(self.arrays[key]))

    def below(self, prefix: str) -> dict[str, Tensor]:
        """All arrays whose key begins so, by the rest of their keys."""
        return {key.removeprefix(prefix): self[key] for key in self.arrays if key.startswith(prefix)}

    def words(self, key: str) -> list[str]:
        return [str(word) for word in self.arrays[key]]

    def count(self, pattern: str) -> int:
        """How many different numbers a pattern with one group finds among the keys."""
        return len({found.group(1) for key in self.arrays if (found := re.match(pattern, key))})

    @property
    def weights(self) -> dict[str, Tensor]:
        """With the names that lists of modules have: ``layer0.`` is ``layers.0.``."""
        return {
            re.sub(r"^(layer|block|norm)(\d+)\.", r"\1s.\2.", key): value for key, value in self.below("w/").items()
        }


def outputs_of(modules: Iterable[nn.Module]) -> list[Any]:
    """A list that the outputs of modules will be appended to, in the order in which they run."""
    seen: list[Any] = []
    for module in modules:
        module.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    return seen


def assert_same(found: Tensor, recorded: Tensor, tolerance: float = 1e-12) -> None:
    """Equal up to ``tolerance`` times the largest recorded number."""
    assert found.shape == recorded.shape
    assert (found - recorded).abs().max() <= tolerance * recorded.abs().max()


def pairs(values: Tensor) -> Tensor:
    """(..., n, k) -> products v_i v_j, (..., n, n, k)."""
    return values[..., :, None, :] * values[..., None, :, :]


def squares(positions: Tensor) -> Tensor:
    """|x_i - x_j|^2, (..., n, n, 1)."""
    return (positions[..., :, None, :] - positions[..., None, :, :]).square().sum(-1, keepdim=True)


def length(vectors: Tensor) -> Tensor:
    return vectors.norm(dim=-1, keepdim=True)
