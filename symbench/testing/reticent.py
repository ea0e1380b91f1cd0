"""A Stable-Baselines3 ``VecEnv`` that tells as little as the interface allows; needs ``stable_baselines3``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stable_baselines3.common.vec_env import DummyVecEnv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import gymnasium as gym
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class ReticentVecEnv(DummyVecEnv):
    """Has no ``_seeds``, and no ``terminal_observation`` in its infos."""

    def __init__(self, env_fns: list[Callable[[], gym.Env[Any, Any]]]) -> None:
        """Make the environments."""
        super().__init__(env_fns)
        del self._seeds
        self._own: list[int | None] = [None] * self.num_envs

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset."""
        self._own = [None if seed is None else seed + i for i in range(self.num_envs)]
        return self._own

    def reset(self) -> VecEnvObs:
        """Begin episodes everywhere."""
        for i, env in enumerate(self.envs):
            self._save_obs(i, env.reset(seed=self._own[i])[0])
        self._own = [None] * self.num_envs
        return self._obs_from_buf()

    def step_wait(self) -> VecEnvStepReturn:
        """Take one step everywhere."""
        observations, rewards, dones, infos = super().step_wait()
        for info in infos:
            info.pop("terminal_observation", None)
        return observations, rewards, dones, infos
