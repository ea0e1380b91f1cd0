"""When `unshuffler` takes a sensor of CartPoleSwingUp for another, and what that costs it. Prints CSV.

Sensors are in order, which it does not know. It plays as it is, is told the order once, after its first step, or
again and again (column `severity`). `wrong_50` to `wrong_1000` are shares of episodes and steps in which some sensor
is taken for another: steps 2 to 50 of an episode, 51 to 300 and 301 to 1000. `cosine_for_sine` is the share of all
these in which the pole's cosine and sine are taken for each other, and nothing else is wrong.

python examples/told_the_order.py > docs/data/told-the-order.csv
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

    from numpy.typing import NDArray

TASK, AGENT = "CartPoleSwingUp", "unshuffler"
COSINE_FOR_SINE = torch.tensor([0, 1, 3, 2, 4])
CERTAIN = 50.0  # evidence for the order, and against all others
WINDOWS = {"wrong_50": (2, 50), "wrong_300": (51, 300), "wrong_1000": (301, 1000)}
TOLD: dict[str, Callable[[int], bool]] = {
    "never": lambda step: False,
    "after step 1": lambda step: step == 1,
    "every 25 steps": lambda step: step % 25 == 0,
}


class Told(NetworkAgent):
    """An unshuffler that is told after some steps that sensors are in order; all episodes begin together."""

    def __init__(self, network: Any, name: str) -> None:
        """Take a network, and a way of :data:`TOLD`."""
        self.wrong: list[tuple[int, int, int]] = []  # step, episodes with a wrong order, episodes
        self.cosine_for_sine = 0
        super().__init__(network, name)

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin everywhere."""
        super().reset(num_envs, seed=seed)
        self.step = 0

    def act(self, observations: Any) -> NDArray[Any]:
        """Act; look whether sensors are taken for others, and perhaps be told."""
        actions = super().act(observations)
        self.step += 1
        places = torch.cat([state[3] for state in self._states])
        wrong = (places != torch.arange(places.shape[1])).any(dim=1)
        self.wrong.append((self.step, int(wrong.sum()), len(wrong)))
        self.cosine_for_sine += int((places == COSINE_FOR_SINE).all(dim=1).sum()) if self.step > 1 else 0
        if TOLD[self.name](self.step):
            self._states = [told(state) for state in self._states]
        return actions

    def share_wrong(self, first: int, last: int) -> float:
        """Of the episodes that are played at these steps."""
        counts = [(wrong, of) for step, wrong, of in self.wrong if first <= step <= last]
        return float(np.sum(counts, axis=0)[0] / np.sum(counts, axis=0)[1])


def told(state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """The same memory, certain that sensors are in order."""
    steps, channels, evidence, places, done = state
    sensors = places.shape[1]
    certain = CERTAIN * (torch.eye(sensors) - 1.0)
    return steps, channels, certain.expand_as(evidence).clone(), torch.arange(sensors).expand_as(places).clone(), done


def main(episodes: int | None) -> None:
    """Print a line for each way of telling and each training run."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "severity", "training_run", "episodes", "mean", "std", *WINDOWS, "cosine_for_sine"))
    cells = make_plan(load_suite("shuffle"), tasks=[TASK], agents=[AGENT], episodes=episodes).cells
    for way in TOLD:
        for cell in cells:
            if cell.agent != AGENT or cell.level != "in-order":
                continue
            agent = Told(load_network(bundled(TASK)[AGENT][cell.run]), way)
            with single_thread():
                parts = [play(make_envs(TASK, cell.apply, len(seeds)), agent, list(seeds)) for seeds in batches(cell)]
            returns = np.concatenate([part.returns for part in parts])
            wrong = [f"{agent.share_wrong(*window):.5f}" for window in WINDOWS.values()]
            wrong.append(f"{agent.cosine_for_sine / sum(wrong for step, wrong, _ in agent.wrong if step > 1):.3f}")
            row = (cell.run, len(returns), f"{returns.mean():.2f}", f"{returns.std(ddof=1):.2f}", *wrong)
            table.writerow((AGENT, way, *row))
            sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int)
    main(**vars(parser.parse_args()))
