"""What the code of an environment of the user's own is, so that a run notices when it has changed."""

from __future__ import annotations

import hashlib
import inspect
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import gymnasium as gym

from symbench.errors import SymbenchError
from symbench.own_code import source_files
from symbench.tasks.gymnasium_ids import PETTINGZOO, module_of
from symbench.tasks.names import TaskName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from symbench.tasks.base import Task

# Their versions are in the ids of their environments, and in the run's record.
_KNOWN = ("symbench", "gymnasium", "ale_py", "pettingzoo", "mpe2")


def code_of(task: Task) -> str | None:
    """SHA-256 over the source of a task's environment, or ``None`` if symbench, Gymnasium or PettingZoo bring it.

    It covers the modules that the environment comes from, the one that the task names (``my_envs:Walk-v0``) and the one
    that defines it, as :func:`symbench.own_code.source_files` does; of a script or notebook the environment's class.
    So is what it is registered with, which a script may compute: arguments, time limit, wrappers.
    """
    modules = [name for name in dict.fromkeys(_modules(task)) if name and name.partition(".")[0] not in _KNOWN]
    parts = [part for name in modules for part in _sources(name, task)]
    return hashlib.sha256(repr([*parts, *_registered(task)]).encode()).hexdigest() if parts else None


def _modules(task: Task) -> Iterator[str]:
    yield module_of(task.env_id.rpartition(":")[2])
    for written in (task.name, task.env_id):
        with suppress(SymbenchError):  # a registered task may have any name
            named = TaskName.parse(written)
            yield named.env_id if named.module == PETTINGZOO else named.module or ""


def _sources(module: str, task: Task) -> Iterator[tuple[str, str]]:
    """The name and the digest of each source."""
    if module == "__main__":
        try:
            yield module, _sha256(inspect.getsource(gym.registry[task.env_id].entry_point).encode())  # type: ignore[arg-type]
        except (OSError, TypeError):  # typed into a console
            return
    else:
        for name, file in source_files(module, trust=True).items():  # it has been imported
            yield name, _sha256(file.read_bytes())


def _registered(task: Task) -> list[str]:
    """What else ``gymnasium.register`` was told, without addresses in memory."""
    spec = gym.registry.get(task.env_id)
    told = () if spec is None else (spec.kwargs, spec.max_episode_steps, spec.additional_wrappers)
    return [re.sub(r" at 0x[0-9a-fA-F]+", "", repr(each)) for each in told]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
