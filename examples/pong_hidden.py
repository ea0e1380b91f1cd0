"""What hidden patches cost Pong's teacher, who then sees the ball only now and then. Prints CSV.

The controller knows everything; here it is told of the ball only while the patch of the ball's centre is visible (see
BlinkeredPongController), and what it is not told it remembers for so many steps. As in the suite `occlusion` the same
patches are hidden for a whole game. 10 games each, with the seeds of the suites.

python examples/pong_hidden.py > docs/data/pong-hidden.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.training.controllers.blinkered_pong import SIDE, BlinkeredPongController

if TYPE_CHECKING:
    from numpy.typing import NDArray

TASKS = {"Pong": "symbench/Pong-v0", "PongSticky": "symbench/PongSticky-v0"}
HIDDEN = (0.0, 0.1, 0.3, 0.5, 0.8)
MEMORIES = {"none": 0, "3 steps": 3, "all": 10_000}  # steps; 3 are what an agent has that stacks four frames
GAMES = 10


def visible_patches(share: float, seed: int) -> NDArray[np.bool_]:
    """(14, 14) bool, of which this share is hidden."""
    order = np.random.default_rng(seed).permutation(SIDE * SIDE)
    return (order >= round(share * SIDE * SIDE)).reshape(SIDE, SIDE)


def main() -> None:
    """Print a line for every game."""
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("occlusion").seed
    table.writerow(("hidden", "memory", "task", "seed", "return"))
    for share in HIDDEN:
        for memory, steps in MEMORIES.items() if share else [("all", MEMORIES["all"])]:
            for task, name in TASKS.items():
                for seed in range(first, first + GAMES):
                    with closing(get_task(name).make()) as env:
                        won = BlinkeredPongController(visible_patches(share, seed), steps).play(env, seed)
                    table.writerow((share, memory, task, seed, won))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
