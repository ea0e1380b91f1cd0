"""Every bundled agent plays the episodes that it played when it was recorded, bit for bit."""

from __future__ import annotations

import json
import os

import pytest
from recorded_episodes import FILE, cells, digest, machine

from symbench.tasks import TASKS

RECORDED = json.loads(FILE.read_text())
EXPENSIVE = ("Pong", "PongSticky", "CarRacing")  # minutes for one cell
ALL = [cell for task in TASKS for cell in cells(task)]
CELLS = [cell for cell in ALL if cell.id in RECORDED["cells"]]


def _marked(cell: object) -> object:
    asked = os.environ.get("SYMBENCH_ALL_EPISODES") or cell.task not in EXPENSIVE
    skipped = pytest.mark.skipif(not asked, reason="half an hour for all: set SYMBENCH_ALL_EPISODES=1")
    return pytest.param(cell, id=cell.id, marks=skipped)


def test_every_bundled_agent_whose_episodes_are_cheap_is_recorded() -> None:
    cheap = {cell.id for cell in ALL if cell.task not in EXPENSIVE}
    assert len(cheap) > 100 and cheap <= set(RECORDED["cells"])


@pytest.mark.parametrize("cell", [_marked(cell) for cell in CELLS])
def test_a_bundled_agent_plays_the_same_episodes(cell: object) -> None:
    if machine() != RECORDED["machine"]:
        pytest.skip(f"recorded on {RECORDED['machine']}; here the last bits differ: {machine()}")
    assert digest(cell) == RECORDED["cells"][cell.id]
