"""How many different games the episodes of Pong are: one game for each of the 30 numbers of no-ops. Prints CSV.

Pong draws nothing else. Games of an agent that have the same return and end in the same frame of the console are the
same game, which the agent joined a moment later.

python examples/pong_games.py > docs/data/pong-games.csv
"""

from __future__ import annotations

import csv
import sys
from contextlib import closing

from symbench.envs.pong import MAX_NOOPS, last_frame
from symbench.runner.evaluate import play, single_thread
from symbench.tasks import get_task
from symbench.zoo import bundled, load_agent


def seeds() -> dict[int, int]:
    """The first seed with each number of no-ops: number -> seed."""
    found: dict[int, int] = {}
    for seed in range(10 * MAX_NOOPS):
        found.setdefault(last_frame(seed, 0), seed)
    return dict(sorted(found.items()))


def main(agents: list[str]) -> None:
    """Print a line for every game of the agents named, or of all."""
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("agent", "no_ops", "return", "length", "last_frame"))
    for name in agents or bundled("Pong"):
        agent = load_agent(bundled("Pong")[name][0])
        with single_thread(), closing(get_task("Pong").make_vec(MAX_NOOPS)) as envs:
            episodes = play(envs, agent, list(seeds().values()))
        for waited, total, length in zip(seeds(), episodes.returns, episodes.lengths.tolist(), strict=True):
            table.writerow((name, waited, f"{total:g}", length, waited + 4 * length))
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
