"""What there is to disturb in a task: the registered perturbations, and why some of them do not fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import one_line
from symbench.runner.pipeline import explicit
from symbench.suites import Apply
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import PERTURBATIONS, load_installed, perturbation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gymnasium as gym

SHUFFLES: Final = ("ShuffleEntities", "ShufflePatches", "ShuffleSensors")
"""What the button "Shuffle" means: the first of these that fits."""


@dataclass(frozen=True)
class Choice:
    """One perturbation in one task.

    Attributes:
        name: Of its class.
        explanation: What it does, in a sentence.
        levels: Severity 1 and above, with all parameters.
        labels: What each of them sets.
        redraws: Whether it draws anything that lasts, which can be drawn again.
        reason: Why it does not fit the task; empty if it does.
    """

    name: str
    explanation: str
    levels: tuple[Apply, ...] = ()
    labels: tuple[str, ...] = ()
    redraws: bool = False
    reason: str = ""


def choices_of(task: str, env: gym.Env[Any, Any], own: Sequence[str] = (), trust: bool = False) -> dict[str, Choice]:
    """Every registered perturbation by name, those that fit first, and shuffling first of all.

    Args:
        task: Name of the task.
        env: Its environment, without perturbations.
        own: ``"module:Name"`` of perturbations of the user's own.
        trust: Whether their code may be imported.

    Raises:
        SymbenchError: One of the user's own cannot be imported, or may not be.
    """
    load_installed()
    mine = {name: perturbation_of(name, trust) for name in own}
    # Those that their module registers, too, are there once.
    named = mine | {name: each for name, each in PERTURBATIONS.items() if each not in mine.values()}
    found = [_choice(Apply(wrapper=name).trusting(trust), each, task, env) for name, each in named.items()]
    return {choice.name: choice for choice in sorted(found, key=_order)}


def _order(choice: Choice) -> tuple[bool, bool]:
    return bool(choice.reason), choice.name not in SHUFFLES


def _choice(step: Apply, perturbation: type[Perturbation], task: str, env: gym.Env[Any, Any]) -> Choice:
    name, explanation = step.wrapper, perturbation.explanation().split("\n")[0].replace("``", "")
    try:
        table = [dict(level) for level in perturbation.severities()] or [{}]
        given = _patches(perturbation, env)
        levels = tuple(explicit(step.model_copy(update={**given, **level}), task) for level in table)
        bound = [perturbation.make(**level.parameters) for level in levels]
        for transform in bound:
            transform.bind(env.observation_space, env.action_space, 1, 0)
    except Exception as error:  # whatever somebody's perturbation raises
        return Choice(name, explanation, reason=one_line(error) or type(error).__name__)
    redraws = perturbation.draw is not Perturbation.draw and bound[0].interval != 1
    return Choice(name, explanation, levels, tuple(map(_label, table)), redraws)


def _patches(perturbation: type[Perturbation], env: gym.Env[Any, Any]) -> dict[str, int]:
    """The size of patches where that of the suites does not tile the frames: the largest below that does."""
    usual = perturbation.signature().parameters.get("patch_size")
    shape = env.observation_space.shape or ()
    if usual is None or len(shape) < 2:
        return {}
    common = math.gcd(*shape[:2])
    return {"patch_size": max(size for size in range(1, usual.default + 1) if common % size == 0)}


def _label(level: dict[str, Any]) -> str:
    words = {"resample": lambda value: "every episode" if value == "episode" else f"every {value} steps"}
    told = {name: words.get(name, str)(value) for name, value in level.items() if value is not None}
    return ", ".join(value if name in words else f"{name} {value}" for name, value in told.items()) or "on"
