"""Infos may hold anything: what symbench does not read must not stop it from playing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete

from symbench.envs.idle import IdleVectorEnv
from symbench.envs.infos import SyncEnvs

PLAIN = Box(-1, 1, (1,), np.float32)
INFOS: dict[str, list[Any]] = {
    "arrays of different lengths": [np.arange(2), np.arange(3), np.arange(4)],
    "None or a number": [None, 1, 2],
    "a number, None, a text": [1, None, "x"],
    "a dict or a number": [{"a": 1}, 3, {"a": 2}],
    "a number or a dict": [3, {"a": 1}, 4],
    "nested": [{"a": 1}, {"a": "x"}, {"a": None}],
}


class Telling(gym.Env[Any, Any]):
    action_space = Discrete(2)

    def __init__(self, value: Any, space: gym.Space[Any] = PLAIN) -> None:
        self.value, self.observation_space = value, space

    def reset(self, **_: Any) -> Any:
        return self._shown(), {"value": self.value, "plain": 1.5}

    def step(self, action: Any) -> Any:
        return self._shown(), 1.0, False, False, {"value": self.value, "plain": 2.5}

    def _shown(self) -> Any:
        shown = np.zeros(1, np.float32)
        return {"a": shown} if isinstance(self.observation_space, Dict) else shown


@pytest.mark.parametrize("values", INFOS.values(), ids=INFOS.keys())
@pytest.mark.parametrize("batch", [IdleVectorEnv, SyncEnvs])
def test_infos_that_make_no_array_are_kept_beside_the_others(batch: Any, values: list[Any]) -> None:
    space = PLAIN if batch is IdleVectorEnv else Dict(a=PLAIN)
    envs = batch([lambda value=value: Telling(value, space) for value in values])
    _, at_reset = envs.reset(seed=0)
    *_, at_step = envs.step(np.zeros(3, int))
    for infos, plain in ((at_reset, 1.5), (at_step, 2.5)):
        assert infos["plain"].tolist() == [plain] * 3 and infos["_plain"].all()
        assert infos["_value"].all()
        if isinstance(infos["value"], np.ndarray):
            for found, value in zip(infos["value"], values, strict=True):
                assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value


def test_infos_that_do_are_those_of_gymnasium() -> None:
    makers = [lambda value=value: Telling(value) for value in (1, 2, 3)]
    ours, theirs = (batch(makers).reset(seed=0)[1] for batch in (SyncEnvs, gym.vector.SyncVectorEnv))
    assert ours.keys() == theirs.keys()
    for key in ours:
        assert ours[key].dtype == theirs[key].dtype and np.array_equal(ours[key], theirs[key])
