"""Finds tasks: those that come with symbench, those of other packages, and any id of Gymnasium."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError, one_line
from symbench.tasks import (
    atari,
    box2d,
    car_racing,
    classic,
    geometric,
    grid_world,
    mujoco,
    multi_agent,
    routing,
    swing_up,
)
from symbench.tasks.base import Task
from symbench.tasks.gymnasium_ids import task_of_id

if TYPE_CHECKING:
    from collections.abc import Iterator

# In the order of `symbench list tasks`.
_FAMILIES = (swing_up, classic, box2d, grid_world, multi_agent, geometric, routing, atari, car_racing, mujoco)

TASKS: dict[str, Task] = {task.name: task for family in _FAMILIES for task in family.TASKS}
"""What comes with symbench."""

_registered: dict[str, Task] = {}
_of_gymnasium: dict[str, Task] = {}


def register_task(task: Task) -> Task:
    """Make a task known under its name, in this process.

    A package announces tasks to every process by an entry point of the group ``symbench.tasks``, which names a ``Task``
    or several.

    Raises:
        SymbenchError: Another task has the name.
    """
    if tasks().get(task.name, task) != task:
        raise SymbenchError(f"there is a task called {task.name!r} already; give this one another name")
    _registered[task.name] = task
    return task


def tasks() -> dict[str, Task]:
    """All tasks that have a name of their own: name -> task. Every other id of Gymnasium is a task, too."""
    return {**TASKS, **_announced(), **_registered}


def get_task(name: str, trust: bool = False) -> Task:
    """The task called ``name``.

    Args:
        name: One of :func:`tasks`, or ``[MODULE:]ID[?KEY=VALUE&...]`` with an id of Gymnasium.
        trust: Whether the module may be imported, which can execute any code. One that is imported already needs none.

    Raises:
        SymbenchError: There is no such task (the message lists near matches), its module is not trusted or fails to
            import, or its environment cannot be made.
    """
    known = tasks()
    if found := known.get(name) or next((each for each in known.values() if each.spelling == name), None):
        return found
    if name not in _of_gymnasium:
        task = task_of_id(name, known, trust)
        same = next((each for each in known.values() if each.spelling == task.name), None)
        _of_gymnasium[name] = _of_gymnasium[task.name] = same or task
    return _of_gymnasium[name]


@cache
def _announced() -> dict[str, Task]:
    return {task.name: task for task in _of_packages()}


def _of_packages() -> Iterator[Task]:
    for point in entry_points(group="symbench.tasks"):
        try:
            given = point.load()
        except Exception as error:  # whatever the package raises
            raise SymbenchError(
                f"entry point {point.name!r} of symbench.tasks ({point.value}) cannot be loaded "
                f"({type(error).__name__}: {one_line(error)}); repair or uninstall its package"
            ) from error
        for task in [given] if isinstance(given, Task) else given:
            if not isinstance(task, Task):
                raise SymbenchError(
                    f"entry point {point.name!r} of symbench.tasks: a Task is expected, received {task!r}"
                )
            if task.name in TASKS:
                raise SymbenchError(
                    f"entry point {point.name!r} of symbench.tasks: {task.name!r} is a task of symbench's"
                )
            yield task
