"""How many cells of a submission are played again, and which: so many that doctored ones can hardly be missed.

Each task is a board of its own, so a task's cells are drawn by themselves: many of others hide none.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.verified import LEAST_CONFIDENCE
from symbench.runner.cell_id import CellId

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def least_confidence(played: Iterable[str], cells: Iterable[str]) -> float:
    """The :func:`confidence` in the task where it is least.

    Args:
        played: Ids of the cells that are drawn.
        cells: Of all.
    """
    drawn, there = (Counter(CellId.parse(cell).task for cell in each) for each in (played, cells))
    return min(confidence(drawn[task], count) for task, count in there.items())


def draw_of_each(tasks: Sequence[str], played: int | None, seed: int | None) -> list[int]:
    """Which cells are played again, in their order; of each task so many as if it were alone, unless it is said.

    Args:
        tasks: Of each cell, its task.
        played: As of :func:`draw`, in all.
        seed: As of :func:`draw`.

    Raises:
        SymbenchError: None is to be played.
    """
    if played is not None:
        return draw(len(tasks), played, seed)
    places = {of: [place for place, task in enumerate(tasks) if task == of] for of in tasks}
    return sorted(own[index] for own in places.values() for index in draw(len(own), None, seed))


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
