"""The N-body data set: where charged particles are 1000 steps later (Satorras et al. 2021, ``nbody_small``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from symbench.envs.geometric.nbody_simulator import published_starts, simulate
from symbench.errors import SymbenchError, unknown
from symbench.files import cache_folder, save_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SPLITS: Final = {"train": (0, 10_000), "valid": (10_000, 2000), "test": (12_000, 2000)}
"""First trajectory of the published stream, and how many there are."""
FRAME_IN, FRAME_OUT = 30, 40
_BATCH = 100  # trajectories at once: they fit into the cache of a core


class NBodyDataset(NamedTuple):
    """N systems of n particles, float64.

    Attributes:
        positions: At frame 30, (N, n, 3).
        velocities: At frame 30, (N, n, 3).
        charges: 1 or -1, (N, n).
        targets: Positions at frame 40, (N, n, 3).
    """

    positions: Floats
    velocities: Floats
    charges: Floats
    targets: Floats


def nbody_dataset(split: str, size: int | None = None, cache: Path | None = None) -> NBodyDataset:
    """The first systems of a part of the published data set, simulated once and then kept in a file.

    Args:
        split: ``"train"`` (the published table uses 3000 of 10,000), ``"valid"`` or ``"test"`` (2000 each).
        size: How many systems; ``None`` takes all.
        cache: Directory of the files. [``$XDG_CACHE_HOME/symbench`` or ``~/.cache/symbench``]

    Raises:
        SymbenchError: There is no such part, or it is smaller.
    """
    if split not in SPLITS:
        raise unknown("part of the N-body data set", split, SPLITS)
    start, available = SPLITS[split]
    count = available if size is None else size
    if not 1 <= count <= available:
        raise SymbenchError(f"size of {split} must be between 1 and {available}, received {size!r}")
    file = (cache or cache_folder()) / f"nbody-{split}-{count}.npz"
    if not file.exists():
        save_arrays(file, **_simulated(start, count)._asdict())
    with np.load(file, allow_pickle=False) as arrays:
        return NBodyDataset(**{name: arrays[name] for name in NBodyDataset._fields})


def _simulated(start: int, count: int) -> NBodyDataset:
    x, v, charges = (part[start:] for part in published_starts(start + count))
    frames = [
        simulate(x[i : i + _BATCH], v[i : i + _BATCH], charges[i : i + _BATCH], FRAME_OUT + 1)
        for i in range(0, count, _BATCH)
    ]
    positions, velocities = (np.concatenate(part) for part in zip(*frames, strict=True))
    return NBodyDataset(positions[:, FRAME_IN], velocities[:, FRAME_IN], charges, positions[:, FRAME_OUT])
