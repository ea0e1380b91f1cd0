"""The id of a cell: ``SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN``."""

from __future__ import annotations

from typing import NamedTuple

from symbench.errors import SymbenchError
from symbench.tasks.names import name_of, path_of


class CellId(NamedTuple):
    """The parts of an id.

    Attributes:
        suite: Name and version.
        task: Name of the task, as users type it.
        perturbation: What is done.
        level: How hard.
        agent: Name of the agent.
        run: Number of its training run.
    """

    suite: str
    task: str
    perturbation: str
    level: str
    agent: str
    run: int

    @classmethod
    def parse(cls, text: str) -> CellId:
        """Read an id.

        Raises:
            SymbenchError: It is none.
        """
        parts = text.split("/")
        if len(parts) != 6 or not all(parts) or not parts[5].startswith("s") or not parts[5][1:].isdecimal():
            raise SymbenchError(f"{text!r} is not a cell: expected SUITE@VERSION/TASK/PERTURBATION/LEVEL/AGENT/sRUN")
        suite, task, perturbation, level, agent, run = parts
        return cls(suite, name_of(task), perturbation, level, agent, int(run[1:]))

    def __str__(self) -> str:
        """The id; what is a sign of ids or paths in a task's name is percent-encoded."""
        return "/".join((self.suite, path_of(self.task), *self[2:5], f"s{self.run}"))

    @property
    def condition(self) -> str:
        """Perturbation and level, e.g. ``"shuffle-sensors/every-100"``."""
        return f"{self.perturbation}/{self.level}"
