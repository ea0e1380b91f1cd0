"""Is it rounding that makes Ant's AttentionNeuron play other episodes when its sensors are shuffled? Prints CSV.

Each run plays the suite's episodes in order and shuffled, once computing in float32, as in all tables, and once in
float64, where a sum in another order changes actions by less than float32, in which they are given, can show. If
rounding is all that differs, episodes are the same in float64. `same` is how many have the same return to the bit.

python examples/rounding.py --episodes 20 > docs/data/rounding.csv
"""

from __future__ import annotations

import argparse
import csv
import sys

import numpy as np
import torch

from symbench.policies import NetworkAgent
from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_network

TASK, AGENT = "Ant", "attention-neuron"
LEVELS = {"in-order": "in_order", "per-episode": "shuffled"}


def main(episodes: int | None) -> None:
    """Print a line for each precision and training run."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("task", "agent", "precision", "training_run", "episodes", *LEVELS.values(), "same"))
    cells = make_plan(load_suite("shuffle"), tasks=[TASK], agents=[AGENT], episodes=episodes).cells
    for precision in (torch.float32, torch.float64):
        for run in range(len(bundled(TASK)[AGENT])):
            returns = {}
            for cell in cells:
                if (cell.agent, cell.run) == (AGENT, run) and cell.level in LEVELS:
                    agent = NetworkAgent(load_network(bundled(TASK)[AGENT][run]), AGENT, precision)
                    with single_thread():
                        parts = [
                            play(make_envs(TASK, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)
                        ]
                    returns[cell.level] = np.concatenate([part.returns for part in parts])
            one, other = (returns[level] for level in LEVELS)
            means = f"{one.mean():.1f}", f"{other.mean():.1f}"
            table.writerow((TASK, AGENT, str(precision)[6:], run, len(one), *means, int((one == other).sum())))
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int)
    main(**vars(parser.parse_args()))
