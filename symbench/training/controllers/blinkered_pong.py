"""Pong's controller, told of the ball only where its patch is visible: what hidden patches leave to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.pong import FRAME_SKIP, SIZE
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

BALL = [BALL_X, BALL_Y, VELOCITY_X, VELOCITY_Y]
PATCH, SIDE = 6, SIZE // 6  # pixels of a patch, patches of a side
# MEASURED: the ball's centre on the screen (210 x 160) is so much less than its bytes; the opponent meets it at this x.
CENTRE, SCREEN = np.array([12.5, 48.5]), np.array([210, 160])
OPPONENT_X = 67


class BlinkeredPongController(PongController):
    """Is told of the ball only while the patch with the ball's centre is visible.

    A ball out of sight it goes on predicting, by the same rules as always, for some steps (0: it forgets it at once)
    or until a paddle is reached; then there is none for it, and its paddle stays where it is. Its own paddle it always
    knows, and of a ball that it sees the velocity, too: so it bounds from above what can be known.
    """

    def __init__(self, visible: NDArray[np.bool_], memory: int, **costs: float) -> None:
        """Make the player.

        Args:
            visible: Which patches can be seen, (14, 14) bool.
            memory: Steps for which it goes on predicting a ball that it does not see.
            **costs: See :class:`PongController`.
        """
        self.visible, self.memory = visible, memory
        super().__init__(**costs)

    def reset(self) -> None:
        """See :meth:`PongController.reset`."""
        super().reset()
        self._believed, self._unseen = np.zeros(128, np.uint8), 0

    def act(self, ram: Ram) -> Any:
        """See :meth:`PongController.act`."""
        if ram[BALL_Y] and self.visible[_patch(ram)]:
            self._believed, self._unseen = ram, 0
        else:
            self._believed, self._unseen = _moved_on(self._believed), self._unseen + 1
        told = ram.copy()
        ball = self._believed if self._unseen <= self.memory else np.zeros_like(ram)
        told[BALL] = ball[BALL]
        answer = super().act(told)
        if told[BALL_Y]:
            return answer
        self._paddle.move = 0
        return ACTIONS[0]


def _patch(ram: Ram) -> tuple[int, int]:
    """Row and column of the patch with the ball's centre."""
    pixel = (ram[[BALL_Y, BALL_X]] - CENTRE) * SIZE / SCREEN
    row, column = np.clip(pixel // PATCH, 0, SIDE - 1).astype(int)
    return int(row), int(column)


def _moved_on(ram: Ram) -> Ram:
    """The ball one step later; none if there was none, or if it should have met a paddle."""
    told: Ram = ram.copy()
    if ram[BALL_Y]:
        xs, ys = ball_path(ram, FRAME_SKIP)
        told[[BALL_X, BALL_Y]] = (xs[-1], ys[-1]) if OPPONENT_X <= xs[-1] < PADDLE_X else (0, 0)
        falling = ram[VELOCITY_Y] < 128  # a byte with a sign; heights grow downwards
        if falling == (ys[-1] < ys[-2]):  # it met a wall
            told[VELOCITY_Y] = 256 - int(ram[VELOCITY_Y])
    return told
