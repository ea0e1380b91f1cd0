"""Agents of Pong in games that they cannot know by heart: random openings, without and with sticky actions. Prints CSV.

20 games each, of one training run of each agent, with the seeds of the suites.

python examples/pong_openings.py > docs/data/pong-openings.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing

from symbench.runner.evaluate import play, single_thread
from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.zoo import bundled, load_agent

TASKS = {"random openings": "symbench/PongSticky-v0?stickiness=0", "PongSticky": "PongSticky"}
GAMES = 20


def main(agents: list[str]) -> None:
    """Print a line for every game of the agents named, or of all."""
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("shuffle").seed
    table.writerow(("agent", "task", "seed", "return"))
    for name in agents or bundled("Pong"):
        for label, task in TASKS.items():
            agent = load_agent(bundled("Pong")[name][0])
            with single_thread(), closing(get_task(task).make_vec(GAMES)) as envs:
                episodes = play(envs, agent, list(range(first, first + GAMES)))
            table.writerows((name, label, *each) for each in zip(episodes.seeds, episodes.returns, strict=True))
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
