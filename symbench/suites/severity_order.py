"""Which conditions of a suite are one perturbation at rising severity, so that a figure may draw them as a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.suites.suite import Apply, Perturbation


def severity_order(conditions: Sequence[Perturbation]) -> dict[str, int]:
    """The places of conditions among the severities of their perturbation.

    Neighbours of one name are in order if they apply the same wrappers and the later one is farther from the identity
    (:attr:`symbench.wrappers.core.Perturbation.distance`); of a wrapper that is the user's own code, which is
    not trusted here, if a single number of its parameters differs and goes on in the same direction.

    Args:
        conditions: Those of a task, in the order of the suite.

    Returns:
        Id -> 1, 2, ... from the mildest on; nothing for conditions that are in order with no other. A line begins anew
        at each 1.
    """
    lines: list[list[Perturbation]] = []
    for each in conditions:
        if lines and _goes_on(lines[-1], each):
            lines[-1].append(each)
        elif not each.baseline:
            lines.append([each])
    return {each.id: place for line in lines if len(line) > 1 for place, each in enumerate(line, 1)}


def _goes_on(line: Sequence[Perturbation], later: Perturbation) -> bool:
    before = line[-1]
    wrappers = [[step.wrapper for step in each.apply] for each in (before, later)]
    if before.name != later.name or later.baseline or wrappers[0] != wrappers[1]:
        return False
    if not all(_is_known(step) for step in later.apply):
        change = _change(before, later)
        return change != 0 and (len(line) == 1 or change * _change(line[-2], before) > 0)
    mild, hard = (_distances(each) for each in (before, later))
    return sum(hard) > sum(mild) and all(a <= b for a, b in zip(mild, hard, strict=True))


def _is_known(step: Apply) -> bool:
    try:
        step.perturbation()
    except (SymbenchError, ImportError):  # code of the user's own, which nobody trusts here
        return False
    return True


def _distances(condition: Perturbation) -> list[float]:
    """Of each wrapper from the identity; NaN, which is in no order, of one that needs to know the task to be made."""
    try:
        return [step.perturbation().make(**step.parameters).distance for step in condition.apply]
    except (SymbenchError, TypeError, ValueError):
        return [math.nan] * len(condition.apply)


def _change(before: Perturbation, later: Perturbation) -> float:
    """By how much the one number that differs does; 0 if it is no number, or not the only difference."""
    changes = [
        (old.get(key), new.get(key))
        for old, new in (
            (mild.parameters, hard.parameters) for mild, hard in zip(before.apply, later.apply, strict=True)
        )
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    old, new = changes[0] if len(changes) == 1 else (None, None)
    if not isinstance(old, (int, float)) or not isinstance(new, (int, float)) or bool in (type(old), type(new)):
        return 0.0
    return float(new) - float(old)
