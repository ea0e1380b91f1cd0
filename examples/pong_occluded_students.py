"""How often Pong's students of hidden patches answer as their teacher does, and what could be known. Prints CSV.

In the same states, with the same patches hidden, three are asked: the student; the teacher itself, told of the ball
only where its patch is visible (it remembers three steps, as the student does, and knows places); and who always gives
the teacher's most frequent answer. In games that the teacher plays ("led") and that the student plays ("alone"): the
first 500 steps of 8 games with the seeds of the suites. For students without a memory of what they did; the folder is
that of the study (``symbench study pong-occlusion --task Pong --out OUT``).

python examples/pong_occluded_students.py OUT/pong-occlusion > docs/data/pong-occluded-students.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from symbench.runner.evaluate import single_thread
from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.training.controllers.blinkered_pong import SIDE, BlinkeredPongController
from symbench.training.controllers.pong import PongController
from symbench.wrappers import OccludePatches
from symbench.zoo import load_agent

COSTS = {"move": 2.0, "switch": 4.0}  # of the study's teacher
HIDDEN, GAMES, STEPS, REMEMBERED = (0.0, 0.5), 8, 500, 3


def asked(student: Path, hidden: float, led: bool, seed: int) -> dict[str, float]:
    """Who gives which share of the teacher's answers in one game."""
    agent, answers = load_agent(student), []
    with closing(OccludePatches(get_task("Pong").make(), ratio=hidden, patch_mask=True)) as env:
        seen, _ = env.reset(seed=seed)
        teacher = PongController(**COSTS)
        blinkered = BlinkeredPongController(seen["mask"].reshape(SIDE, SIDE) > 0, REMEMBERED, **COSTS)
        for _ in range(STEPS):
            answers.append((right := teacher(env), int(agent.act(seen)), blinkered(env)))
            seen, _, terminated, truncated, _ = env.step(right if led else answers[-1][1])
            if terminated or truncated:
                break
    right, own, told = np.array(answers).T
    most_frequent = np.bincount(right).max() / len(right)
    return {"student": np.mean(own == right), "blinkered teacher": np.mean(told == right), "base": most_frequent}


def main(folders: list[str]) -> None:
    """Print a line for every number of every run in the folders."""
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("occlusion").seed
    table.writerow(("agent", "run", "hidden", "played", "seed", "asked", "share"))
    for path in sorted(path for folder in folders for path in Path(folder).glob("*/s*/agent.safetensors")):
        for hidden in HIDDEN:
            for led in (True, False):
                where = path.parts[-3], path.parts[-2].removeprefix("s"), hidden, "led" if led else "alone"
                for seed in range(first, first + GAMES):
                    with single_thread():
                        shares = asked(path, hidden, led, seed)
                    table.writerows((*where, seed, who, f"{share:.3f}") for who, share in shares.items())
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
