"""Every game of the students of the study pong-attention, in order and shuffled per episode, and of their teacher.

Prints CSV: 50 games of PongSticky each, with the seeds of the suites; the folder is that of the study (``symbench study
pong-attention --out OUT``).

python examples/pong_students.py OUT/pong-attention > docs/data/pong-students.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from pathlib import Path

from symbench.runner.evaluate import play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import Apply, load_suite
from symbench.tasks import get_task
from symbench.training.controllers.pong import PongController
from symbench.zoo import load_agent

CONDITIONS = {"in order": [], "shuffled": [Apply(wrapper="ShufflePatches", patch_size=6, resample="episode")]}
GAMES = 50


def main(folders: list[str]) -> None:
    """Print a line for every game of every run in the folders."""
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("shuffle").seed
    table.writerow(("agent", "run", "condition", "seed", "return"))
    for path in sorted(path for folder in folders for path in Path(folder).glob("*/s*/agent.safetensors")):
        for condition, apply in CONDITIONS.items():
            with single_thread(), closing(make_envs("PongSticky", apply, GAMES)) as envs:
                episodes = play(envs, load_agent(path), list(range(first, first + GAMES)))
            who = path.parts[-3], path.parts[-2].removeprefix("s"), condition
            table.writerows((*who, *each) for each in zip(episodes.seeds, episodes.returns, strict=True))
            sys.stdout.flush()
    with closing(get_task("PongSticky").make()) as env:
        for seed in range(first, first + GAMES):
            table.writerow(("teacher", 0, "in order", seed, PongController(move=2.0, switch=4.0).play(env, seed)))


if __name__ == "__main__":
    main(sys.argv[1:])
