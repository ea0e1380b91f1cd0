"""What a step of the AttentionNeuron costs with 5 to 10,000 sensors: ``python examples/cost_of_sensors.py OUT.csv``.

CPU time of one call for one environment, one thread, the shortest of several; networks of the recipes' sizes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from symbench.policies import NetworkAgent
from symbench.training import load_recipe
from symbench.training.recipe_parts import make_network

COUNTS = (5, 10, 50, 100, 500, 1000, 2000, 5000, 10_000)
RECIPES = ("attention-neuron", "attention-neuron-any-sensors", "recurrent-attention-neuron")
REPEATS = 15


def milliseconds(agent: NetworkAgent, sensors: int) -> float:
    """CPU time of one call, in milliseconds."""
    observations, times = np.random.default_rng(0).normal(size=(1, sensors)).astype(np.float32), []
    agent.reset(1)
    for _ in range(REPEATS):
        start = time.process_time()
        agent.act(observations)
        times.append(1000 * (time.process_time() - start))
    return min(times)


def main(path: Path) -> None:
    """Measure, and write ``network, sensors, milliseconds, microseconds_per_sensor``."""
    torch.set_num_threads(1)
    lines = ["network,sensors,milliseconds,microseconds_per_sensor"]
    for recipe in RECIPES:
        network = make_network(load_recipe(recipe), 0)
        for sensors in COUNTS:
            cost = milliseconds(NetworkAgent(network, recipe), sensors)
            lines.append(f"{recipe},{sensors},{cost:.3f},{1000 * cost / sensors:.2f}")
            print(lines[-1], flush=True)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
