"""Published numbers, to stand beside measured ones. They are quoted, never computed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from symbench.suites import Suite


@dataclass(frozen=True)
class Published:
    """One agent of a paper in one task.

    Attributes:
        agent: What tables call it.
        source: Where the numbers stand.
        returns: Condition (``"shuffle-sensors/every-100"``) -> mean and standard deviation of the return over episodes
            (NaN where it was not published).
    """

    agent: str
    source: str
    returns: dict[str, tuple[float, float]]


def published(task: str, suite: Suite) -> tuple[Published, ...]:
    """The published agents of a task that have a number under a condition of a suite; none for most tasks."""
    conditions = {perturbation.id for perturbation in suite.perturbations}
    return tuple(
        Published(agent, table["source"], {condition: (mean, std) for condition, (mean, std) in returns.items()})
        for table in _tables()
        if table["task"] == task and table.get("suite", suite.name) == suite.name
        for agent, returns in table["agents"].items()
        if conditions & returns.keys()
    )


@cache
def _tables() -> list[dict[str, Any]]:
    text = Path(__file__).with_name("published.toml").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = tomllib.loads(text)["tables"]
    return tables
