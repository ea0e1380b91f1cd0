"""What each training run does on CartPoleSwingUp, where tables of a suite show their mean. Prints CSV.

The bundled AttentionNeurons, or the authors' published weights (one training run), with the suite's seeds.

python examples/training_runs.py noise +500 --episodes 200 > docs/data/noise-runs.csv
python examples/training_runs.py shuffle in-order per-episode every-100 every-25 --published cartpole_pi.weights.npz
"""

from __future__ import annotations

import argparse
import csv
import sys

import numpy as np

from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_agent, load_published

TASK = "CartPoleSwingUp"
AGENTS = ["attention-neuron", "recurrent-attention-neuron"]


def main(suite: str, levels: list[str], published: str | None, episodes: int | None) -> None:
    """Print a line for each condition, agent and training run."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("suite", "task", "perturbation", "severity", "agent", "training_run", "episodes", "mean", "std"))
    loaded = load_suite(suite)
    cells = make_plan(loaded, tasks=[TASK], agents=AGENTS[:1] if published else AGENTS, episodes=episodes).cells
    for cell in cells:
        if cell.level not in levels or cell.agent not in AGENTS or (published and cell.run):
            continue
        own = load_agent(bundled(TASK)[cell.agent][cell.run])
        name, agent = ("published", load_published("cartpole_pi", published)) if published else (cell.agent, own)
        with single_thread():
            parts = [play(make_envs(cell.task, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
        returns = np.concatenate([part.returns for part in parts])
        row = (cell.run, len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}")
        table.writerow((loaded.tag, TASK, cell.perturbation, cell.level, name, *row))
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("levels", nargs="+", help="levels of the suite, as in its tables' data")
    parser.add_argument("--published", help="the authors' weights of the cart-pole, instead of the bundled agents")
    parser.add_argument("--episodes", type=int)
    main(**vars(parser.parse_args()))
