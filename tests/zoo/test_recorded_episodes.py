"""Every bundled agent plays the episodes that it played when it was recorded, bit for bit."""

from __future__ import annotations

import json
import os

import pytest
from recorded_episodes import EXPENSIVE, FILE, cells, digest, machine, recorded_here

from symbench.tasks import TASKS

RECORDED = {cell for machine in json.loads(FILE.read_text()) for cell in machine["cells"]}
HERE = recorded_here()
ALL = [cell for task in TASKS for cell in cells(task)]
CELLS = [cell for cell in ALL if cell.id in RECORDED]


def _marked(cell: object) -> object:
    asked = os.environ.get("SYMBENCH_ALL_EPISODES") or cell.task not in EXPENSIVE
    skipped = pytest.mark.skipif(not asked, reason="half an hour for all: set SYMBENCH_ALL_EPISODES=1")
    return pytest.param(cell, id=cell.id, marks=skipped)


def test_every_bundled_agent_whose_episodes_are_cheap_is_recorded() -> None:
    cheap = {cell.id for cell in ALL if cell.task not in EXPENSIVE}
    assert len(cheap) > 100 and cheap <= RECORDED


@pytest.mark.slow
@pytest.mark.parametrize("cell", [_marked(cell) for cell in CELLS])
def test_a_bundled_agent_plays_the_same_episodes(cell: object) -> None:
    if cell.id not in HERE:
        pytest.skip(f"recorded on other machines, where the last bits differ; this one is {machine()}")
    assert digest(cell) == HERE[cell.id]
