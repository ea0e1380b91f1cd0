"""Why two agents that infer something lose most under noise: CartPoleSwingUp, suite ``sensor-noise``. Prints CSV.

`attention-neuron-any-sensors` plays as it is and with its gate held open. If the gate is what costs it its return, it
has more when the gate is held open; no channel of noise is there, so that costs nothing else. `misjudged` is the share
of sensors and steps in which the gate lets less than half through. Of `unshuffler`, whose policy alone is the bundled
MLP, it is the share in which a sensor is taken for another; one that guesses has .8.

python examples/why_noise_costs.py --episodes 100 > docs/data/why-noise-costs.csv
"""

from __future__ import annotations

import argparse
import csv
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.policies import NetworkAgent
from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.policies import PolicyNetwork

TASK = "CartPoleSwingUp"


def watch_gate(network: Any) -> list[float]:
    """Of each step of each episode, the share of sensors of which the gate lets less than half through."""
    shut: list[float] = []
    network.layer.gate.register_forward_hook(
        lambda gate, inputs, _: shut.extend((gate.opened(*inputs) < 0.5).float().mean(dim=(1, 2)).tolist())
    )
    return shut


def hold_open(network: Any) -> list[float]:
    """Let every sensor through that is not constantly zero."""
    last = network.layer.gate.network[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, 100.0)
    return watch_gate(network)


def watch_order(network: Any) -> list[float]:
    """Of each step of each episode, the share of sensors that are taken for another; they are in order."""
    wrong: list[float] = []
    perceive = network.perceive

    def watched(observations: Any, state: Any) -> Any:
        logits, state = perceive(observations, state)
        places = state[3]
        wrong.extend((places != torch.arange(places.shape[1])).float().mean(dim=1).tolist())
        return logits, state

    network.perceive = watched
    return wrong


WAYS: dict[str, tuple[str, Callable[[PolicyNetwork], list[float]]]] = {
    "attention-neuron-any-sensors": ("attention-neuron-any-sensors", watch_gate),
    "gate held open": ("attention-neuron-any-sensors", hold_open),
    "unshuffler": ("unshuffler", watch_order),
}


def main(episodes: int | None) -> None:
    """Print a line for each level of noise, way to play (``agent``) and training run."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("severity", "agent", "training_run", "episodes", "mean", "std", "misjudged"))
    agents = list(dict.fromkeys(agent for agent, _ in WAYS.values()))
    for cell in make_plan(load_suite("sensor-noise"), tasks=[TASK], agents=agents, episodes=episodes).cells:
        for way, (name, prepare) in WAYS.items():
            if name != cell.agent:
                continue
            network = load_network(bundled(TASK)[name][cell.run])
            misjudged, agent = prepare(network), NetworkAgent(network, way)
            with single_thread():
                parts = [play(make_envs(TASK, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
            returns = np.concatenate([part.returns for part in parts])
            row = (len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}", f"{np.mean(misjudged):.4f}")
            table.writerow((cell.level, way, cell.run, *row))
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int)
    main(**vars(parser.parse_args()))
