"""Where AttentionNeurons of CartPoleSwingUp lose what they do not share with their teacher. Prints CSV.

The MLP that taught a training run, told the order of the sensors, acts in its place for the first steps of each
episode; the student watches, remembers what was done, and goes on. Sensors are in order, which the student does not
know, nor would notice if they were not. ``off`` is how far its first action is from what the MLP would do there.

python examples/who_begins.py > docs/data/who-begins.csv
"""

from __future__ import annotations

import csv
import sys
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbench.policies import Agent
from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_network

if TYPE_CHECKING:
    from gymnasium import spaces

    from symbench.policies import PolicyNetwork

TASK = "CartPoleSwingUp"
STEPS = (0, 1, 4, 16, 50, 1000)
AGENTS = ("attention-neuron", "attention-neuron-any-sensors", "attention-neuron-two-layers-differences")


class Relay(Agent):
    """The teacher for the first steps of every episode, then the student; all episodes begin together."""

    def __init__(self, teacher: PolicyNetwork, student: PolicyNetwork, steps: int) -> None:
        """Let ``teacher``, which has no memory, act for ``steps`` steps."""
        self.name, self.action_space = f"{steps} steps of the teacher", student.action.space
        self.teacher, self.student, self.steps = teacher, student, steps
        self.off = list[NDArray[np.float32]]()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin everywhere."""
        self.done, self.state = 0, self.student.initial_state(num_envs, 5)

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Episodes end for good."""
        raise NotImplementedError

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with these environments."""
        self.state = tuple(part[torch.as_tensor(mask)] for part in self.state)

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Both were trained in this task."""
        return None

    @torch.inference_mode()
    def act(self, observations: Any) -> NDArray[Any]:
        """Let both look, one act, and the student remember what was done."""
        logits, state = self.student.logits(self.student.read(observations), self.state)
        actions = self.student.action.decode(logits)
        if self.done <= self.steps:
            advice, _ = self.teacher(self.teacher.read(observations), ())
            if self.done == self.steps:
                self.off.append((actions - advice).abs().mean(dim=1).numpy())
            else:
                actions = advice
        self.done += 1
        self.state = self.student.update_memory(state, self.student.action.encode(actions))
        return actions.numpy()  # type: ignore[no-any-return]


def main(episodes: int | None = None) -> None:
    """Print a line for each training run and each ``severity``, the number of steps that the teacher acts."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "severity", "training_run", "episodes", "mean", "std", "off"))
    plan = make_plan(load_suite("shuffle"), tasks=[TASK], agents=AGENTS, episodes=episodes)
    cells = [cell for cell in plan.cells if cell.agent in AGENTS and cell.level == "in-order"]
    for steps, cell in product(STEPS, cells):
        teacher, student = (load_network(bundled(TASK)[name][cell.run]) for name in ("mlp", cell.agent))
        agent = Relay(teacher, student, steps)
        with single_thread():
            parts = [play(make_envs(TASK, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
        returns = np.concatenate([part.returns for part in parts])
        off = f"{np.concatenate(agent.off).mean():.4f}" if agent.off else ""
        row = (len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}", off)
        table.writerow((cell.agent, steps, cell.run, *row))
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
