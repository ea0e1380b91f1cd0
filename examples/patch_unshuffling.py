"""How well shuffled pictures are put together, and what the agent scores: `python examples/patch_unshuffling.py`.

Writes a row per condition: mean and standard deviation of the return, and the share of patches that show what they
should after 1, 5, 20 and 100 frames and over all frames, of the episodes of the suite `shuffle`. Beside it the CNN
plays that it has inside, which sees the pictures as they come.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.policies.vision.patches import to_patches
from symbench.tasks import get_task
from symbench.training.training_envs import KeepState
from symbench.wrappers.vector import ShufflePatches
from symbench.zoo import bundled, load_agent

if TYPE_CHECKING:
    from symbench.policies import NetworkAgent

CONDITIONS: dict[str, Any] = {"per-episode": "episode", "every-100": 100, "every-25": 25, "every-500": 500}
FRAMES = (1, 5, 20, 100)
SEED, PATCH = 1_000_000, 6


def agent_of(task: str, name: str) -> NetworkAgent:
    """A bundled agent's first run, or the agent of a file."""
    return load_agent(bundled(task)[name][0] if name in bundled(task) else name)


def right(agent: NetworkAgent, truth: np.ndarray) -> np.ndarray:
    """The share of patches of each lane's newest picture that show what they should, (B,)."""
    _, frames, _, _, places = (torch.cat(parts) for parts in zip(*agent._states, strict=True))
    shown = frames[:, -1][torch.arange(len(places))[:, None], places].flatten(2)
    return (shown == to_patches(torch.from_numpy(truth), PATCH)).all(dim=2).float().mean(dim=1).numpy()


def play(task: str, name: str, level: str, episodes: int) -> dict[str, Any]:
    """The row of one agent under one condition."""
    agent, kept = agent_of(task, name), KeepState(get_task(task).make_vec(episodes))
    envs = kept if level == "in-order" else ShufflePatches(kept, patch_size=PATCH, resample=CONDITIONS[level])
    agent.reset(episodes)
    observations, _ = envs.reset(seed=[SEED + i for i in range(episodes)])
    returns, done, shares, began, steps = np.zeros(episodes), np.zeros(episodes, bool), [], time.process_time(), 0
    while not done.all():
        actions = agent.act(observations)
        if agent.network.kind == "patch-unshuffler":
            shares.append(np.where(done, np.nan, right(agent, kept.state)))
        observations, rewards, terminated, truncated, _ = envs.step(actions)
        returns, steps = returns + np.where(done, 0.0, rewards), steps + episodes
        done |= terminated | truncated
    envs.close()
    row = {"task": task, "agent": Path(name).name, "level": level, "episodes": episodes}
    row |= {"mean": round(float(returns.mean()), 1), "std": round(float(returns.std(ddof=1)), 1)}
    known = {f"right_{k}": round(float(np.nanmean(shares[k - 1])), 3) for k in FRAMES if len(shares) >= k}
    whole = {"right": round(float(np.nanmean(shares)), 3)} if shares else {}
    return row | known | whole | {"milliseconds": round(1000 * (time.process_time() - began) / steps, 1)}


def main() -> None:
    """Play every condition and write the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="CarRacing")
    parser.add_argument("--agent", default="patch-unshuffler")
    parser.add_argument("--cnn", default="cnn")
    parser.add_argument("--episodes", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("docs/data/patch-unshuffler.csv"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    cells = [(name, level) for level in ("in-order", "per-episode") for name in (given.agent, given.cnn)]
    rows: list[dict[str, Any]] = []
    for name, level in [*cells, *((given.agent, level) for level in list(CONDITIONS)[1:])]:
        rows.append(play(given.task, name, level, given.episodes))
        print(rows[-1], flush=True)
        with given.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
