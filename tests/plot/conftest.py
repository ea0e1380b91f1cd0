"""A run directory of numbers that are drawn, not played: two tasks, three severities, a condition by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.runner import AgentSource, Cell, Episodes, Manifest, Record, Store
from symbench.suites import Suite, parse_suite

if TYPE_CHECKING:
    from pathlib import Path

AGENTS = {"mlp": (5, (460, 180, 90, 30, 60)), "pi-net": (3, (430, 425, 400, 300, 410)), "random": (1, (22,) * 5)}
"""Name -> training runs, mean return under each condition."""

Make = Callable[..., "Path"]


def noise(level: str, sigma: float) -> dict[str, object]:
    return {"name": "sensor-noise", "level": level, "apply": [{"wrapper": "SensorNoise", "sigma": sigma}]}


def the_suite(name: str = "tiny", tasks: tuple[str, ...] = ("CartPole-v1",)) -> Suite:
    conditions = [
        {"name": "none", "level": "clean", "label": "as it is", "baseline": True},
        *(noise("0.1", 0.1), noise("0.2", 0.2), noise("0.4", 0.4)),
        {"name": "shuffle-sensors", "level": "once", "apply": [{"wrapper": "ShuffleSensors", "resample": "episode"}]},
    ]
    data = {"name": name, "version": 1, "description": "noise and a shuffle", "seed": 3, "compare_with": "mlp"}
    return parse_suite({**data, "tasks": list(tasks), "perturbations": conditions}, name)


@pytest.fixture
def make_run(tmp_path: Path) -> Make:
    """Writes a run directory and returns it."""

    def make(
        where: str = "run",
        agents: dict[str, tuple[int, tuple[int, ...]]] = AGENTS,
        tasks: tuple[str, ...] = ("CartPole-v1",),
        suite: str = "tiny",
        command: str = "symbench run --suite tiny.toml",
    ) -> Path:
        from symbench.runner.manifest import Invocation

        store, of = Store(tmp_path / where), the_suite(suite, tasks)
        store.prepare()
        manifest = Manifest(suite=of)
        facts = {"symbench": "0.2", "python": "3.11", "packages": {}, "commit": "abc", "cpu": "a chip", "workers": 1}
        manifest.invocations.append(
            Invocation(command=command, started="now", seconds=3, evaluated=9, environment=facts)
        )
        for task in tasks:
            manifest.add_task(task)
            for name, (runs, means) in agents.items():
                for run in range(runs):
                    for record in _records(of, task, name, run, means):
                        manifest.cells[record.cell.id] = record.cell.spec_hash
                        store.write(record)
        manifest.save(store)
        return tmp_path / where

    return make


def _records(suite: Suite, task: str, name: str, run: int, means: tuple[int, ...]) -> list[Record]:
    made = []
    for condition, mean in zip(suite.perturbations, means, strict=False):
        rng = np.random.default_rng([run, mean, *name.encode()])
        returns = np.clip(mean + 20 * rng.normal() + 30 * rng.normal(size=12), 1, 500).round()
        cell = Cell(
            **{"suite": suite.name, "version": 1, "task": task, "perturbation": condition.name},
            **{"level": condition.level, "apply": condition.apply, "episodes": 12, "seed": suite.seed},
            source=AgentSource(name=name, run=run, kind="random"),
        )
        seeds, lengths = suite.seed + np.arange(12), returns.astype(int)
        made.append(Record(cell, (("agent", name),), Episodes(seeds, returns, lengths, np.ones(12, bool))))
    return made
