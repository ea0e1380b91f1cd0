"""Vector environments that keep any infos, also those that differ in shape or type from one environment to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNLIKE = (AttributeError, TypeError, ValueError)  # what Gymnasium raises for infos that make no array


class AnyInfos(VectorEnv[Any, Any, Any]):
    """Mix-in: Gymnasium's batch of infos, in which values that make no array are an array of objects."""

    def _add_info(self, vector_infos: dict[str, Any], env_info: dict[str, Any], env_num: int) -> dict[str, Any]:
        try:
            return super()._add_info(vector_infos, env_info, env_num)
        except _UNLIKE:
            for key, value in env_info.items():
                vector_infos = self._add_one(vector_infos, key, value, env_num)
            return vector_infos

    def _add_one(self, infos: dict[str, Any], key: str, value: Any, env_num: int) -> dict[str, Any]:
        try:
            return super()._add_info(infos, {key: value}, env_num)
        except _UNLIKE:
            there = infos.get(f"_{key}", np.zeros(self.num_envs, dtype=bool))
            there[env_num] = True
            infos[key] = self._objects(infos.get(key), value, env_num)
            infos[f"_{key}"] = there
            return infos

    def _objects(self, others: Any, value: Any, env_num: int) -> NDArray[np.object_]:
        objects = np.full(self.num_envs, None, dtype=object)
        if isinstance(others, np.ndarray):
            for place, other in enumerate(others):
                objects[place] = other
        objects[env_num] = value
        return objects


class SyncEnvs(AnyInfos, SyncVectorEnv):
    """Gymnasium's environments that are stepped one after the other, with any infos."""
