"""CartPoleSwingUp: swing a pole up and keep it there, on a track the cart must not leave.

The "harder" cart-pole swing-up of Tang & Ha 2021 (arXiv 2109.02869): the cart starts anywhere on the track with a
speed of up to 10 m/s, the pole hangs at an angle of up to 90 degrees from straight down.

* :class:`CartPoleSwingUpEnv` - one environment
* :class:`CartPoleSwingUpVectorEnv` - many in one array program; the same episodes for the same seeds

Both call the same functions, with numbers or with arrays, so their episodes agree bit for bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.batched import BatchedEnv
from symbench.envs.rendering import draw_cartpole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Quantity = float | np.floating[Any] | Array  # of one environment, or of B
    State = tuple[Quantity, ...] | Array

GRAVITY = 9.82  # m/s^2
CART_MASS = 0.5  # kg
POLE_MASS = 0.5  # kg
POLE_LENGTH = 0.6  # m
FRICTION = 0.1  # N s/m, between cart and track
FORCE = 10.0  # N at action 1
TIME_STEP = 0.01  # s
TRACK_HALF_LENGTH = 2.4  # m
MAX_EPISODE_STEPS = 1000

_RESET_LOW = np.array([-2.4, -10.0, np.pi / 2, -10.0])  # x [m], x_dot [m/s], theta [rad], theta_dot [rad/s]
_RESET_HIGH = np.array([2.4, 10.0, 3 * np.pi / 2, 10.0])


def advance(state: State, action: Quantity) -> State:
    """One explicit Euler step of the cart-pole equations.

    Args:
        state: ``x, x_dot, theta, theta_dot`` (m, m/s, rad, rad/s; theta 0 is upright): numbers, or arrays (B,).
        action: Force in units of 10 N, clipped to [-1, 1]: a number, or an array (B,).

    Returns:
        The next state, in the same form.
    """
    x, x_dot, theta, theta_dot = state
    sin, cos = np.sin(theta), np.cos(theta)
    total_mass = CART_MASS + POLE_MASS
    pole_moment = POLE_MASS * POLE_LENGTH
    push = FORCE * np.minimum(np.maximum(action, -1.0), 1.0) - FRICTION * x_dot
    centrifugal = pole_moment * theta_dot * theta_dot * sin
    x_acc = (-2.0 * centrifugal + 3.0 * POLE_MASS * GRAVITY * sin * cos + 4.0 * push) / (
        4.0 * total_mass - 3.0 * POLE_MASS * cos * cos
    )
    theta_acc = (-3.0 * centrifugal * cos + 6.0 * total_mass * GRAVITY * sin + 6.0 * push * cos) / (
        4.0 * POLE_LENGTH * total_mass - 3.0 * pole_moment * cos * cos
    )
    # Positions move with the old velocities, as in the published task.
    return (
        x + TIME_STEP * x_dot,
        x_dot + TIME_STEP * x_acc,
        theta + TIME_STEP * theta_dot,
        theta_dot + TIME_STEP * theta_acc,
    )


def reward_of(state: State) -> Any:
    """``(cos theta + 1)/2 * cos(x/2.4 * pi/2)``: upright and centred is 1 per step. A number, or (B,)."""
    x, _, theta, _ = state
    return (np.cos(theta) + 1.0) / 2.0 * np.cos(x / TRACK_HALF_LENGTH * np.pi / 2.0)


def observation_of(state: State) -> NDArray[np.float32]:
    """The five sensors ``x, x_dot, cos theta, sin theta, theta_dot``, shape (5,) or (B, 5), float32."""
    x, x_dot, theta, theta_dot = state
    sensors = np.array([x, x_dot, np.cos(theta), np.sin(theta), theta_dot], dtype=np.float32)
    return np.ascontiguousarray(sensors.T)


def left_track(state: State) -> Any:
    """Whether the cart is beyond the end of the track: a bool, or (B,)."""
    return abs(state[0]) > TRACK_HALF_LENGTH


def _initial_state(generator: np.random.Generator) -> Array:
    return generator.uniform(_RESET_LOW, _RESET_HIGH)


def _observation_space() -> gym.spaces.Box:
    high = np.array([np.inf, np.inf, 1.0, 1.0, np.inf], dtype=np.float32)
    return gym.spaces.Box(-high, high, dtype=np.float32)


class CartPoleSwingUpEnv(gym.Env[np.ndarray, np.ndarray]):
    """The cart-pole swing-up of Tang & Ha 2021.

    Observation: ``Box(5,)`` float32: cart position (m), cart velocity (m/s), cosine and sine of the pole's angle
    (0 is upright), angular velocity (rad/s). Action: ``Box(-1, 1, (1,))``, the force in units of 10 N. Reward: in
    [0, 1], see :func:`reward_of`, computed after the step. Ends when the cart leaves the track (|x| > 2.4 m);
    truncated after 1000 steps of 0.01 s when made by id.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> env = gym.make("symbench/CartPoleSwingUp-v0")
        >>> observation, info = env.reset(seed=0)
        >>> observation.shape
        (5,)
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012 (Gymnasium declares it so)

    def __init__(self, render_mode: str | None = None) -> None:
        """Make one cart-pole.

        Args:
            render_mode: ``None`` or ``"rgb_array"`` (frames of shape (400, 600, 3), uint8).

        Raises:
            ValueError: The render mode is unknown.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', received {render_mode!r}")
        self.render_mode = render_mode
        self.observation_space = _observation_space()
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self._state: State | None = None

    @property
    def state(self) -> Array:
        """``x, x_dot, theta, theta_dot``, shape (4,), float64. Can be set."""
        return np.array(self._playing())

    @state.setter
    def state(self, value: Array) -> None:
        self._state = tuple(float(number) for number in value)

    def _playing(self) -> State:
        if self._state is None:
            raise gym.error.ResetNeeded("call reset() before step() and before reading the state")
        return self._state

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw a new initial state; see :meth:`gymnasium.Env.reset`."""
        super().reset(seed=seed)
        self.state = _initial_state(self.np_random)
        return observation_of(self._playing()), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Apply a force for 0.01 s; see :meth:`gymnasium.Env.step`."""
        self._state = state = advance(self._playing(), float(np.asarray(action).item()))
        return observation_of(state), float(reward_of(state)), bool(left_track(state)), False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """The scene as an array of shape (400, 600, 3), uint8, or ``None`` without a render mode."""
        if self.render_mode is None:
            return None
        x, _, theta, _ = self.state
        return draw_cartpole(x, theta)


class CartPoleSwingUpVectorEnv(BatchedEnv):
    """``num_envs`` cart-poles advanced by one array program; see :class:`~symbench.envs.batched.BatchedEnv`.

    Sub-environment ``i`` reset with seed ``s + i`` plays exactly the episodes that ``CartPoleSwingUpEnv`` plays when
    reset with that seed, the automatic resets included. All autoreset modes of Gymnasium are offered.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int = MAX_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch of cart-poles; see :class:`~symbench.envs.batched.BatchedEnv` for the arguments."""
        spaces = (_observation_space(), gym.spaces.Box(-1.0, 1.0, (1,), np.float32))
        super().__init__(num_envs, *spaces, max_episode_steps, autoreset_mode, render_mode)
        self._state = np.zeros((4, num_envs))

    @property
    def state(self) -> Array:
        """Rows ``x, x_dot, theta, theta_dot``, shape (4, B), float64."""
        return np.array(self._state)

    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Draw the first state of sub-environment ``i``."""
        self._state[:, i] = _initial_state(generator)

    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Apply forces for 0.01 s: rewards (B,) and whether the cart has left the track (B,)."""
        forces = np.asarray(actions, dtype=np.float64).reshape(self.num_envs)
        self._state = np.array(advance(self._state, forces))
        return np.asarray(reward_of(self._state)), np.asarray(left_track(self._state))

    def observe(self) -> np.ndarray:
        """Observations of all, shape (B, 5), float32."""
        return observation_of(self._state)
