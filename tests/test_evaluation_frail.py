"""``symbench.evaluate`` with what users bring: agents that cannot be copied, environments that random play breaks."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, Tuple
from stable_baselines3 import PPO

import symbench
from symbench.errors import SymbenchError
from symbench.tasks import registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENSORS = Box(-1, 1, (3,), np.float32)


class Short(gym.Env[Any, Any]):
    """Five steps; shows random numbers, pays 1 a step."""

    observation_space: Any = SENSORS
    action_space: Any = Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        return self.observation_space.sample(), 1.0, self.steps >= 5, False, {}


class Frail(Short):
    """Raises where it is driven badly, as random play does; not once it is mended."""

    mended = False

    def step(self, action: Any) -> Any:
        if action == 0 and not Frail.mended:
            raise RuntimeError("solver diverged")
        return super().step(action)


@pytest.fixture
def task(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An environment of a test's own, registered."""
    monkeypatch.setattr(registry, "_of_gymnasium", {})
    gym.register("FrailTest-v0", entry_point=request.param, max_episode_steps=10)
    yield "FrailTest-v0"
    monkeypatch.setattr(Frail, "mended", False)
    del gym.registry["FrailTest-v0"]


@pytest.mark.slow
@pytest.mark.parametrize("task", [Frail], indirect=True)
def test_tables_are_made_also_where_random_play_fails(task: str, tmp_path: Path) -> None:
    scores = symbench.evaluate({"one": lambda observation: 1}, task, episodes=3, out=tmp_path)
    mine, chance = scores[scores.agent == "one"], scores[scores.agent == "random"]
    assert mine["mean"].tolist() == [5.0] * len(mine) and mine["retention"].isna().all()
    assert chance["mean"].isna().all() and chance["note"].str.contains("solver diverged").all()
    told = subprocess.run(
        [sys.executable, "-m", "symbench", "report", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert f"{task}: shares are counted from random play, which could not be measured: one" in told.stdout


@pytest.mark.slow
@pytest.mark.parametrize("task", [Frail], indirect=True)
def test_what_failed_is_played_again_though_objects_stay_in_this_process(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(observation: Any) -> int:
        return 0

    with pytest.raises(SymbenchError, match="solver diverged"):
        symbench.evaluate(left, task, episodes=3, out=tmp_path)
    monkeypatch.setattr(Frail, "mended", True)
    scores = symbench.evaluate(left, task, episodes=3, out=tmp_path)
    assert (scores[scores.agent == "left"]["mean"] == 5.0).all()


def shows(space: Any) -> type[Short]:
    return type("Shows", (Short,), {"observation_space": space})


def acts(space: Any) -> type[Short]:
    return type("Acts", (Short,), {"action_space": space})


NESTED = [Tuple((SENSORS, Discrete(3))), Dict(a=Tuple((SENSORS, SENSORS)), b=SENSORS), Box(0, 1, (3,), np.bool_)]


@pytest.mark.slow
@pytest.mark.parametrize("task", [shows(space) for space in NESTED], indirect=True, ids=["tuple", "nested", "truths"])
def test_observations_of_any_fixed_shape_are_delayed(task: str) -> None:
    scores = symbench.evaluate({"one": lambda observation: 1}, task, "delay", episodes=2)
    assert len(scores) > 2 and (scores["mean"] == 5.0).all()


@pytest.mark.parametrize("task", [acts(MultiBinary(3))], indirect=True)
def test_switches_are_played_at_random(task: str) -> None:
    scores = symbench.evaluate({"up": lambda observation: np.ones(3, np.int8)}, task, episodes=2)
    assert (scores["mean"] == 5.0).all() and "random" in set(scores.agent)


@pytest.mark.parametrize("task", [acts(Box(-np.inf, np.inf, (1,), np.float32))], indirect=True)
def test_where_no_action_can_be_drawn_random_play_is_left_out(task: str) -> None:
    scores = symbench.evaluate({"still": lambda observation: np.zeros(1, np.float32)}, task, episodes=2)
    mine, chance = scores[scores.agent == "still"], scores[scores.agent == "random"]
    assert (mine["mean"] == 5.0).all() and mine["retention"].isna().all()
    assert chance["note"].str.contains("bounded Box, received Box").all()


class WithModel:
    """The usual wrapper around a model; after training its policy cannot be copied."""

    def __init__(self, model: PPO) -> None:
        self.model = model

    def act(self, observation: Any) -> int:
        return int(self.model.predict(observation, deterministic=True)[0])


class WithLock:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def act(self, observation: Any) -> int:
        with self.lock:
            return 1


class Remembering:
    """Leans one way and the other in turn, with what cannot be copied beside its memory."""

    def __init__(self, beside: Any) -> None:
        self.beside, self.steps = beside, [0]

    def reset(self) -> None:
        self.steps[0] = 0

    def act(self, observation: Any) -> int:
        self.steps[0] += 1
        return self.steps[0] % 2


class Stubborn(Remembering):
    def __copy__(self) -> Any:
        raise TypeError("there is only one of me")

    __deepcopy__ = __copy__


class Keeping(torch.nn.Linear):
    """Keeps its activations, with their graph."""

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        self.kept = super().forward(observations)
        return self.kept


def test_objects_that_cannot_be_copied_play() -> None:
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=16, batch_size=16, n_epochs=1, device="cpu", seed=0).learn(16)
    module = Keeping(4, 2)
    module(torch.zeros(1, 4))
    agents = {"model": model, "wrapped": WithModel(model), "locked": WithLock(), "keeping": module}
    scores = symbench.evaluate(agents, "CartPole-v1", episodes=2).set_index(["agent", "severity"])["mean"]
    assert scores["model"].tolist() == scores["wrapped"].tolist()
    assert scores["locked"].notna().all() and scores["keeping"].notna().all()


def test_with_a_memory_each_environment_has_one_of_its_own() -> None:
    """What can be copied is, so that numbers are those of an object of which all can be."""
    model = PPO("MlpPolicy", "CartPole-v1", n_steps=16, batch_size=16, n_epochs=1, device="cpu", seed=0).learn(16)
    agents = {"plain": Remembering(0), "lock": Remembering(threading.Lock()), "model": Remembering(model)}
    scores = symbench.evaluate(agents, "CartPole-v1", episodes=4).set_index(["agent", "severity"])["mean"]
    assert scores["plain"].tolist() == scores["lock"].tolist() == scores["model"].tolist()


def test_what_refuses_to_be_copied_is_told_why_it_does_not_play() -> None:
    with pytest.raises(SymbenchError, match=r"'mine' has a memory .* cannot be copied: TypeError: there is only one"):
        symbench.evaluate({"mine": Stubborn(0)}, "CartPole-v1", episodes=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"agent": []}, "at least one is expected"),
        ({"agent": {}}, "at least one is expected"),
        ({"agent": {"mine": []}}, "at least one is expected"),
        ({"suite": None}, "a name, a file or a Suite is expected, received NoneType"),
        ({"episodes": 1.5}, r"episodes must be a whole number from 1 on, or None, received 1\.5"),
        ({"episodes": 0}, "episodes must be a whole number from 1 on"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        symbench.evaluate(**{"agent": WithLock(), "task": "CartPole-v1", **arguments})


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["'ppo:mine.zip'", "{'mine': 'ppo:mine.zip', 'lean': lambda pole: int(pole[2] > 0)}"])
def test_a_script_that_would_begin_again_in_each_process_is_told_so(tmp_path: Path, agent: str) -> None:
    """Agents that bring code play in another process also with one worker, and it imports the script."""
    PPO("MlpPolicy", "CartPole-v1", n_steps=16, batch_size=16, device="cpu").save(tmp_path / "mine.zip")
    (tmp_path / "script.py").write_text(
        f"import symbench\nprint('begins')\nsymbench.evaluate({agent}, 'CartPole-v1', episodes=2, trust=True)\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode and done.stdout.count("begins") == 1
    assert 'call symbench under: if __name__ == "__main__":' in done.stderr
