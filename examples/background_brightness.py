"""What decides whether a driver copes with another background: is it brighter than the road, as the grass is?

Draws the backgrounds of a run's episodes again and sorts the episodes by their mean brightness. The road is 102 to 107
of 255, the grass 160 to 175. Prints CSV.

python examples/background_brightness.py docs/data/car-racing-background-episodes.csv
python examples/background_brightness.py --pictures FOLDER       # how bright pictures are, which need not be drawn
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pandas as pd

from symbench.tasks import get_task
from symbench.wrappers import vector

STILL = ("gradient", "clouds", "stripes", "checker", "noise")
CLASSES = {"darker than the road (< 90)": (0, 90), "like it": (90, 125), "brighter (> 125)": (125, 256)}


class Grass(gym.Env[np.ndarray, Any]):
    """Frames of nothing but grass, in which a background shows as it is."""

    observation_space = gym.spaces.Box(0, 255, (96, 96, 1), np.uint8)
    action_space = gym.spaces.Box(-1.0, 1.0, (3,))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """A frame of grass."""
        super().reset(seed=seed)
        return np.full((96, 96, 1), get_task("CarRacing").background["colors"][0][0], np.uint8), {}


def brightness(kind: str, seeds: list[int]) -> np.ndarray:
    """Mean grey level of the background of each episode."""
    envs = gym.vector.SyncVectorEnv([Grass] * len(seeds))
    background = {"background": kind, **get_task("CarRacing").background}
    frames, _ = vector.SwapBackground(envs, **background).reset(seed=seeds)
    return np.asarray(frames.reshape(len(seeds), -1).mean(axis=1))


def print_pictures(folder: Path) -> None:
    """Print the mean grey level of each picture, stretched to the frame as behind the road."""
    print("picture,grey")
    for path in sorted(folder.iterdir()):
        print(f"{path.name},{brightness(str(path), [0])[0]:.1f}")


def print_agents(path: Path) -> None:
    """Print, for each agent, the mean return and number of episodes of each class of brightness."""
    episodes = pd.read_csv(path)
    episodes = episodes[episodes["severity"].isin(STILL)]
    seeds = sorted(episodes["seed"].unique().tolist())
    levels = pd.DataFrame({kind: brightness(kind, seeds) for kind in STILL}, index=seeds).stack()
    grey = levels.loc[list(zip(episodes["seed"], episodes["severity"], strict=True))].to_numpy()
    print("agent,background,episodes,mean_return")
    for agent, rows in episodes.assign(grey=grey).groupby("agent"):
        for name, (low, high) in CLASSES.items():
            returns = rows.loc[(rows["grey"] >= low) & (rows["grey"] < high), "return"]
            print(f"{agent},{name},{len(returns)},{returns.mean():.1f}")


def main() -> None:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("episodes", type=Path, nargs="?", help="file of a run of the suite background")
    parser.add_argument("--pictures", type=Path, help="folder of pictures")
    options = parser.parse_args()
    if options.pictures:
        print_pictures(options.pictures)
    elif options.episodes:
        print_agents(options.episodes)
    else:
        parser.error("say which episodes, or --pictures")


if __name__ == "__main__":
    main()
