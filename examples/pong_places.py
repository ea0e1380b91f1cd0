"""What it costs Pong's teacher to know how far the ball is above or below its paddle only modulo a patch. Prints CSV.

An agent that reads an unordered set of patches sees where in its patch the ball is, and where in its own the paddle,
but not which patches these are: 15 rows of the screen more or less look alike (:mod:`symbench.training.controllers.
pong`). The controller knows everything; here it is told the distance modulo 15, 30 or 60 rows, to the nearest. 10 games
each, with the seeds of the suites; the places of the ball along the court stay known.

python examples/pong_places.py > docs/data/pong-places.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.training.controllers.pong import LEVEL, PongController

if TYPE_CHECKING:
    from numpy.typing import NDArray

TASKS = {
    "Pong": "symbench/Pong-v0",
    "random openings": "symbench/PongSticky-v0?stickiness=0",
    "PongSticky": "symbench/PongSticky-v0",
}
PATCH, GAMES = 15, 10  # rows of the screen: 6 of the 84, each of 2.5
KNOWN = (None, 4 * PATCH, 2 * PATCH, PATCH)


class Modulo(PongController):
    """The teacher, told how far the ball is off only modulo some rows: the nearest is what it takes it for."""

    def __init__(self, rows: int | None, **options: float) -> None:
        """``None``: it is told everything."""
        super().__init__(**options)
        self.rows = rows

    def offsets(self, balls: NDArray[Any], paddles: NDArray[Any]) -> NDArray[Any]:
        """See :meth:`PongController.offsets`: from half a period above level to half of one below."""
        off = super().offsets(balls, paddles)
        if self.rows is None:
            return off
        return (off - LEVEL + self.rows / 2) % self.rows - self.rows / 2 + LEVEL


def main() -> None:
    """Print a line for every game."""
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("shuffle").seed
    table.writerow(("rows", "task", "seed", "return"))
    for rows in KNOWN:
        for task, name in TASKS.items():
            for seed in range(first, first + GAMES):
                with closing(get_task(name).make()) as env:
                    won = Modulo(rows).play(env, seed)
                table.writerow(("all" if rows is None else rows, task, seed, won))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
