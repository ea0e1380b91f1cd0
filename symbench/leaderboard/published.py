"""Published numbers, to stand beside measured ones. They are quoted, never computed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


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


@cache
def published(task: str, suite: str) -> tuple[Published, ...]:
    """The published agents of a task under the conditions of a suite; none for most tasks."""
    data = tomllib.loads(Path(__file__).with_name("published.toml").read_text(encoding="utf-8"))
    return tuple(
        Published(agent, table["source"], {condition: (mean, std) for condition, (mean, std) in returns.items()})
        for table in data["tables"]
        if table["task"] == task and table.get("suite", suite) == suite
        for agent, returns in table["agents"].items()
    )
