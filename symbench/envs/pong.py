"""Atari Pong without the score: 84x84 pixels, as agents with permuted patches see it, or 80x80 of the court alone.

Pong itself draws nothing but its no-ops, and those shift one of four games in time; :class:`PongStickyEnv` cannot be
learned by heart.

The preprocessing of Machado et al. (2018, "Revisiting the Arcade Learning Environment", JAIR 61) and of Tang & Ha
(2021, arXiv:2109.02869) over the emulator itself: an episode is pixel for pixel that of ``ALE/Pong-v5`` without sticky
actions below ``gymnasium.wrappers.AtariPreprocessing`` with the same seed, the blackened score apart. ale-py's own
``AtariVectorEnv`` cannot serve: it shows neither RAM nor colours, and draws its no-ops differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.error import DependencyNotInstalled
from gymnasium.utils import seeding

if TYPE_CHECKING:
    from ale_py import ALEInterface, ALEState
    from numpy.typing import NDArray

    Frame = NDArray[np.uint8]

SIZE = 84  # pixels, height and width of an observation
PLAYFIELD_SIZE = 80  # the same, of the court alone
SCORE_ROWS = 10  # rows of an observation that are blackened
FRAME_SKIP = 4
MAX_NOOPS = 30
STICKINESS = 0.25  # Machado et al. 2018, section 5.2
MAX_RANDOM_ACTIONS = 60  # of the opening of a sticky game
MAX_FRAMES = 108_000  # of an episode, its no-ops included
_HEIGHT, _WIDTH = 210, 160
_PLAYFIELD = slice(34, 194)  # rows
# 210 rows become 84: five rows of the screen are two of the observation, wherever they are.
_BAND, _ROWS_OF_BAND = 5, 2
_SCORE_BANDS = SCORE_ROWS // _ROWS_OF_BAND
_BANDS = _HEIGHT // _BAND - _SCORE_BANDS


class PongEnv(gym.Env[np.ndarray, int]):
    """The right paddle of Pong against the game's own player, to 21 points.

    Observation: (84, 84, 1) grey or (84, 84, 3) RGB, uint8, the maximum of the last two of 4 frames, reduced by area
    interpolation, rows 0 to 9 (the score) black. Action: 0 nothing, 1 fire, 2 up, 3 down, 4 up with fire, 5 down with
    fire, held for 4 frames. Reward: 1 for a point, -1 for one of the opponent. An episode begins with 1 to 30 no-ops
    and is truncated after 108,000 frames.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60 // FRAME_SKIP}  # noqa: RUF012 (Gymnasium's way)

    def __init__(self, rgb: bool = False, render_mode: str | None = None) -> None:
        """Load the game.

        Args:
            rgb: Whether to show colours instead of grey levels.
            render_mode: ``None`` or ``"rgb_array"``.

        Raises:
            DependencyNotInstalled: ale-py or OpenCV is missing, or the game's ROM is.
        """
        try:
            import ale_py  # noqa: F401  (loaded here so that its absence is told in one line)
            import cv2
        except ImportError as error:
            raise DependencyNotInstalled(f"Pong needs {error.name}: pip install 'symbench[atari]'") from error
        self.render_mode = render_mode
        self._resize, self._interpolation = cv2.resize, cv2.INTER_AREA
        self.ale, self._switched_on = _console()
        self._actions = [action.value for action in self.ale.getMinimalActionSet()]
        self._read_screen = self.ale.getScreenRGB if rgb else self.ale.getScreenGrayscale
        channels = 3 if rgb else 1
        self.action_space = gym.spaces.Discrete(len(self._actions))  # type: ignore[assignment]  # of numpy integers
        self.observation_space = gym.spaces.Box(0, 255, (SIZE, SIZE, channels), np.uint8)
        screen = (_HEIGHT, _WIDTH, 3) if rgb else (_HEIGHT, _WIDTH)
        self._last, self._before = np.zeros(screen, np.uint8), np.zeros(screen, np.uint8)
        self._bands = _bands(self._last)
        self._resized = np.zeros_like(self._bands)  # what the observation was made from
        self._observation = np.zeros((SIZE // _ROWS_OF_BAND, _ROWS_OF_BAND, SIZE, channels), np.uint8)

    @property
    def ram(self) -> Frame:
        """The console's memory, (128,) uint8, a copy."""
        return self.ale.getRAM()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Begin a game and wait for 1 to 30 frames; see :meth:`gymnasium.Env.reset`."""
        super().reset(seed=seed)
        if seed is None:
            self.ale.reset_game()
        else:
            # As AtariEnv does, without loading the ROM again, which takes longer than a hundred steps.
            self._np_random = _generator(seed)
            self.ale.restoreSystemState(self._switched_on)
        for _ in range(_noops(self.np_random)):
            self.ale.act(self._actions[0])
        self._read_screen(self._last)
        self._before.fill(0)
        return self._observe(), {}

    def step(self, action: int) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold an action for 4 frames, fewer where the game ends; see :meth:`gymnasium.Env.step`."""
        act, over, code, reward = self.ale.act, self.ale.game_over, self._actions[action], 0.0
        for frame in range(FRAME_SKIP):
            reward += act(self._pressed(code))
            if over():
                break
            if frame == FRAME_SKIP - 2:
                self._read_screen(self._before)
            elif frame == FRAME_SKIP - 1:
                self._read_screen(self._last)
        return self._observe(), reward, over(with_truncation=False), self.ale.game_truncated(), {}

    def render(self) -> Frame | None:
        """The screen as an array of shape (210, 160, 3), uint8, or ``None`` without a render mode."""
        return None if self.render_mode is None else self.ale.getScreenRGB()

    def close(self) -> None:
        """Leave the console to the next game; this one cannot go on."""
        if hasattr(self, "ale"):
            _spare.append((self.ale, self._switched_on))
            del self.ale

    def _pressed(self, code: int) -> int:
        """What is pressed in the next frame, of an action that is asked for."""
        return code

    def _observe(self) -> Frame:
        """Pool the last two frames and resize the bands of rows that have changed: most of the court never does."""
        np.maximum(self._last, self._before, out=self._last)
        changed = np.flatnonzero((self._bands != self._resized).any(axis=1))
        if changed.size:
            bands = self._bands[changed]
            self._resized[changed] = bands
            rows = bands.view(np.uint8).reshape(-1, *self._last.shape[1:])
            size = (SIZE, changed.size * _ROWS_OF_BAND)
            resized = self._resize(rows, size, interpolation=self._interpolation)
            self._observation[_SCORE_BANDS + changed] = resized.reshape(changed.size, *self._observation.shape[1:])
        return np.array(self._observation.reshape(SIZE, SIZE, -1))


class PongPlayfieldEnv(PongEnv):
    """The same game, of which only the court is seen, without score and borders: (80, 80, 1) grey, uint8.

    Rows 34 to 193 of the screen, halved by area interpolation. Flipped upside down (rows in reverse, actions
    [0, 1, 3, 2, 5, 4]) the game is nearly itself, about row 113.5 of the screen. What breaks the symmetry: the paddles
    reach from 31.5 to 197.5, 1 row off that axis, they start off it, and a paddle goes up faster than down.
    Source: van der Pol et al. 2020 (arXiv 2006.16908), appendix B.4, whose agents see 4 such frames at once; stacking
    them is up to the agent.
    """

    def __init__(self, render_mode: str | None = None) -> None:
        """Load the game; see :class:`PongEnv`."""
        super().__init__(render_mode=render_mode)
        self.observation_space = gym.spaces.Box(0, 255, (PLAYFIELD_SIZE, PLAYFIELD_SIZE, 1), np.uint8)

    def _observe(self) -> Frame:
        np.maximum(self._last, self._before, out=self._last)
        size = (PLAYFIELD_SIZE, PLAYFIELD_SIZE)
        return np.array(self._resize(self._last[_PLAYFIELD], size, interpolation=self._interpolation)[..., None])


class PongStickyEnv(PongEnv):
    """The same game with sticky actions and a random opening: no two seeds give the same game.

    In each frame what was pressed in the last one is pressed again with probability 0.25, whatever the action (Machado
    et al. 2018, section 5.2). After the 1 to 30 no-ops come n random actions, n uniform in 0 to 60, each of them
    uniform among the six, held for 4 frames and as sticky as the agent's. All of it is drawn from the environment's
    generator. Points of the opening stay on the score and do not count in the return: who has lost one there has lost
    at 20 more, so that returns are from -21 to 21 all the same.
    """

    def __init__(
        self,
        stickiness: float = STICKINESS,
        max_random_actions: int = MAX_RANDOM_ACTIONS,
        render_mode: str | None = None,
    ) -> None:
        """Load the game.

        Args:
            stickiness: Probability that a frame repeats what was pressed in the last one.
            max_random_actions: The longest opening, in actions.
            render_mode: As of :class:`PongEnv`, and so are the errors.
        """
        super().__init__(render_mode=render_mode)
        self.stickiness, self.max_random_actions = stickiness, max_random_actions

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Begin a game and play its opening; see :meth:`gymnasium.Env.reset`."""
        seen, info = super().reset(seed=seed, options=options)
        self._held = self._actions[0]
        count = self.np_random.integers(self.max_random_actions + 1)
        for action in self.np_random.integers(len(self._actions), size=count).tolist():
            seen = self.step(action)[0]
        return seen, info

    def _pressed(self, code: int) -> int:
        if self.np_random.random() >= self.stickiness:
            self._held = code
        return self._held


def last_frame(seed: int, length: int) -> int:
    """The console's frame in which a game of Pong ends that has this seed and takes this many steps."""
    return _noops(_generator(seed)) + FRAME_SKIP * length


def _generator(seed: int) -> np.random.Generator:
    """As AtariEnv seeds itself."""
    return seeding.np_random(int(np.random.SeedSequence(seed).generate_state(1)[0]))[0]


def _noops(generator: np.random.Generator) -> int:
    return int(generator.integers(1, MAX_NOOPS + 1))


def _bands(screen: Frame) -> NDArray[np.uint64]:
    """The rows of a screen below the score as (37, N) words of 8 pixels, a view."""
    return screen.reshape(-1)[_SCORE_BANDS * _BAND * screen[0].size :].view(np.uint64).reshape(_BANDS, -1)


# Consoles that nobody plays on: to load the ROM takes as long as 250 steps, to switch off and on again nothing.
_spare: list[tuple[ALEInterface, ALEState]] = []


def _console() -> tuple[ALEInterface, ALEState]:
    """An emulator as it is when the game was just switched on, and that state."""
    import ale_py

    try:
        ale, switched_on = _spare.pop()
    except IndexError:
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        ale = ale_py.ALEInterface()
        ale.setFloat("repeat_action_probability", 0.0)
        ale.setInt("max_num_frames_per_episode", MAX_FRAMES)
        ale.setInt("random_seed", 0)  # Pong draws nothing, and so do actions that are not sticky
        ale.loadROM(_rom_path())
        ale.reset_game()
        switched_on = ale.cloneSystemState()
    ale.restoreSystemState(switched_on)
    return ale, switched_on


def _rom_path() -> Any:
    from ale_py import roms

    try:
        return roms.get_rom_path("pong")
    except OSError as error:
        remedy = "reinstall ale-py or unset ALE_ROMS_DIR"
        raise DependencyNotInstalled(f"Pong's ROM cannot be read ({' '.join(str(error).split())}): {remedy}") from error
