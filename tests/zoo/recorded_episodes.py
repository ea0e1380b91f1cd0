"""Which episodes every bundled agent plays, as digests: a change of the code must not change one bit of them.

``python tests/zoo/recorded_episodes.py`` plays 50 episodes of each bundled training run in order and under the hardest
shuffle of its task, and writes ``recorded_episodes.json`` beside itself: a recording for each kind of machine, since
they differ in the last bits. Cells that are there are not played again. What an AMD machine has recorded was played by
commit 9b84918, before tasks, agents and perturbations were opened; teams and scenes are younger.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from symbench.runner import Cell, evaluate, make_plan
from symbench.runner.cell import digest_of
from symbench.suites import load_suite
from symbench.tasks import TASKS
from symbench.zoo import bundled

FILE = Path(__file__).with_suffix(".json")
EPISODES = 50
EXPENSIVE = ("Ant", "Pong", "PongSticky", "CarRacing")  # minutes for one cell
CONDITIONS = {
    "none/in-order",
    "shuffle-sensors/every-25",
    "shuffle-patches/every-25",
    "none/identity",
    "none/in-place",
    "transform-by-group/per-episode",
}
_OF_GROUP = ("GridWorld", "Wildlife", "Traffic", "ParticleSpread", "Pursuit", "NBodyControl")
SUITES = {"TSP20": "routing", **dict.fromkeys(_OF_GROUP, "group")}  # all others: shuffle@2


def cells(task: str) -> list[Cell]:
    """The recorded cells of a task."""
    agents = sorted(bundled(task))
    if not agents or TASKS[task].agents_of:  # another task's
        return []
    suite = load_suite(SUITES.get(task, "shuffle@2"))
    planned = make_plan(suite, tasks=[task], agents=agents, episodes=EPISODES).cells
    return [cell for cell in planned if f"{cell.perturbation}/{cell.level}" in CONDITIONS and cell.agent != "random"]


def digest(cell: Cell) -> str:
    """SHA-256 of the seeds, returns, lengths and ends of all episodes."""
    return digest_of(evaluate(cell).columns())


def machine() -> dict[str, Any]:
    """What decides the last bits of a product: other machines play episodes that differ in them."""
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "vendor": next((line.split(":")[1].strip() for line in _cpu() if line.startswith("vendor_id")), ""),
    }


def _cpu() -> list[str]:
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []


def recorded_here() -> dict[str, str]:
    """The digests of the cells that a machine like this one has recorded."""
    return next((each["cells"] for each in json.loads(FILE.read_text()) if each["machine"] == machine()), {})


def main() -> None:
    """Play what has not been recorded on such a machine."""
    others = [each for each in json.loads(FILE.read_text()) if each["machine"] != machine()]
    recorded = recorded_here()
    for cell in [cell for task in TASKS if task not in EXPENSIVE for cell in cells(task)]:
        if cell.id not in recorded:
            recorded[cell.id] = digest(cell)
            FILE.write_text(json.dumps([*others, {"machine": machine(), "cells": recorded}], indent=1) + "\n")
            print(cell.id, flush=True)


if __name__ == "__main__":
    main()
