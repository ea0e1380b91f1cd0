"""One environment as a batch of one: what has a state of named arrays is written once, for batches."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from symbench.envs.batched import BatchedEnv
from symbench.trees import row

if TYPE_CHECKING:
    from numpy.typing import NDArray


class StatefulBatch(BatchedEnv):
    """A batch whose state is a dict of arrays; it can also draw itself.

    Attributes:
        state: All that the future depends on, but for the generators: name -> array of shape (B, ...).
    """

    state: dict[str, NDArray[Any]]

    @abstractmethod
    def picture(self, i: int) -> NDArray[np.uint8]:
        """What sub-environment ``i`` looks like to a person, (H, W, 3), uint8."""


class SingleEnv(gym.Env[Any, Any]):
    """A batch of one without its batch axis, so both forms play the same episodes for the same seeds.

    It is never truncated by itself: Gymnasium's registration does that.

    Attributes:
        vector_class: The batch.
        batch: The batch of one.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium declares it so)
    vector_class: ClassVar[type[StatefulBatch]]

    def __init__(self, render_mode: str | None = None, **kwargs: Any) -> None:
        """Make one environment.

        Args:
            render_mode: ``None`` or ``"rgb_array"``.
            **kwargs: Arguments of the batch.

        Raises:
            ValueError: The render mode is unknown.
        """
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode must be None or 'rgb_array', received {render_mode!r}")
        self.render_mode = render_mode
        forever = {"max_episode_steps": sys.maxsize, "autoreset_mode": AutoresetMode.DISABLED}
        self.batch = self.vector_class(1, **{**kwargs, **forever})
        self.observation_space = self.batch.single_observation_space
        self.action_space = self.batch.single_action_space
        self._playing = False

    @property
    def state(self) -> dict[str, NDArray[Any]]:
        """The state's arrays without the batch axis, in memory of their own. Can be set, also in part."""
        self._check()
        return {name: array[0].copy() for name, array in self.batch.state.items()}

    @state.setter
    def state(self, value: dict[str, Any]) -> None:
        self._check()
        for name, array in value.items():
            self.batch.state[name][0] = array

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see :meth:`gymnasium.Env.reset`."""
        super().reset(seed=seed)
        self.batch.generators[0] = self.np_random
        observations, _ = self.batch.reset(options=options)
        self._playing = True
        return row(self.observation_space, observations, 0), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance; see :meth:`gymnasium.Env.step`."""
        self._check()
        observations, rewards, terminated, _, _ = self.batch.step(np.asarray(action)[None])
        infos = {name: array[0].item() for name, array in self.batch.information().items()}
        return row(self.observation_space, observations, 0), float(rewards[0]), bool(terminated[0]), False, infos

    def render(self) -> NDArray[np.uint8] | None:
        """A picture for people, (H, W, 3), uint8; ``None`` without render mode."""
        self._check()
        return None if self.render_mode is None else self.batch.picture(0)

    def _check(self) -> None:
        if not self._playing:
            raise gym.error.ResetNeeded("call reset() before step(), before rendering and before reading the state")
