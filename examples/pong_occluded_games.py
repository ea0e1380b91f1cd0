"""Games of Pong's students of hidden patches, with as many patches hidden as one likes. Prints CSV.

Games and masks are those of the suite occlusion@1, whose conditions are many and whose games are 100 a condition; the
folders hold agents as ``symbench study`` and ``symbench train`` leave them, ARM/sSEED/agent.safetensors; bundled agents
are named. With random openings no game can be known by heart.

python examples/pong_occluded_games.py runs/study/pong-occlusion --hidden 0.5 --games 100 > games.csv
python examples/pong_occluded_games.py runs/study/pong-occlusion --openings --hidden 0 > openings.csv
python examples/pong_occluded_games.py --agent vision-attention-neuron-memoryless-50 --hidden 0.5 > bundled.csv
"""

from __future__ import annotations

import argparse
import csv
import sys
from contextlib import closing
from pathlib import Path

from symbench.runner.evaluate import play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import Apply, load_suite
from symbench.zoo import bundled, load_agent

TASKS = {"Pong": "Pong", "random openings": "symbench/PongSticky-v0?stickiness=0"}


def returns(student: Path, task: str, hidden: float, seeds: list[int]) -> list[float]:
    """Returns of the games with these seeds, some share of the patches being hidden."""
    apply = [Apply(wrapper="OccludePatches", ratio=hidden, patch_size=6, patch_mask=True)] if hidden else []
    with single_thread(), closing(make_envs(task, apply, len(seeds))) as envs:
        return [float(each) for each in play(envs, load_agent(student), seeds).returns]


def students(folders: list[Path], names: list[str]) -> list[tuple[str, int, Path]]:
    """Name, training run and file of the agents in the folders, and of the bundled ones of these names."""
    there = bundled("Pong")
    files = sorted(path for folder in folders for path in folder.glob("*/s*/agent.safetensors"))
    trained = [(path.parts[-3], int(path.parts[-2].removeprefix("s")), path) for path in files]
    return trained + [(name, run, path) for name in names for run, path in enumerate(there[name])]


def main() -> None:
    """Print a line for every game of every agent in the folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--agent", action="append", default=[], choices=bundled("Pong"), help="may be repeated")
    parser.add_argument("--hidden", type=float, nargs="+", default=[0.0, 0.3, 0.5, 0.7], help="shares of the patches")
    parser.add_argument("--openings", action="store_true", help="random openings")
    parser.add_argument("--games", type=int, default=20)
    options = parser.parse_args()
    if not (options.folders or options.agent):
        parser.error("say which agents play: folders, or --agent")
    table, first = csv.writer(sys.stdout, lineterminator="\n"), load_suite("occlusion@1").seed
    table.writerow(("agent", "run", "game", "hidden", "seed", "return"))
    seeds = list(range(first, first + options.games))
    game = "random openings" if options.openings else "Pong"
    for name, run, path in students(options.folders, options.agent):
        for hidden in options.hidden:
            played = returns(path, TASKS[game], hidden, seeds)
            table.writerows((name, run, game, hidden, *each) for each in zip(seeds, played, strict=True))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
