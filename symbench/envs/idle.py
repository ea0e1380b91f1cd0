"""A vector environment whose sub-environments are idle once their episode has ended, until they are reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space, iterate

from symbench.envs.infos import AnyInfos
from symbench.errors import SymbenchError
from symbench.trees import declared_value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class IdleVectorEnv(AnyInfos):
    """B environments of the same kind, stepped one after the other, without autoreset.

    An environment whose episode has ended is not touched any more: its last observation is repeated, its reward is 0,
    it is neither terminated nor truncated and has no info, until ``reset(options={"reset_mask": mask})``. A player that
    counts one episode in each environment thus pays for no other. ``metadata["idle"]`` says so.

    Threads would not help: ale-py's emulator holds on to the interpreter's lock.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.DISABLED, "idle": True}  # noqa: RUF012

    def __init__(self, env_fns: Sequence[Callable[[], gym.Env[Any, Any]]]) -> None:
        """Make the environments.

        Args:
            env_fns: One callable for each environment; observations are arrays.

        Raises:
            SymbenchError: There is no environment, or observations are no arrays.
        """
        if not env_fns:
            raise SymbenchError("received no environment; at least one is needed")
        self.envs = [make() for make in env_fns]
        self.num_envs = len(self.envs)
        self.single_observation_space = self.envs[0].observation_space
        self.single_action_space = self.envs[0].action_space
        if not isinstance(self.single_observation_space, gym.spaces.Box):
            raise SymbenchError(f"observations must be arrays (Box), received {self.single_observation_space}")
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        shape, dtype = self.single_observation_space.shape, self.single_observation_space.dtype
        self._observations = np.zeros((self.num_envs, *shape), dtype)
        self._playing = np.zeros(self.num_envs, dtype=bool)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin episodes, in all environments or in those of ``options["reset_mask"]`` ((B,) bool).

        Args:
            seed: An int s seeds environment i with s + i; a list holds one seed (or ``None``) for each.
            options: What else it holds is forwarded.

        Raises:
            SymbenchError: The seeds or the mask are not B, or the declared dtype cannot hold an observation.
        """
        forwarded = dict(options or {})
        mask = np.asarray(forwarded.pop("reset_mask", np.ones(self.num_envs, dtype=bool)))
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise SymbenchError(f"reset_mask must be ({self.num_envs},) bool, received {mask.shape} {mask.dtype}")
        seeds = self._seeds(seed)
        infos: dict[str, Any] = {}
        for i in np.flatnonzero(mask).tolist():
            observation, info = self.envs[i].reset(seed=seeds[i], options=forwarded or None)
            infos = self._add_info(infos, info, i)
            self._observations[i] = declared_value(self.single_observation_space, observation)
        self._playing |= mask
        return self._observations.copy(), infos

    def step(self, actions: Any) -> tuple[np.ndarray, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Any]:
        """Step the environments that play; see :meth:`gymnasium.vector.VectorEnv.step`.

        Args:
            actions: (B, ...); those of idle environments are not looked at.

        Raises:
            SymbenchError: The declared dtype cannot hold an observation.
        """
        of_each = list(iterate(self.action_space, actions))
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros(self.num_envs, dtype=bool), np.zeros(self.num_envs, dtype=bool)
        infos: dict[str, Any] = {}
        for i in np.flatnonzero(self._playing).tolist():
            observation, rewards[i], terminated[i], truncated[i], info = self.envs[i].step(of_each[i])
            infos = self._add_info(infos, info, i)
            self._observations[i] = declared_value(self.single_observation_space, observation)
        self._playing &= ~(terminated | truncated)
        return self._observations.copy(), rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Close all environments."""
        for env in self.envs:
            env.close()

    def _seeds(self, seed: int | Sequence[int | None] | None) -> Sequence[int | None]:
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            return [int(seed) + i for i in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise SymbenchError(f"received {len(seed)} seeds for {self.num_envs} environments; give one for each")
        return seed
