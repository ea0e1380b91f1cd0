"""The name of a cell: ``SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import quote

from symbench.errors import SymbenchError

FORM = "SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN"

# Only a task's name may have slashes of its own, as Gymnasium's ids have: ALE/Pong-v5.
_PATTERN = re.compile(
    r"(?P<suite>[^/@]+)@(?P<version>\d+)/(?P<task>[^/].*[^/]|[^/])/(?P<perturbation>[^/]+)/(?P<level>[^/]+)"
    r"/(?P<agent>[^/]+)/s(?P<run>\d+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class CellId:
    """Which cell; unique within a run, and readable.

    Attributes:
        suite: Name of the suite.
        version: Version of the suite.
        task: Name of the task.
        perturbation: What is done, e.g. ``"shuffle-sensors"``.
        level: How hard, e.g. ``"every-100"``.
        agent: Name of the agent.
        run: Number of its training run.
    """

    suite: str
    version: int
    task: str
    perturbation: str
    level: str
    agent: str
    run: int

    @staticmethod
    @lru_cache(maxsize=65536)
    def parse(text: str) -> CellId:
        """The id that is written so.

        Raises:
            SymbenchError: It is no id of a cell.
        """
        if not (found := _PATTERN.fullmatch(text)):
            raise SymbenchError(f"{text!r} is not a cell: expected {FORM}")
        suite, version, task, perturbation, level, agent, run = found.groups()
        return CellId(suite, int(version), task, perturbation, level, agent, int(run))

    def __str__(self) -> str:
        """For example ``shuffle@1/CartPole-v1/shuffle-sensors/every-100/mlp/s0``."""
        return f"{self.suite}@{self.version}/{self.within_suite}"

    @property
    def within_suite(self) -> str:
        """The id without the suite, which is the same in a whole run."""
        return f"{self.task}/{self.condition}/{self.agent}/s{self.run}"

    @property
    def condition(self) -> str:
        """Perturbation and level, e.g. ``shuffle-sensors/every-100``."""
        return f"{self.perturbation}/{self.level}"

    @property
    def path(self) -> PurePath:
        """The file of the cell in a directory of cells; what a file's name may not hold is written as in a URL."""
        task = quote(self.task, safe=" !#$&'()+,;=@[]^`{}~")
        return PurePath(task, self.perturbation, self.level, self.agent, f"s{self.run}.json")
