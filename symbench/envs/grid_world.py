"""GridWorld: catch a prey that wanders on a torus, seen from the agent; all of D4 is an exact symmetry.

The grid world of van der Pol et al. 2020 (arXiv 2006.16908, section 4.1 and appendix B.3): a 7x7 torus, observed as a
21x21 picture with the agent in the middle. What counts is where the prey is relative to the agent: 49 states, of which
the square's symmetries make 10.

* :class:`GridWorldEnv` - one environment
* :class:`GridWorldVectorEnv` - many in one array program; the same episodes for the same seeds

**Symmetry.** Pictures are turned counter-clockwise by ``np.rot90`` and flipped; actions 1 to 4 follow: a quarter turn
is the action map [0, 2, 3, 4, 1], a flip of columns [0, 1, 4, 3, 2], a flip of rows [0, 3, 2, 1, 4]. On the
``state`` (positions modulo 7) a quarter turn is (row, column) -> (-column, row) and a flip of columns
(row, column) -> (row, -column), of agent and prey alike. The prey's move is drawn at random; so that two environments
can be compared step by step, ``prey_map`` sends the drawn move m to ``prey_map[m]``: give it the action map of g.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.batched import BatchedEnv
from symbench.envs.rendering import draw_grid

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Cells = NDArray[np.int64]

SIZE: Final = 7  # cells, height and width
CELL: Final = 3  # pixels of an observation, height and width of a cell
PIXELS: Final = SIZE * CELL
PREY_MOVES: Final = 0.15  # probability that the prey moves
REWARDS: Final = (-0.1, 1.0)  # of a step, and of the one that catches the prey
MAX_EPISODE_STEPS: Final = 100
MOVES: Final = np.array([(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)])  # rows and columns, by action
_AGENT = np.array([(1, 0, 1), (0, 1, 0), (1, 0, 1)])
_PREY = np.array([(0, 1, 0), (1, 1, 1), (0, 1, 0)])
_BLOCK = 100  # moves of the prey that are drawn at once


def relative(state: Cells) -> Any:
    """Number 0 to 48 of the relative state of ``agent row, agent column, prey row, prey column``, (4, ...) -> (...).

    It is ``7 * i + j``, where i and j are the row and the column of the prey's cell in the picture. That is the middle
    plus agent minus prey, as in the authors' code: the prey is seen mirrored through the middle.
    """
    cell = (state[:2] - state[2:] + SIZE // 2) % SIZE
    return SIZE * cell[0] + cell[1]


CAUGHT: Final = SIZE * SIZE // 2  # the relative state in which both are in the same cell


def _picture(state: int) -> NDArray[np.uint8]:
    picture = np.zeros((SIZE, CELL, SIZE, CELL), np.uint8)
    picture[state // SIZE, :, state % SIZE] = _PREY
    picture[SIZE // 2, :, SIZE // 2] = _AGENT  # drawn over the prey
    return 255 * picture.reshape(PIXELS, PIXELS, 1)


PICTURES: Final = np.stack([_picture(state) for state in range(SIZE * SIZE)])
"""What each relative state looks like, shape (49, 21, 21, 1), uint8."""


def move(state: Cells, action: Any, prey_action: Any) -> Cells:
    """Move agent, then prey, by actions 0 to 4 (numbers, or arrays (B,)): (4,) -> (4,), or (4, B) -> (4, B)."""
    moved: Cells = (state + np.concatenate([MOVES[action].T, MOVES[prey_action].T])) % SIZE
    return moved


def _initial_state(generator: np.random.Generator) -> Cells:
    return generator.integers(SIZE, size=4)


def _prey_moves(generator: np.random.Generator) -> Cells:
    """Moves of the prey for ``_BLOCK`` steps: one number decides whether it moves, and where to."""
    drawn = generator.random(_BLOCK) * (4 / PREY_MOVES)
    return np.where(drawn < 4, drawn.astype(np.int64) + 1, 0)


def _observation_space() -> gym.spaces.Box:
    return gym.spaces.Box(0, 255, (PIXELS, PIXELS, 1), np.uint8)


class GridWorldEnv(gym.Env[np.ndarray, np.int64]):
    """An agent that hunts a prey on a 7x7 torus.

    Observation: (21, 21, 1), uint8, 0 or 255: each cell is 3x3 pixels, the agent an x in the middle, the prey a + (0
    and 1 in the paper; 255 because networks for pictures divide by 255). Action: 0 stay, 1 to 4 move by one cell
    (:data:`MOVES`). Then the prey moves in a random direction with probability 0.15. Reward: 1 if both are in the same
    cell now, which ends the episode, else -0.1. Agent and prey start anywhere, perhaps in the same cell. Truncated
    after 100 steps when made by id.

    Attributes:
        prey_map: Action map (5,) that the prey's drawn moves go through; set it to compare with a transformed
            environment, see the module's page. It is kept by ``reset``.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/GridWorld-v0")
        >>> observation, info = env.reset(seed=0)
        >>> observation.shape
        (21, 21, 1)
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium declares it so)

    def __init__(self, render_mode: str | None = None) -> None:
        """Make one grid world.

        Args:
            render_mode: ``None`` or ``"rgb_array"`` (frames of shape (420, 420, 3), uint8).

        Raises:
            ValueError: The render mode is unknown.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', received {render_mode!r}")
        self.render_mode = render_mode
        self.observation_space = _observation_space()
        self.action_space = gym.spaces.Discrete(len(MOVES))
        self.prey_map = np.arange(len(MOVES))
        self._state: Cells | None = None

    @property
    def state(self) -> Cells:
        """``agent row, agent column, prey row, prey column``, shape (4,), int64, 0 to 6. Can be set, modulo 7."""
        return np.array(self._playing())

    @state.setter
    def state(self, value: ArrayLike) -> None:
        self._state = np.asarray(value, dtype=np.int64).reshape(4) % SIZE

    def _playing(self) -> Cells:
        if self._state is None:
            raise gym.error.ResetNeeded("call reset() before step() and before reading the state")
        return self._state

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Put both anywhere; see :meth:`gymnasium.Env.reset`."""
        super().reset(seed=seed)
        self.state = _initial_state(self.np_random)
        self._drawn = _prey_moves(self.np_random)
        self._steps = 0
        return PICTURES[relative(self._playing())].copy(), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move agent and prey; see :meth:`gymnasium.Env.step`."""
        state = self._playing()
        if self._steps and self._steps % _BLOCK == 0:
            self._drawn = _prey_moves(self.np_random)
        prey_action = self.prey_map[self._drawn[self._steps % _BLOCK]]
        self._steps += 1
        self._state = move(state, int(action), prey_action)
        now = relative(self._state)
        caught = bool(now == CAUGHT)
        return PICTURES[now].copy(), REWARDS[caught], caught, False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """The torus from above, agent and prey where they are, (420, 420, 3), uint8; ``None`` without render mode."""
        if self.render_mode is None:
            return None
        state = self.state.tolist()
        return draw_grid((SIZE, SIZE), [("agent", state[:2]), ("prey", state[2:])])


class GridWorldVectorEnv(BatchedEnv):
    """``num_envs`` grid worlds advanced by one array program; see :class:`~symbench.envs.batched.BatchedEnv`."""

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of grid worlds; see :class:`~symbench.envs.batched.BatchedEnv` for the arguments."""
        actions = gym.spaces.Discrete(len(MOVES))
        super().__init__(num_envs, _observation_space(), actions, max_episode_steps, autoreset_mode, render_mode)
        self._state = np.zeros((4, num_envs), dtype=np.int64)
        self._drawn = np.zeros((_BLOCK, num_envs), dtype=np.int64)
        self._each = np.arange(num_envs)

    @property
    def state(self) -> Cells:
        """Rows ``agent row, agent column, prey row, prey column``, shape (4, B), int64."""
        return np.array(self._state)

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Put agent and prey of sub-environment ``i`` anywhere."""
        self._state[:, i] = _initial_state(generator)
        self._drawn[:, i] = _prey_moves(generator)

    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Move all agents, then all preys."""
        if self.max_episode_steps > _BLOCK:
            for i in np.flatnonzero((self.steps > 0) & (self.steps % _BLOCK == 0) & ~self.ended).tolist():
                self._drawn[:, i] = _prey_moves(self.generators[i])
        self._state = move(self._state, actions, self._drawn[self.steps % _BLOCK, self._each])
        caught = relative(self._state) == CAUGHT
        return np.where(caught, REWARDS[1], REWARDS[0]), caught

    def observe(self) -> NDArray[np.uint8]:
        """Pictures, shape (B, 21, 21, 1), uint8."""
        pictures: NDArray[np.uint8] = PICTURES[relative(self._state)]
        return pictures
