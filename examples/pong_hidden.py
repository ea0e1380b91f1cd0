"""What hidden patches cost Pong's teacher, who then sees the ball only now and then. Prints CSV.

The controller knows everything; here it is told of the ball only while the patch of the ball's centre is visible. A
ball out of sight it goes on predicting, by the same rules as always, for some steps (0: it forgets it at once) or
until a paddle is reached; then there is none for it, and its paddle stays where it is. Its own paddle it always knows,
and of a ball that it sees the velocity, too: so this bounds from above what can be known.
As in the suite `occlusion` the same patches are hidden for a whole game. 10 games each, with the seeds of the suites.

python examples/pong_hidden.py > docs/data/pong-hidden.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.pong import FRAME_SKIP, SIZE
from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.training.controllers.pong import (
    ACTIONS,
    BALL_X,
    BALL_Y,
    PADDLE_X,
    VELOCITY_X,
    VELOCITY_Y,
    PongController,
    ball_path,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ram = NDArray[np.uint8]

TASKS = {"Pong": "symbench/Pong-v0", "PongSticky": "symbench/PongSticky-v0"}
HIDDEN = (0.0, 0.1, 0.3, 0.5, 0.8)
MEMORIES = {"none": 0, "3 steps": 3, "all": 10_000}  # steps; 3 are what an agent has that stacks four frames
GAMES = 10
BALL = [BALL_X, BALL_Y, VELOCITY_X, VELOCITY_Y]
PATCH, SIDE = 6, SIZE // 6  # pixels of a patch, patches of a side
# MEASURED: the ball's centre on the screen (210 x 160) is so much less than its bytes; the opponent meets it at this x.
CENTRE, SCREEN = np.array([12.5, 48.5]), np.array([210, 160])
OPPONENT_X = 67


class Blinkered(PongController):
    """The teacher, told of the ball only where its patch is visible."""

    def __init__(self, visible: NDArray[np.bool_], memory: int) -> None:
        """Make the player.

        Args:
            visible: Which patches can be seen, (14, 14) bool.
            memory: Steps for which it goes on predicting a ball that it does not see.
        """
        self.visible, self.memory = visible, memory
        super().__init__()

    def reset(self) -> None:
        """See :meth:`PongController.reset`."""
        super().reset()
        self._believed, self._unseen = np.zeros(128, np.uint8), 0

    def act(self, ram: Ram) -> Any:
        """See :meth:`PongController.act`."""
        if ram[BALL_Y] and self.visible[patch(ram)]:
            self._believed, self._unseen = ram, 0
        else:
            self._believed, self._unseen = moved_on(self._believed), self._unseen + 1
        told = ram.copy()
        ball = self._believed if self._unseen <= self.memory else np.zeros_like(ram)
        told[BALL] = ball[BALL]
        answer = super().act(told)
        if told[BALL_Y]:
            return answer
        self._paddle.move = 0
        return ACTIONS[0]


def patch(ram: Ram) -> tuple[int, int]:
    """Row and column of the patch with the ball's centre."""
    pixel = (ram[[BALL_Y, BALL_X]] - CENTRE) * SIZE / SCREEN
    row, column = np.clip(pixel // PATCH, 0, SIDE - 1).astype(int)
    return int(row), int(column)


def moved_on(ram: Ram) -> Ram:
    """The ball one step later; none if there was none, or if it should have met a paddle."""
    told: Ram = ram.copy()
    if ram[BALL_Y]:
        xs, ys = ball_path(ram, FRAME_SKIP)
        told[[BALL_X, BALL_Y]] = (xs[-1], ys[-1]) if OPPONENT_X <= xs[-1] < PADDLE_X else (0, 0)
        falling = ram[VELOCITY_Y] < 128  # a byte with a sign; heights grow downwards
        if falling == (ys[-1] < ys[-2]):  # it met a wall
            told[VELOCITY_Y] = 256 - int(ram[VELOCITY_Y])
    return told


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
                        won = Blinkered(visible_patches(share, seed), steps).play(env, seed)
                    table.writerow((share, memory, task, seed, won))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
