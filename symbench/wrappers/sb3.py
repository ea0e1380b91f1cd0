"""The transforms as wrappers of a Stable-Baselines3 ``VecEnv``; needs ``stable_baselines3``.

Put them inside ``VecFrameStack`` and ``VecNormalize``, which belong to the agent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from symbench.trees import copied, declared, declared_value, row, stacked, with_rows
from symbench.wrappers.adapters import Adapter, adapter_named, adapter_of
from symbench.wrappers.masks import ACTION_MASKS, shown_info, shown_mask
from symbench.wrappers.registry import TRANSFORMS, transform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

    from symbench.wrappers.generated.sb3 import *  # noqa: F403  (what __getattr__ answers, with its parameters)


class VecEnvAdapter(Adapter, VecEnvWrapper):
    """A transform around an SB3 ``VecEnv``."""

    def __init__(self, venv: VecEnv, **parameters: Any) -> None:
        """Wrap ``venv``.

        Args:
            venv: The vectorised environment.
            **parameters: The transform's; a perturbation also takes ``severity``.

        Raises:
            TypeError: A parameter is unknown or of a wrong type.
            SymbenchError: A value is out of range, or the environment's spaces do not fit.
        """
        if not isinstance(venv, VecEnv):
            raise TypeError(f"venv must be a stable_baselines3 VecEnv, received {type(venv)}")
        transform = self.transform_class.make(**parameters)
        self._inner = venv.observation_space
        self._seen = transform.bind(self._inner, venv.action_space, venv.num_envs, self.take_place(venv))
        super().__init__(venv, venv.observation_space if transform.identity else self._seen)
        self.transform = transform
        self._identity = transform.identity
        self._moves_actions = transform.changes_actions and not transform.identity
        self._reads = transform.reads
        self._given: list[int | None] = [None] * self.num_envs

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed the next reset; see :meth:`VecEnv.seed`."""
        self._given = [None if seed is None else seed + i for i in range(self.num_envs)]
        return self.venv.seed(seed)

    def reset(self) -> VecEnvObs:
        """Begin episodes everywhere, with the seeds that ``seed()`` has left in the wrapped environment.

        An environment that does not keep them as SB3's own do must be seeded through this wrapper.
        """
        # Asked for now, since reset() uses them up.
        seeds, self._given = list(getattr(self.venv.unwrapped, "_seeds", self._given)), [None] * self.num_envs
        observations = self.venv.reset()
        if self._identity:
            seen: VecEnvObs = copied(observations)
        else:
            observations = declared(self._inner, observations)
            self._tell(self.venv.unwrapped.reset_infos)
            seen = self.transform.reset(observations, np.ones(self.num_envs, dtype=bool), seeds)
        return seen

    def step_async(self, actions: np.ndarray) -> None:
        """Send the actions, which :meth:`step_wait` needs too."""
        if isinstance(self.action_space, (spaces.Dict, spaces.Tuple)):  # SB3 sends one for each environment
            self._actions = stacked(self.action_space, list(actions))
        else:
            self._actions = np.array(actions)
        self.venv.step_async(self.transform.act(self._actions) if self._moves_actions else actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Take one step everywhere; ``terminal_observation`` is transformed too."""
        observations, rewards, dones, infos = self.venv.step_wait()
        if self._identity:
            return copied(observations), rewards, dones, infos
        observations, infos = declared(self._inner, observations), list(infos)
        given = {i: infos[i].get("terminal_observation") for i in np.flatnonzero(dones).tolist()}
        known = {i: declared_value(self._inner, last) for i, last in given.items() if last is not None}
        latest = with_rows(self._inner, observations, known) if known else observations
        self._tell(infos)
        seen = self.transform.step(latest, self._actions)
        for i in known:
            infos[i] = {**infos[i], "terminal_observation": row(self._seen, seen, i)}
        if self._moves_actions:
            infos = [shown_info(self.transform, i, info) for i, info in enumerate(infos)]
        if dones.any():
            self._tell(self.venv.unwrapped.reset_infos, dones)
            seen = self.transform.reset(observations, dones, None)
        return seen, rewards, dones, infos

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """Attributes of the environments; see :meth:`VecEnv.get_attr`; ``action_masks`` as :meth:`env_method`."""
        found = super().get_attr(attr_name, indices)
        if attr_name != ACTION_MASKS or not self._moves_actions:
            return found
        return [partial(self._masks_of, row, own) for row, own in zip(self._get_indices(indices), found, strict=True)]

    def env_method(self, method_name: str, *args: Any, indices: VecEnvIndices = None, **kwargs: Any) -> list[Any]:
        """What methods of the environments return; ``action_masks()`` names actions as the agent does."""
        found = super().env_method(method_name, *args, indices=indices, **kwargs)
        if method_name != ACTION_MASKS or not self._moves_actions:
            return found
        rows = self._get_indices(indices)
        return [shown_mask(self.transform, row, mask) for row, mask in zip(rows, found, strict=True)]

    def _tell(self, infos: Sequence[dict[str, Any]], rows: NDArray[np.bool_] | None = None) -> None:
        """Tell the transform what the infos of some environments say, or of all."""
        if self._reads is not None:
            for row in range(self.num_envs) if rows is None else np.flatnonzero(rows).tolist():
                self.transform.tell(row, infos[row].get(self._reads))

    def _masks_of(self, row: int, own: Callable[[], Any]) -> NDArray[Any]:
        return shown_mask(self.transform, row, own())


def vec_env_wrapper_of(name: str) -> type[VecEnvAdapter]:
    """The wrapper of a ``VecEnv`` with this name, or with that of a transform of one's own: ``"module:Name"``.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    return adapter_of(VecEnvAdapter, transform_of(name))


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[VecEnvAdapter]:
        return adapter_named(VecEnvAdapter, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *TRANSFORMS})
