"""A Gymnasium vector environment as a Stable-Baselines3 ``VecEnv``, which SB3 itself refuses to make."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn


class VectorToVecEnv(VecEnv):
    """Plays a Gymnasium ``VectorEnv`` through SB3's interface, episode statistics included.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> envs = gym.make_vec("symbench/CartPoleSwingUp-v0", 512, autoreset_mode="SameStep")
        >>> VectorToVecEnv(envs).num_envs
        512
    """

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        """Wrap ``envs``.

        Raises:
            ValueError: ``envs`` does not reset within the step that ends an episode, as SB3's ``VecEnv`` does.
        """
        mode = envs.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(f"SB3 needs a vector environment with AutoresetMode.SAME_STEP, received {mode}")
        self.envs = envs
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)
        self.metadata = envs.metadata
        self._returns = np.zeros(envs.num_envs)
        self._lengths = np.zeros(envs.num_envs, dtype=np.int64)
        self._start = time.time()

    def reset(self) -> VecEnvObs:
        """Start new episodes everywhere, with the seed given to :meth:`seed` if there is one."""
        seeds = self._seeds if any(seed is not None for seed in self._seeds) else None
        observations, _ = self.envs.reset(seed=seeds)  # type: ignore[arg-type]  # one seed each is allowed
        self._reset_seeds()
        self._returns[:], self._lengths[:] = 0.0, 0
        return cast("VecEnvObs", observations)

    def step_async(self, actions: np.ndarray) -> None:
        """Remember the actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Step all environments; infos of ended episodes hold what SB3 and its Monitor put there."""
        observations, rewards, terminated, truncated, vector_infos = self.envs.step(self._actions)
        self._returns += rewards
        self._lengths += 1
        ended = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        final = vector_infos.get("final_obs", [None] * self.num_envs)
        for i in np.flatnonzero(ended):
            # SB3 does without a terminal observation where there is none.
            infos[i] = {
                **({} if final[i] is None else {"terminal_observation": final[i]}),
                "TimeLimit.truncated": bool(truncated[i] and not terminated[i]),
                "episode": {
                    "r": self._returns[i],
                    "l": int(self._lengths[i]),
                    "t": round(time.time() - self._start, 6),
                },
            }
        self._returns[ended], self._lengths[ended] = 0.0, 0
        return observations, rewards.astype(np.float32), ended, infos

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The attribute of the vector environment, once for each asked environment."""
        return [getattr(self.envs, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of the vector environment, which all environments share."""
        setattr(self.envs, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """Call a method of the vector environment once; its result stands for each asked environment.

        Only ``action_masks()`` is taken to answer with one row for each environment.
        """
        result = getattr(self.envs, method_name)(*args, **kwargs)
        asked = list(self._get_indices(indices))
        return [result[i] for i in asked] if method_name == "action_masks" else [result] * len(asked)

    def env_is_wrapped(self, wrapper_class: type, indices: VecEnvIndices = None) -> list[bool]:
        """Whether the vector environment is wrapped in a class; never in a ``gymnasium.Wrapper``."""
        return [isinstance(self.envs, wrapper_class)] * len(list(self._get_indices(indices)))

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Vector environments of this project do not render."""
        return [None] * self.num_envs
