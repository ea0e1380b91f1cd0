"""Controllers that play a task from its simulator's state: the teachers of the agents that see pictures only."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from symbench.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    import gymnasium as gym

_CONTROLLERS: Final = {
    "CarRacing": "car_racing:CarRacingController",
    "CarRacingRGB": "car_racing:CarRacingController",
    "Pong": "pong:PongController",
    "PongSticky": "pong:PongController",
    "PongRGB": "pong:PongController",
}


class Controller(Protocol):
    """Plays one environment whose state it can read."""

    def reset(self) -> None:
        """Begin an episode."""

    def __call__(self, env: gym.Env[Any, Any]) -> Any:
        """What it would do now."""


MakeController: TypeAlias = "Callable[[], Controller]"


def controller_of(task: str) -> type[Controller]:
    """The class of the task's controller.

    Raises:
        SymbenchError: There is none for this task.
    """
    if task not in _CONTROLLERS:
        raise unknown("task with a controller", task, _CONTROLLERS)
    module, _, name = _CONTROLLERS[task].partition(":")
    found: type[Controller] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
