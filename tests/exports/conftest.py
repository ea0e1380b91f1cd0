from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from symbench.leaderboard import Report, make_report
from symbench.runner import AgentSource, Cell, Episodes, Manifest, Record
from symbench.runner.manifest import Invocation
from symbench.suites import parse_suite

CONDITIONS = [
    {"name": "none", "level": "clean", "label": "as it is", "baseline": True},
    {"name": "sensor-noise", "level": "0.1", "apply": [{"wrapper": "SensorNoise", "sigma": 0.1}]},
    {"name": "sensor-noise", "level": "0.4", "apply": [{"wrapper": "SensorNoise", "sigma": 0.4}]},
]
FACTS = {"symbench": "0.2", "python": "3.11", "packages": {}, "commit": "abc", "cpu": "a chip", "workers": 1}


@pytest.fixture
def report_of() -> Callable[..., Report]:
    """Makes the tables of a run in which three agents have played; ``command`` is what was typed."""

    def make(
        command: str = "symbench run --suite tiny",
        description: str = "noise",
        tasks: tuple[str, ...] = ("CartPole-v1",),
    ) -> Report:
        data = {"name": "tiny", "version": 1, "description": description, "seed": 3, "compare_with": "mlp"}
        suite = parse_suite({**data, "tasks": list(tasks), "perturbations": CONDITIONS}, "tiny")
        manifest, records = Manifest(suite=suite), []
        manifest.invocations.append(
            Invocation(command=command, started="now", seconds=3, evaluated=9, environment=FACTS)
        )
        for task in tasks:
            manifest.add_task(task)
            for agent, runs, means in (
                ("mlp", 5, (400, 90, 15)),
                ("pi-net", 3, (350, 340, 300)),
                ("random", 1, (22,) * 3),
            ):
                for run in range(runs):
                    for condition, mean in zip(suite.perturbations, means, strict=True):
                        returns = mean + 10.0 * np.random.default_rng([run, mean]).normal(size=8)
                        cell = Cell(
                            **{"suite": "tiny", "version": 1, "task": task, "perturbation": condition.name},
                            **{"level": condition.level, "apply": condition.apply, "episodes": 8, "seed": 3},
                            source=AgentSource(name=agent, run=run, kind="random"),
                        )
                        manifest.cells[cell.id] = cell.spec_hash
                        played = Episodes(3 + np.arange(8), returns, np.full(8, 9), np.ones(8, bool))
                        records.append(Record(cell, (("agent", agent),), played))
        return make_report(manifest, records)

    return make
