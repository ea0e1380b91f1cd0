"""How often agents of Pong answer as their teacher would, with some of the patches hidden. Prints CSV.

At every step an agent is asked what it would do and its teacher, who wins 21 to 0, what would be right: in games that
the teacher plays ("led"), and in games that the agent plays ("alone").

python examples/teacher_agreement.py > docs/data/pong-agreement.csv
"""

from __future__ import annotations

import csv
import sys

import numpy as np
import torch

from symbench.suites.suite import Apply
from symbench.training.controllers import controller_of
from symbench.training.imitation import Player
from symbench.training.recipe import load_recipe
from symbench.training.training_envs import make_training_envs
from symbench.zoo import bundled, load_agent

RATIOS = (0.0, 0.1, 0.5, 0.8)
GAMES, SEGMENTS, STEPS = 8, 5, 100


@torch.no_grad()
def agreement(agent: str, ratio: float, led: bool) -> float:
    """The share of 8 games' first 500 steps in which the agent's action is its teacher's."""
    network = load_agent(bundled("Pong")[agent][0]).network.eval()
    hiding = Apply(wrapper="OccludePatches", ratio=ratio, patch_mask=True)
    recipe = load_recipe("pong-attention-neuron").model_copy(update={"perturbations": [hiding]})
    envs, kept = make_training_envs(recipe, GAMES, controller_of("Pong"))
    player, same = Player(envs, kept, network, controller_of("Pong"), np.random.default_rng(0)), []
    for _ in range(SEGMENTS):
        part = player.play(STEPS, exploration=0.0, guided=float(led))
        _, logits = network.unroll(part.observations, part.starts, part.actions, part.state)
        answers = logits.argmax(dim=-1)
        same.append((answers == part.targets).float().mean().item())
    envs.close()
    return float(np.mean(same))


def main(agents: list[str]) -> None:
    """Print a line for every agent and ratio, of the agents named or of all."""
    torch.set_num_threads(1)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "hidden", "led", "alone"))
    for agent in agents or bundled("Pong"):
        for ratio in RATIOS:
            shares = (f"{agreement(agent, ratio, led):.3f}" for led in (True, False))
            table.writerow((agent, ratio, *shares))


if __name__ == "__main__":
    main(sys.argv[1:])
