"""Which conditions are the same as another in a task, since its episodes end before they could differ."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.suites.suite import Apply, Perturbation


def redundant(conditions: Sequence[Perturbation], max_episode_steps: int | None) -> dict[str, str]:
    """Conditions that differ from another only in an interval that no episode outlasts.

    Args:
        conditions: Those of a task.
        max_episode_steps: The longest episode there is in this task; ``None`` if there is no limit.

    Returns:
        Id of a condition -> why it is left out. Of several equal ones the first stays, and one that draws once an
        episode stays before all.
    """
    if max_episode_steps is None:
        return {}
    written = {each.id: [_explicit(step) for step in each.apply] for each in conditions}
    played = {id: [_within(step, max_episode_steps) for step in steps] for id, steps in written.items()}
    kept: dict[str, str] = {}
    for id, steps in played.items():
        if steps == written[id]:
            kept.setdefault(_key(steps), id)
    found = {}
    for each in conditions:
        if each.baseline or played[each.id] == written[each.id]:
            continue
        other = kept.setdefault(_key(played[each.id]), each.id)
        if other != each.id:
            found[each.id] = f"no episode has more than {max_episode_steps} steps, so it is the same as {other}"
    return found


def _explicit(step: Apply) -> dict[str, Any]:
    """A wrapper and all its parameters: defaults, what its severity stands for, what the suite says."""
    given = {"wrapper": step.wrapper, **step.parameters}
    try:
        perturbation, severity = step.perturbation(), given.get("severity")
    except SymbenchError:
        return given  # whoever plays it says so
    parameters = inspect.signature(perturbation).parameters.values()
    defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
    levels = perturbation.severities()
    if type(severity) is int and 0 < severity <= len(levels):
        del given["severity"]
        defaults |= levels[severity - 1]
    return {**defaults, **given}


def _within(step: dict[str, Any], max_episode_steps: int) -> dict[str, Any]:
    """The same, drawn once an episode if the next draw would come after its end."""
    from symbench.wrappers.checks import interval

    try:
        steps = interval(step["resample"])
    except (KeyError, TypeError, SymbenchError):  # it draws at no interval, or at none that there is
        return step
    return {**step, "resample": "episode"} if steps is not None and steps >= max_episode_steps else step


def _key(steps: list[dict[str, Any]]) -> str:
    return json.dumps(steps, sort_keys=True, default=str)
