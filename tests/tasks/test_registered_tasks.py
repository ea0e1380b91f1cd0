"""Tasks that packages announce and scripts register."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from symbench.errors import SymbenchError
from symbench.tasks import Metric, Task, get_task, register_task, registry, tasks

PACKAGE = Path(__file__).parents[1] / "extending" / "task"
LUNAR = "LunarLander-v3?continuous=true"
WALK = "my_envs:Walk-v0"


def test_packages_announce_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(PACKAGE, tmp_path, dirs_exist_ok=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._announced.cache_clear()
    try:
        assert tasks()["LongWalk"].kwargs == {"size": 10}
        assert get_task("LongWalk").make().unwrapped.size == 10  # type: ignore[attr-defined]
        (tmp_path / "my_tasks.py").write_text("raise ValueError('half written')\n")
        monkeypatch.delitem(sys.modules, "my_tasks")
        registry._announced.cache_clear()
        with pytest.raises(SymbenchError, match="ValueError: half written"):
            get_task("CartPole-v1")
    finally:
        monkeypatch.undo()
        registry._announced.cache_clear()


def test_tasks_are_registered_once() -> None:
    mine = Task("Mine", "CartPole-v1", "the same", Metric(1.0, 2.0))
    try:
        register_task(mine)
        assert get_task("Mine") is register_task(mine)
        with pytest.raises(SymbenchError, match="'CartPole-v1' already"):
            register_task(Task("CartPole-v1", "Acrobot-v1", "another"))
    finally:
        registry._registered.clear()
