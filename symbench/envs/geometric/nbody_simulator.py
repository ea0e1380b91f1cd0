"""Charged particles that attract and repel each other: the simulator and the random draws of the N-body data set.

The data set of Satorras et al. 2021 (EGNN, arXiv 2102.09844), whose simulator goes back to Kipf et al. 2018: 5
particles of charge 1 or -1 and mass 1 in three dimensions, without walls. The numbers are those of the published code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TIME_STEP: Final = 1e-3
LARGEST_FORCE: Final = 100.0  # of each component of a particle's total force
STEPS_PER_FRAME: Final = 100
FRAMES: Final = 49
PARTICLES: Final = 5
DIM: Final = 3
SPEED: Final = 0.5  # of every particle at the beginning
SEED: Final = 43
_BOX = 5.0  # positions beyond are reflected at the beginning, and only then


def coulomb_forces(positions: Floats, charges: Floats, softening: float = 0.0) -> Floats:
    """F_i = q_i sum_j q_j (x_i - x_j) / (|x_i - x_j|^2 + softening^2)^(3/2).

    Args:
        positions: (B, n, d).
        charges: (B, n).
        softening: Length below which forces fade; above 0 they are bounded.

    Returns:
        Forces, (B, n, d).
    """
    offsets = positions[:, :, None] - positions[:, None]
    squares = np.einsum("bijd,bijd->bij", offsets, offsets) + softening**2
    own = np.arange(positions.shape[1])
    squares[:, own, own] = 1.0  # offsets of a particle to itself are 0
    strengths = charges[:, :, None] * charges[:, None] / (squares * np.sqrt(squares))
    forces: Floats = np.einsum("bij,bijd->bid", strengths, offsets)
    return forces


def simulate(positions: Floats, velocities: Floats, charges: Floats, frames: int = FRAMES) -> tuple[Floats, Floats]:
    """Trajectories by the semi-implicit Euler method: frame k is the state after 100 (k + 1) steps of 0.001.

    v_1 = v_0 + dt F(x_0); then x_i = x_(i-1) + dt v_i and v_(i+1) = v_i + dt F(x_i). A frame holds x_i and v_i.

    Args:
        positions: x_0, (B, n, d).
        velocities: v_0, (B, n, d).
        charges: (B, n).
        frames: How many.

    Returns:
        Positions and velocities, (B, frames, n, d) each.
    """
    x, v = positions.astype(np.float64), velocities.astype(np.float64)
    seen = np.empty((2, len(x), frames, *x.shape[1:]))
    for step in range(1, STEPS_PER_FRAME * frames + 1):
        v = v + TIME_STEP * np.clip(coulomb_forces(x, charges), -LARGEST_FORCE, LARGEST_FORCE)
        x = x + TIME_STEP * v
        if step % STEPS_PER_FRAME == 0:
            seen[:, :, step // STEPS_PER_FRAME - 1] = x, v
    return seen[0], seen[1]


def published_starts(count: int, seed: int = SEED) -> tuple[Floats, Floats, Floats]:
    """First positions and velocities (count, 5, 3) and charges (count, 5) in the order of the published data set.

    Args:
        count: How many trajectories from the stream's first on.
        seed: Of the stream.
    """
    starts = [np.stack(part) for part in zip(*_drawn(count, seed), strict=True)]
    positions, velocities, charges = starts
    return positions, velocities, charges


def _drawn(count: int, seed: int) -> Iterator[tuple[Floats, Floats, Floats]]:
    generator = np.random.RandomState(seed)  # the published generator
    for _ in range(count):
        charges = generator.choice([-1.0, 0.0, 1.0], size=(PARTICLES, 1), p=[0.5, 0, 0.5])[:, 0]
        positions = generator.randn(DIM, PARTICLES)
        velocities = generator.randn(DIM, PARTICLES)
        velocities *= SPEED / np.sqrt((velocities**2).sum(axis=0))
        beyond = np.abs(positions) > _BOX
        positions[beyond] = (2 * _BOX * np.sign(positions) - positions)[beyond]
        generator.randn(2, FRAMES, DIM, PARTICLES)  # noise of amplitude 0, drawn all the same
        yield positions.T, velocities.T, charges
