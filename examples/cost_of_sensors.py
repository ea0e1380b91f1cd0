"""What a step of the AttentionNeuron costs with 5 to 10,000 sensors: ``python examples/cost_of_sensors.py OUT.csv``.

CPU time of one call for one environment, one thread, the shortest of several; networks of the recipes' sizes with fresh
weights, and one that is trained: its gate shuts out most of the channels, which are noise, and its layers skip these.
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
from symbench.zoo import bundled, load_agent

COUNTS = (5, 10, 50, 100, 500, 1000, 2000, 5000, 10_000)
RECIPES = ("attention-neuron", "attention-neuron-any-sensors", "recurrent-attention-neuron")
REPEATS = 30


def milliseconds(agent: NetworkAgent, sensors: int) -> float:
    """CPU time of one call, in milliseconds."""
    noise, times = np.random.default_rng(0).normal(scale=0.1, size=(REPEATS, 1, sensors)).astype(np.float32), []
    agent.reset(1)
    for observations in noise:
        start = time.process_time()
        agent.act(observations)
        times.append(1000 * (time.process_time() - start))
    return min(times)


def main(path: Path) -> None:
    """Measure, and write ``network, sensors, milliseconds, microseconds_per_sensor``."""
    torch.set_num_threads(1)
    lines = ["network,sensors,milliseconds,microseconds_per_sensor"]
    networks = {recipe: make_network(load_recipe(recipe), 0) for recipe in RECIPES}
    trained = load_agent(bundled("CartPoleSwingUp")["attention-neuron-any-sensors"][0])
    for name, network in {**networks, "attention-neuron-any-sensors (trained)": trained.network}.items():
        for sensors in COUNTS:
            cost = milliseconds(NetworkAgent(network, name), sensors)
            lines.append(f"{name},{sensors},{cost:.3f},{1000 * cost / sensors:.2f}")
            print(lines[-1], flush=True)
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
