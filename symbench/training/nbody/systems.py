"""The data of predictors: systems of charged particles, and where their particles are later."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.reading import brief

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

SIZES: Final = {"train": 3000, "valid": 2000, "test": 2000}
"""Systems of each part, as in the published table."""


class Systems(NamedTuple):
    """N systems of n particles, float32.

    Attributes:
        positions: (N, n, 3).
        velocities: (N, n, 3).
        charges: (N, n).
        targets: Positions to be predicted, (N, n, 3).
    """

    positions: Tensor
    velocities: Tensor
    charges: Tensor
    targets: Tensor

    @classmethod
    def of(cls, positions: ArrayLike, velocities: ArrayLike, charges: ArrayLike, targets: ArrayLike) -> Systems:
        """Make systems of arrays; charges may also be (N, n, 1).

        Raises:
            SymbenchError: Shapes do not fit, there is no system, or a number is not finite.
        """
        parts = [torch.from_numpy(np.asarray(each, np.float32)) for each in (positions, velocities, charges, targets)]
        if parts[2].ndim == 3:
            parts[2] = parts[2][..., 0]
        systems = cls(*parts)
        shape = tuple(systems.positions.shape)
        expected = [shape, shape, shape[:-1], shape]
        if [tuple(part.shape) for part in systems] != expected or len(shape) != 3 or shape[-1] != 3 or 0 in shape:
            found = {name: tuple(part.shape) for name, part in systems._asdict().items()}
            raise SymbenchError(f"N-body systems must be (N, n, 3), charges (N, n), received {found}")
        if not all(bool(part.isfinite().all()) for part in systems):
            raise SymbenchError("N-body systems must be finite numbers")
        return systems

    def part(self, indices: Tensor) -> Systems:
        """The systems of these numbers."""
        return Systems(*(each[indices] for each in self))


class Splits(NamedTuple):
    """Systems to train with, to choose the best epoch by, and to test at that epoch."""

    train: Systems
    valid: Systems
    test: Systems

    def digest(self) -> str:
        """SHA-256 of all numbers."""
        sha = hashlib.sha256()
        for systems in self:
            for each in systems:
                sha.update(each.numpy().tobytes())
        return sha.hexdigest()


def published_splits(sizes: dict[str, int] = SIZES) -> Splits:
    """Systems of the published stream: simulated at the first call, then read from a file."""
    from symbench.envs.geometric.nbody_dataset import nbody_dataset

    return Splits(*(Systems.of(**nbody_dataset(part, sizes[part])._asdict()) for part in Splits._fields))


def splits_in(folder: Path) -> Splits:
    """Systems in ``train.npz``, ``valid.npz`` and ``test.npz``, with arrays named as those of :class:`Systems`.

    Raises:
        SymbenchError: A file is not there or does not hold them.
    """
    return Splits(*(_read(folder / f"{part}.npz") for part in Splits._fields))


def _read(path: Path) -> Systems:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, Any] = {name: file[name] for name in Systems._fields}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SymbenchError(f"{path} is no file of N-body systems ({brief(error)})") from error
    return Systems.of(**arrays)
