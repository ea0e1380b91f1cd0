"""A controller that wins Pong 21 to 0 from the console's memory: the teacher of agents that see pictures.

It keeps its paddle level with the ball all the time, even while the ball flies away, because an agent that sees patches
without their places knows heights only modulo a patch (15 rows of the screen): what it copies must be a matter of
"a little above" and "a little below". Only for the last steps before a hit does it plan where on the paddle the ball
strikes, near the end from which it leaves steeply, and it always holds fire, which makes the ball fast. The opponent
cannot follow such a shot, so that all points but the first few are alike.

Both the ball and the paddle are predicted frame by frame, from rules measured in the game (``MEASURED`` below).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.envs.pong import FRAME_SKIP

if TYPE_CHECKING:
    import gymnasium as gym
    from numpy.typing import NDArray

    Array = NDArray[Any]

# MEASURED: bytes of the console's memory. Heights grow downwards; a ball at height y is level with a paddle at y - 6.5.
KNOB, FRAME, BALL_X, PADDLE, BALL_Y, VELOCITY_Y, VELOCITY_X = 4, 8, 49, 51, 54, 56, 58
LEVEL = 6.5
# MEASURED: the ball (0 for BALL_Y while there is none) turns at these heights, and strikes the right paddle at this x.
TOP, BOTTOM, PADDLE_X = 45, 206, 188
SERVE = 124.5  # height at which a ball appears
# MEASURED: a held action turns the knob by this much a frame, within these limits; the game reads it every other frame
# (its reading is even, and limited), and with each reading the paddle goes half of the way to it.
TURN, KNOB_LIMITS, READING_LIMITS, FIRST_KNOB = 5.75, (37.5, 205.5), (38, 204), 110.5
# MEASURED: ball minus paddle at the strike: outside of these it is missed; at 14 it leaves steeply downwards, at -0.5
# steeply upwards.
HIT, DOWNWARDS, UPWARDS = (-1.2, 15.2), 14.0, -0.5

ACTIONS = {0: 1, -1: 4, 1: 5}  # nothing, up, down: with fire
LOOKAHEAD, FOLLOW = 5, 3  # steps within which a strike is planned, and for which the ball is followed otherwise
_SEQUENCES = {
    steps: np.array(list(itertools.product((0, -1, 1), repeat=steps))) for steps in range(1, max(LOOKAHEAD, FOLLOW) + 1)
}
# Costs: of a move, of being off level, of striking elsewhere than wanted, upwards instead of downwards, of a miss.
MOVE, OFF_LEVEL, OFF_AIM, SECOND_CHOICE, MISS = 0.3, 0.05, 20.0, 20.0, 2000.0
AIM_TOLERANCE, WORST_AIM = 0.8, 200.0


class PongController:
    """Plays ``PongEnv`` from its RAM, deterministically; 21 to 0 from every start, with recovery from any state.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/Pong-v0")
        >>> _ = env.reset(seed=0)
        >>> PongController()(env) in env.action_space
        True
    """

    def __init__(self, move: float = MOVE, switch: float = 0.0, temperature: float = 0.0) -> None:
        """Make the player.

        Args:
            move: Cost of a step in which it moves; the more it costs, the fewer small corrections.
            switch: Cost of a step in which it does something else than in the one before.
            temperature: T of the answer ``softmax(-cost / T)`` over actions, the cost of an action being that of the
                best plan that begins with it; 0 for the best action alone.

        Raises:
            ValueError: One of them is negative.
        """
        if min(move, switch, temperature) < 0:
            raise ValueError(f"costs and temperature are at least 0, received {move}, {switch}, {temperature}")
        self.costs, self.temperature = (move, switch), temperature
        self.reset()

    def reset(self) -> None:
        """Forget the episode: to be called at its beginning."""
        self._paddle = _Paddle()

    def __call__(self, env: gym.Env[Any, Any]) -> int | Array:
        """The answer to the environment's present state; to be called once before every step.

        Args:
            env: A ``PongEnv``, wrapped or not.
        """
        return self.act(env.unwrapped.ram)  # type: ignore[attr-defined]

    def play(self, env: gym.Env[Any, Any], seed: int) -> float:
        """The return of one game, by its best answers.

        Args:
            env: A ``PongEnv``, wrapped or not.
            seed: Of the game.
        """
        env.reset(seed=seed)
        self.reset()
        total, over = 0.0, False
        while not over:
            self(env)  # with a temperature it answers with probabilities; the best move is what it keeps
            _, reward, terminated, truncated, _ = env.step(ACTIONS[self._paddle.move])
            total, over = total + float(reward), terminated or truncated
        return total

    def act(self, ram: Array) -> int | Array:
        """The answer to a state of the console's memory, (128,) uint8.

        Returns:
            1 (stay), 4 (up) or 5 (down), with fire; with a temperature the probabilities of the 6 actions, float32.
        """
        moves, cost = self._plans(ram)
        self._paddle.move = int(moves[np.argmin(cost)])
        return _shares(moves, cost, self.temperature) if self.temperature else ACTIONS[self._paddle.move]

    def _plans(self, ram: Array) -> tuple[Array, Array]:
        """First moves of all plans, and what the plans cost."""
        self._paddle.observe(ram)
        xs, ys = ball_path(ram, LOOKAHEAD * FRAME_SKIP)
        strike = _strike(int(ram[BALL_X]), xs) if ram[BALL_Y] else None
        steps = FOLLOW if strike is None else strike // FRAME_SKIP + 1
        moves = _SEQUENCES[steps]
        heights = self._paddle.path(moves)
        off = self.offsets(ys[: heights.shape[1]], heights)
        cost = self.costs[0] * np.abs(moves).sum(axis=1)
        if self.costs[1]:
            cost = cost + self.costs[1] * (np.diff(moves, axis=1, prepend=self._paddle.move) != 0).sum(axis=1)
        level = off[:, FRAME_SKIP - 1 :: FRAME_SKIP][:, : steps if strike is None else steps - 1]
        cost = cost + OFF_LEVEL * ((level - LEVEL) ** 2).sum(axis=1)
        if strike is not None:
            cost = cost + _aim(off[:, strike])
        return moves[:, 0], cost

    def offsets(self, balls: Array, paddles: Array) -> Array:
        """How far the ball is below the paddle, for heights (frames,) of the ball and (plans, frames) of the paddle."""
        return balls - paddles


class _Paddle:
    """Where the paddle is and will be: it lags behind a knob, of which the game shows every other reading at most."""

    def __init__(self) -> None:
        self.move = 0  # what was done last: -1 up, 0 nothing, 1 down
        self._knob: float | None = None
        self._height, self._reading, self._late = 0, 0, False

    def observe(self, ram: Array) -> None:
        """Take in what the last step did, also where another action was taken than the one asked for."""
        height, reading, late = int(ram[PADDLE]), int(ram[KNOB]), bool(ram[FRAME] % 2)
        if self._knob is None:
            first = abs(height - FIRST_KNOB) < 2
            self._knob = FIRST_KNOB if first else height + 0.5
        else:
            self._late = late
            self._knob = self._infer(height, reading)
        self._height, self._reading, self._late = height, reading, late

    def _infer(self, height: int, reading: int) -> float:
        """The knob's position now, for the move that explains best what is seen, the one asked for if it does."""
        moves = np.array([self.move, 0, -1, 1])
        heights, knobs = self._advance(moves[:, None])
        errors = height - heights[:, -1]
        distances = np.abs(errors) + (0 if self._late else np.abs(_read(knobs) - reading))
        best = 0 if distances[0] <= 4 else int(np.argmin(distances))
        knob, error, self.move = float(knobs[best]), int(errors[best]), int(moves[best])
        if not self._late:
            return knob if _read(knob) == reading else reading + 1.0
        # The knob accounts for three quarters of the height after two readings; an error of 1 may be rounding.
        return float(np.clip(knob + error * (4 / 3 if abs(error) > 1 else 0.7), *KNOB_LIMITS))

    def path(self, moves: Array) -> Array:
        """Heights after each frame, (S, 4 * steps), for S sequences of moves (S, steps) in -1, 0, 1."""
        return self._advance(moves)[0]

    def _advance(self, moves: Array) -> tuple[Array, Array]:
        count, steps = moves.shape
        height, knob = np.full(count, self._height), np.full(count, self._knob)
        reading: Array = np.full(count, self._reading)
        frames = []
        for step in range(steps):
            turn = TURN * moves[:, step]
            if self._late:  # readings in frames 1 and 3 of a step, seen in frames 2 and 4
                first = (height + _read(knob + turn)) // 2
                second = (first + _read(knob + 3 * turn)) // 2
                frames += [height, first, first, second]
            else:  # readings in frames 2 and 4, seen in frames 3 and 1
                first = (height + reading) // 2
                second = (first + _read(knob + 2 * turn)) // 2
                frames += [first, first, second, second]
            height, knob = second, np.clip(knob + FRAME_SKIP * turn, *KNOB_LIMITS)
            reading = _read(knob)
        return np.stack(frames, axis=1), knob


def ball_path(ram: Array, frames: int) -> tuple[Array, Array]:
    """Positions x and y of the ball after each of the next frames, (frames,) int64 each, walls included, paddles not.

    While there is no ball it stands where the next one appears, so that the paddle waits there.
    """
    if not ram[BALL_Y]:
        return np.zeros(frames), np.full(frames, SERVE)
    x, y, dx, dy = int(ram[BALL_X]), int(ram[BALL_Y]), -_signed(ram[VELOCITY_X]), _signed(ram[VELOCITY_Y])
    ys = []
    for _ in range(frames):
        if (y <= TOP and dy < 0) or (y >= BOTTOM and dy > 0):
            dy = -dy
            y += 1 if dy > 0 else -1
        y += dy
        ys.append(y)
    return x + dx * np.arange(1, frames + 1), np.array(ys)


def _strike(x: int, xs: Array) -> int | None:
    """The index of the frame in which the ball reaches the paddle's place, if it does."""
    reached = np.flatnonzero(xs >= PADDLE_X)
    return int(reached[0]) if x < PADDLE_X and reached.size else None


def _aim(off: Array) -> Array:
    """The cost of striking at these places of the paddle (ball minus paddle)."""
    down, up = (OFF_AIM * np.maximum(0, np.abs(off - aim) - AIM_TOLERANCE) ** 2 for aim in (DOWNWARDS, UPWARDS))
    aimed: Array = np.minimum(np.minimum(down, up + SECOND_CHOICE), WORST_AIM)
    aimed += MISS * ((off < HIT[0]) | (off > HIT[1]))
    return aimed


def _shares(moves: Array, cost: Array, temperature: float) -> Array:
    """``softmax(-cost / temperature)`` of the 6 actions, by the best of the plans that begin with each."""
    shares = np.zeros(6, np.float32)
    for move, action in ACTIONS.items():
        shares[action] = np.exp((cost.min() - cost[moves == move].min()) / temperature)
    shares /= shares.sum()
    return shares


def _read(knob: Array | float) -> Array:
    """What the game reads of the knob."""
    even: Array = 2 * np.floor(np.clip(knob, *KNOB_LIMITS) / 2)
    return np.asarray(np.clip(even, *READING_LIMITS), dtype=np.int64)


def _signed(byte: Any) -> int:
    return int(byte) - 256 if byte > 127 else int(byte)
