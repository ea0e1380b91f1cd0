"""Every bundled agent plays the episodes that it played when it was recorded, bit for bit."""

from __future__ import annotations

import json

import pytest
from recorded_episodes import FILE, cells, digest, machine

from symbench.tasks import TASKS

RECORDED = json.loads(FILE.read_text())
EXPENSIVE = ("Pong", "CarRacing")  # minutes for one cell
ALL = [cell for task in TASKS for cell in cells(task)]
CELLS = [cell for cell in ALL if cell.id in RECORDED["cells"]]


def _marked(cell: object) -> object:
    marks = [pytest.mark.slow] if cell.task in EXPENSIVE else []
    return pytest.param(cell, id=cell.id, marks=marks)


def test_every_bundled_agent_whose_episodes_are_cheap_is_recorded() -> None:
    cheap = {cell.id for cell in ALL if cell.task not in EXPENSIVE}
    assert len(cheap) > 100 and cheap <= set(RECORDED["cells"])


@pytest.mark.parametrize("cell", [_marked(cell) for cell in CELLS])
def test_a_bundled_agent_plays_the_same_episodes(cell: object) -> None:
    if machine() != RECORDED["machine"]:
        pytest.skip(f"recorded on {RECORDED['machine']}; here the last bits differ: {machine()}")
    assert digest(cell) == RECORDED["cells"][cell.id]
