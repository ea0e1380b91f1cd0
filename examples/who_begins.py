"""Where an AttentionNeuron of CartPoleSwingUp loses what it does not share with its teacher. Prints CSV.

The MLP that taught a training run, told the order of the sensors, acts in its place for the first steps of each
episode; the student watches, remembers what was done, and goes on. Sensors are in order, which the student does not
know, nor would notice if they were not.

python examples/who_begins.py > docs/data/who-begins.csv
"""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.policies import Agent
from symbench.runner import make_plan
from symbench.runner.evaluate import batches, play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import load_suite
from symbench.zoo import bundled, load_network

if TYPE_CHECKING:
    from gymnasium import spaces
    from numpy.typing import NDArray

    from symbench.policies import PolicyNetwork

TASK = "CartPoleSwingUp"
STEPS = (0, 1, 4, 16, 50, 1000)


class Relay(Agent):
    """The teacher for the first steps of every episode, then the student; all episodes begin together."""

    def __init__(self, teacher: PolicyNetwork, student: PolicyNetwork, steps: int) -> None:
        """Let ``teacher``, which has no memory, act for ``steps`` steps."""
        self.name, self.action_space = f"{steps} steps of the teacher", student.action.space
        self.teacher, self.student, self.steps = teacher, student, steps

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
        if self.done < self.steps:
            actions, _ = self.teacher(self.teacher.read(observations), ())
        self.done += 1
        self.state = self.student.update_memory(state, self.student.action.encode(actions))
        return actions.numpy()  # type: ignore[no-any-return]


def main(episodes: int | None = None) -> None:
    """Print a line for each training run and each ``severity``, the number of steps that the teacher acts."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "severity", "training_run", "episodes", "mean", "std"))
    plan = make_plan(load_suite("shuffle"), tasks=[TASK], agents=["attention-neuron"], episodes=episodes)
    cells = [cell for cell in plan.cells if cell.agent == "attention-neuron" and cell.level == "in-order"]
    for steps in STEPS:
        for cell in cells:
            teacher, student = (load_network(bundled(TASK)[name][cell.run]) for name in ("mlp", "attention-neuron"))
            agent = Relay(teacher, student, steps)
            with single_thread():
                parts = [play(make_envs(TASK, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
            returns = np.concatenate([part.returns for part in parts])
            row = (len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}")
            table.writerow((cell.agent, steps, cell.run, *row))
            sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
