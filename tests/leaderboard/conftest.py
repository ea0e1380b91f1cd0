from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from symbench.runner import AgentSource, Cell, Episodes, Manifest, Record
from symbench.runner.manifest import Invocation
from symbench.suites import Suite, parse_suite

if TYPE_CHECKING:
    from collections.abc import Callable

CONDITIONS = [
    {"name": "none", "level": "in-order", "label": "in order", "baseline": True},
    {"name": "shuffle-sensors", "level": "per-episode", "label": "shuffled [per episode]"},
    {"name": "shuffle-sensors", "level": "every-25"},
]


@pytest.fixture
def suite() -> Suite:
    data = {"name": "tiny", "version": 1, "description": "three conditions", "seed": 3, "compare_with": "mlp"}
    return parse_suite({**data, "tasks": ["CartPoleSwingUp", "CartPole-v1"], "perturbations": CONDITIONS}, "tiny")


@pytest.fixture
def manifest(suite: Suite) -> Manifest:
    manifest = Manifest(suite=suite)
    manifest.add_task("CartPoleSwingUp")
    environment = {
        **{"symbench": "0.1.0", "python": "3.11", "packages": {"numpy": "2.4"}, "commit": "abc"},
        **{"cpu": "a processor", "workers": 2},
    }
    call = Invocation(
        command="symbench run --suite tiny", started="now", seconds=3, evaluated=9, environment=environment
    )
    manifest.invocations.append(call)
    return manifest


@pytest.fixture
def record(suite: Suite, manifest: Manifest) -> Callable[..., Record]:
    """Makes records of given returns and enters them in the manifest."""

    def make(
        agent: str, condition: str, returns: list[float] | np.ndarray, run: int = 0, task: str = "CartPoleSwingUp"
    ) -> Record:
        name, level = condition.split("/")
        values = np.asarray(returns, dtype=float)
        source = AgentSource(name=agent, run=run, kind="random")
        cell = Cell(
            **{"suite": suite.name, "version": 1, "task": task, "perturbation": name, "level": level, "apply": ()},
            **{"source": source, "episodes": len(values), "seed": suite.seed},
        )
        manifest.cells[cell.id] = cell.spec_hash
        seeds, lengths = suite.seed + np.arange(len(values)), np.full(len(values), 7)
        pipeline = (("environment", "an environment"), ("agent", agent))
        return Record(cell, pipeline, Episodes(seeds, values, lengths, np.zeros(len(values), bool)))

    return make
