from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
import torch

from symbench.policies import MLPNetwork
from symbench.tasks import TASKS
from symbench.training import load_recipe
from symbench.training.session import Session
from symbench.zoo import save_agent

FRAMES: dict[str, dict[str, Any]] = {
    "imitation": {"teacher": "controller", "steps": 64, "num_envs": 4, "segment": 4, "batch": 4, "updates": 1},
    "pictures": {"steps": 12, "num_envs": 2},
    "evolution": {"generations": 1, "population": 2, "rollouts": 1},  # of thousands of weights: seconds
}
TINY: dict[str, dict[str, Any]] = {
    "ppo": {"steps": 2048, "num_envs": 16, "n_steps": 32, "batch_size": 256, "n_epochs": 1},
    "imitation": {"steps": 1024, "num_envs": 32, "segment": 4, "batch": 16, "updates": 2},
    "evolution": {"generations": 3, "population": 4, "rollouts": 2},
    "dynamics": {"steps": 512, "num_envs": 16, "updates": 20, "batch": 32},
    "reinforce": {"steps": 3, "batch": 4, "samples": 2},
}

Tiny = Callable[[str], dict[str, Any]]
Interrupt = Callable[[int], None]
Commit = Callable[[str | None], None]


@pytest.fixture(autouse=True)
def few_score_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, task in TASKS.items():
        if task.observes == "frames" or name == "Ant":  # a step of theirs takes long
            monkeypatch.setattr(gym.spec(task.env_id), "max_episode_steps", 20)
    monkeypatch.setattr(
        "symbench.training.train_recipe.SCORE_EPISODES", {"batched": 8, "sensors": 8, "entities": 4, "frames": 2}
    )


@pytest.fixture(autouse=True)
def commit(monkeypatch: pytest.MonkeyPatch) -> Commit:
    """Says what commit trains; clean at first, also while this checkout is being worked on."""

    def says(commit: str | None) -> None:
        monkeypatch.setattr("symbench.training.session.machine", lambda: {"commit": commit})

    says("a" * 40)
    return says


FORCE = gym.spaces.Box(-1, 1, (1,))
TEACHERS: dict[str, tuple[int, gym.Space[Any]]] = {
    "Ant": (28, gym.spaces.Box(-1, 1, (8,))),
    "LunarLander-v3": (8, gym.spaces.Discrete(4)),
}


def save_teacher(folder: Path, sensors: int = 5, actions: gym.Space[Any] = FORCE) -> str:
    torch.manual_seed(0)
    save_agent(MLPNetwork(sensors, actions), folder / "teacher", {"agent": "teacher"})
    return str(folder / "teacher")


@pytest.fixture
def teacher(tmp_path: Path) -> str:
    return save_teacher(tmp_path)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Overrides with which a recipe takes a moment."""

    def overrides(name: str) -> dict[str, Any]:
        recipe = load_recipe(name)
        algorithm = recipe.algorithm.name
        if TASKS[recipe.task].observes == "frames" and algorithm in FRAMES:
            return FRAMES[algorithm]
        if algorithm != "imitation":
            return TINY[algorithm]
        return {**TINY[algorithm], "teacher": save_teacher(tmp_path, *TEACHERS.get(recipe.task, ()))}

    return overrides


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Interrupts trainings at their n-th report, with a checkpoint after every report before it; 0: no more."""
    report = Session.report
    monkeypatch.setattr("symbench.training.session.CHECKPOINT_SECONDS", 0.0)

    def at(count: int) -> None:
        calls: list[int] = []

        def counting(session: Session, done: int, total: int, returns: float, **others: float) -> None:
            calls.append(done)
            if len(calls) == count:
                raise KeyboardInterrupt
            report(session, done, total, returns, **others)

        monkeypatch.setattr(Session, "report", counting)

    return at
