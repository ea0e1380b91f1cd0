"""How many cells of a submission are played again, and which: so many that doctored ones can hardly be missed."""

from __future__ import annotations

import math
import secrets
from typing import Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.verified import LEAST_CONFIDENCE

DOCTORED: Final = 0.05
"""Share of cells, at least one, that a verification is to find if they are doctored."""


def confidence(played: int, cells: int) -> float:
    """How likely a doctored cell is among those played, where 5% of all, at least one, are doctored.

    They are drawn without replacement: the number of doctored ones among them is hypergeometric.

    Args:
        played: How many are drawn.
        cells: How many there are.

    Example:
        >>> round(confidence(3, 35), 2), round(confidence(27, 35), 3), confidence(35, 35)
        (0.17, 0.953, 1.0)
    """
    doctored = math.ceil(DOCTORED * cells)
    return 1.0 - math.comb(cells - doctored, played) / math.comb(cells, played)


def cells_needed(cells: int) -> int:
    """The fewest cells that give the least :func:`confidence` that counts."""
    return next(played for played in range(1, cells + 1) if confidence(played, cells) >= LEAST_CONFIDENCE)


def draw(cells: int, played: int | None, seed: int | None) -> list[int]:
    """Which cells are played again, in their order.

    Args:
        cells: How many there are.
        played: How many are drawn, at most; ``None``: :func:`cells_needed`.
        seed: ``None`` takes one from the operating system, so that nobody can know.

    Raises:
        SymbenchError: None is to be played.
    """
    if played is not None and played < 1:
        raise SymbenchError(f"cells must be at least 1, received {played}")
    count = min(cells, played) if played is not None else cells_needed(cells)
    generator = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
    return sorted(generator.permutation(cells)[:count].tolist())
