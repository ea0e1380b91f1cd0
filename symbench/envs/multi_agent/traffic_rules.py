"""Roads, lights and the movement of cars of :mod:`~symbench.envs.multi_agent.traffic`, for batches of B worlds.

There are 8 one-way lanes of 15 cells, four along rows and four along columns, and 16 cells where two of them cross. A
lane's cells are numbered in the direction of travel, so what belongs to cars is an array (B, 8, 15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

SIZE: Final = 15  # cells, height and width of the world
LANES: Final = 8
LIGHTS: Final = np.array([(3, 3), (3, 11), (11, 3), (11, 11)])
"""Row and column of each junction's middle, by agent."""
HEADINGS: Final = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
"""Rows and columns a car moves by, of the four directions of travel."""
DIRECTION: Final = np.array([0, 1, 0, 1, 3, 3, 2, 2])
"""Of each lane, a row of :data:`HEADINGS`."""
_ACROSS = np.array([12, 10, 4, 2, 12, 4, 10, 2])  # the column of lanes along columns, the row of the others


def _cells() -> Ints:
    along = np.where(np.isin(DIRECTION, (0, 1))[:, None], np.arange(SIZE), np.arange(SIZE)[::-1])
    across = np.broadcast_to(_ACROSS[:, None], (LANES, SIZE))
    vertical = (DIRECTION % 2 == 0)[:, None]
    return np.stack([np.where(vertical, along, across), np.where(vertical, across, along)], axis=2)


CELLS: Final = _cells()
"""Row and column of every lane's cells, (8, 15, 2)."""
NUMBERS: Final = CELLS @ [SIZE, 1]
"""The same as ``15 * row + column``, (8, 15)."""


def _crossings() -> tuple[Ints, Ints]:
    """Places ``15 * lane + cell`` of the 32 (lane, cell) where another lane crosses, and the places there of that."""
    flat = NUMBERS.ravel()
    same = (flat[:, None] == flat) & ~np.eye(flat.size, dtype=bool)
    own, other = np.nonzero(same)
    return own, other


OWN, OTHER = _crossings()


def _lights() -> Ints:
    """The light that stops cars which enter a cell of a lane, -1 for none, (8, 15): at the junction's first cell."""
    found = np.full((LANES, SIZE), -1)
    before = {0: (-1, 1), 1: (-1, -1), 2: (1, -1), 3: (1, 1)}  # of the middle, by direction of travel
    for lane, direction in enumerate(DIRECTION.tolist()):
        for light, middle in enumerate(LIGHTS):
            found[lane, (CELLS[lane] == middle + before[direction]).all(axis=1)] = light
    return found


STOPPED_BY: Final = _lights()
# Where lanes cross, exactly one of the two is stopped by the light when it enters: the other is leaving the junction.
_ENTERING = STOPPED_BY.ravel()[OWN] >= 0
_ENTRY, _BEFORE = OWN[_ENTERING], OTHER[_ENTERING] - 1  # the last cell before the crossing, of the lane that leaves


class Moves(NamedTuple):
    """What the cars of a step do.

    Attributes:
        goes: Whether the car in a cell moves on, bool, (B, 8, 15).
        held: Whether its way is not free; it has to start anew, which costs a step, bool, (B, 8, 15).
    """

    goes: Bools
    held: Bools


def red_lights(lights: Ints) -> Bools:
    """Whether cars may not enter a cell of a lane: 0 stops those along rows, 1 those along columns.

    Args:
        lights: 0 or 1 at each junction, (B, 4).

    Returns:
        bool, (B, 8, 15).
    """
    stops = np.where(DIRECTION % 2 == 0, 1, 0)[:, None]
    red: Bools = (STOPPED_BY >= 0) & (lights[:, STOPPED_BY] == stops)
    return red


def moves_at_once(present: Bools, stopped: Bools, red: Bools) -> Moves:
    """All cars decide at once, by what is where before the step: the same rules seen from every side.

    A car moves on unless its light is red, or the car in the next cell, of its own or of the crossing lane, stays (or
    leaves the world), or, where a junction begins, a car that leaves the junction is ready to enter the same cell.

    Args:
        present: Where cars are, (B, 8, 15).
        stopped: Which of them stood, (B, 8, 15).
        red: See :func:`red_lights`.
    """
    size, ready = len(present), present & ~stopped
    ready[..., -1] = False
    closed = red.copy()
    closed.reshape(size, -1)[:, _ENTRY] |= ready.reshape(size, -1)[:, _BEFORE]
    goes = ready.copy()
    goes[..., :-1] &= ~closed[..., 1:]
    while True:  # whoever is behind one that stays stays
        stays = present & ~goes
        full = stays.copy()
        full.reshape(size, -1)[:, OWN] |= stays.reshape(size, -1)[:, OTHER]
        still = goes.copy()
        still[..., :-1] &= ~full[..., 1:]
        if np.array_equal(still, goes):
            break
        goes = still
    held = np.zeros_like(present)
    held[..., :-1] = present[..., :-1] & (closed | full)[..., 1:]
    return Moves(goes, held)


def moves_in_order(present: Bools, stopped: Bools, red: Bools, order: Ints) -> Moves:
    """One car after the other, as published: a car sees where those before it have gone.

    Args:
        present: Where cars are, (B, 8, 15).
        stopped: Which of them stood, (B, 8, 15).
        red: See :func:`red_lights`.
        order: Numbers, (B, 8, 15): the least is first.
    """
    size = len(present)
    everywhere, flat = np.arange(size), present.reshape(size, -1)
    taken = np.zeros((size, SIZE * SIZE), dtype=bool)
    world, place = np.nonzero(flat)
    taken[world, NUMBERS.ravel()[place]] = True
    ranked = np.argsort(np.where(flat, order.reshape(size, -1), np.iinfo(np.int64).max), axis=1, kind="stable")
    goes, held = np.zeros_like(present), np.zeros_like(present)
    counts = flat.sum(axis=1)
    for rank in range(int(counts.max(initial=0))):
        lane, cell = np.divmod(ranked[:, rank], SIZE)
        acts = (rank < counts) & (cell < SIZE - 1)
        following = np.minimum(cell + 1, SIZE - 1)
        closed = taken[everywhere, NUMBERS[lane, following]] | red[everywhere, lane, following]
        free = acts & ~closed & ~stopped[everywhere, lane, cell]
        held[everywhere, lane, cell] |= acts & closed
        goes[everywhere, lane, cell] |= free
        taken[everywhere[free], NUMBERS[lane, cell][free]] = False
        taken[everywhere[free], NUMBERS[lane, following][free]] = True
    return Moves(goes, held)


def moved(values: NDArray[np.int64], goes: Bools, empty: int) -> NDArray[np.int64]:
    """What belongs to cars, (B, 8, 15), after they have moved; those in a lane's last cell leave the world."""
    after = np.where(goes, empty, values)
    after[..., -1] = empty
    after[..., 1:] = np.where(goes[..., :-1], values[..., :-1], after[..., 1:])
    return after
