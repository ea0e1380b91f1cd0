"""Any environment that Gymnasium can make, as a task: without a reference, and with a random return to be measured."""

from __future__ import annotations

import difflib
import re
from importlib import import_module
from typing import TYPE_CHECKING

import gymnasium as gym

from symbench.envs.single import SingleEnv
from symbench.errors import SymbenchError
from symbench.observations import FrameLayout
from symbench.own_code import load_module
from symbench.tasks.base import Task
from symbench.tasks.metrics import Metric
from symbench.tasks.names import TaskName

if TYPE_CHECKING:
    from collections.abc import Iterable

_EPISODES = 100  # a cell
_BATCH = 100  # environments at once: what one of them costs is not known

# Module of an environment -> what to install when it cannot be made.
_EXTRAS = {
    "gymnasium.envs.box2d": "'symbench[box2d]'",
    "gymnasium.envs.mujoco": "'symbench[mujoco]'",
    "gymnasium.envs.classic_control": "'symbench[render]'",
    "ale_py": "'symbench[atari]'",
    "symbench.envs.multi_agent.joint": "'symbench[multi-agent]' and the package of the environment",
}

# ``pettingzoo:MODULE`` is the joint environment of the agents of MODULE. Modules of these packages need no trust.
PETTINGZOO = "pettingzoo"
_OF_PETTINGZOO = ("pettingzoo.", "mpe2.")


def task_of_id(name: str, known: Iterable[str], trust: bool = False) -> Task:
    """The task called ``[MODULE:]ID[?KEY=VALUE&...]``.

    Args:
        name: What was asked for.
        known: Names of other tasks, for the message if there is no such id.
        trust: Whether the module may be imported.

    Raises:
        SymbenchError: The module is not trusted or fails to import, no such id is registered, or the environment
            cannot be made.
    """
    parsed = TaskName.parse(name)
    _register(parsed, trust)
    if parsed.env_id not in gym.registry:
        raise _unknown(parsed, {*known, *gym.registry})
    task = Task(
        name=str(parsed),
        env_id=parsed.env_id,
        description="an environment of Gymnasium's registry",
        metric=Metric(source="random: measured; reference: none is known"),
        kwargs=parsed.kwargs,
        episodes=_EPISODES,
        batch=_BATCH,
        extra=_extra(parsed.env_id),
    )
    return _looked_at(task, entities=parsed.module == PETTINGZOO)


def _register(name: TaskName, trust: bool) -> None:
    if name.module == PETTINGZOO:
        _register_joint(name, trust)
    elif name.module:
        load_module(name.module, f"task {name}", trust)
    elif name.env_id.startswith("ALE/") and name.env_id not in gym.registry:
        try:
            import_module("ale_py")
        except ImportError as error:
            raise SymbenchError(
                f"task {name} needs {error.name}; install it with: pip install {_EXTRAS['ale_py']}"
            ) from error


def _register_joint(name: TaskName, trust: bool) -> None:
    if not name.env_id.startswith(_OF_PETTINGZOO):
        load_module(name.env_id, f"task {name}", trust)
    if name.env_id not in gym.registry:
        gym.register(
            id=name.env_id,
            entry_point="symbench.envs.multi_agent.joint:JointEnv",
            kwargs={"module": name.env_id},
        )


def _unknown(name: TaskName, known: Iterable[str]) -> SymbenchError:
    """The names that look like it, those of the same environment in other versions first."""
    asked = f"{name.module}:{name.env_id}" if name.module else name.env_id
    names = [_with_module(each, name.module) for each in known]
    versions = sorted(each for each in names if _stem(each) in (_stem(asked), _stem(name.env_id)))
    if versions:
        return SymbenchError(f"unknown task {asked!r}; did you mean {' or '.join(map(repr, versions[-3:]))}?")
    hint = "after importing it" if name.module else f"(one of your own is MODULE:{asked}, where MODULE registers it)"
    stems = difflib.get_close_matches(_stem(asked), {_stem(each) for each in names}, n=3)  # "-v0" is like "-v0"
    near = difflib.get_close_matches(asked, [each for each in names if _stem(each) in stems], n=3, cutoff=0)
    rest = f"did you mean {' or '.join(map(repr, near))}?" if near else "symbench list tasks shows the bundled ones"
    return SymbenchError(f"unknown task {asked!r} {hint}; {rest}")


def _stem(env_id: str) -> str:
    return re.sub(r"-v\d+$", "", env_id).lower()


def _with_module(env_id: str, module: str | None) -> str:
    """The id as it is to be written: what the module brings is not known without it."""
    ours = module and env_id in gym.registry and module_of(env_id).split(".")[0] == module.split(".")[0]
    return f"{module}:{env_id}" if ours else env_id


def _extra(env_id: str) -> str | None:
    where = module_of(env_id)
    return next((extra for module, extra in _EXTRAS.items() if where.startswith(module)), None)


def module_of(env_id: str) -> str:
    """The module of what makes an environment, or of what makes a batch; empty if nothing is registered."""
    spec = gym.registry.get(env_id)
    found = spec and (spec.entry_point or spec.vector_entry_point)
    return found.partition(":")[0] if isinstance(found, str) else str(getattr(found, "__module__", ""))


def _looked_at(task: Task, entities: bool) -> Task:
    """The task with what one environment of it tells."""
    from dataclasses import replace

    env = task.make()
    space = env.observation_space
    arrays = isinstance(space, gym.spaces.Box)
    # A batch of one takes the arguments of its batch, and plays its episodes.
    batched = isinstance(env.unwrapped, SingleEnv) and gym.registry[task.env_id].vector_entry_point is not None
    env.close()
    # Images of floats are frames, too, although no perturbation takes them: there are no sensors in them.
    frames = isinstance(space, gym.spaces.Box) and (FrameLayout.of(space) is not None or len(space.shape) == 3)
    observes = "entities" if entities else "frames" if frames else "sensors"
    return replace(task, observes=observes, rests=arrays, native_vector=batched)
