"""How CarRacing's agents drive before other backgrounds: pictures, flat greys, textures; on the screen and the ground.

The four pictures of Tang & Ha 2021 are not shipped. With them lying in a folder as kof.jpg, mt_fuji.jpg, ukiyoe.jpg and
kimetsu.jpg, and with the authors' weights, the two files in docs/data are made, or continued, by

python examples/car_racing_pictures.py --pictures FOLDER --published carracing_pi.weights.npz --episodes 50

Episodes are added to ...-episodes.csv round by round; those that it holds are not played again.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from scipy.special import stdtrit

from symbench.runner.evaluate import play, single_thread
from symbench.runner.pipeline import make_envs
from symbench.suites import Apply
from symbench.tasks import get_task
from symbench.zoo import bundled, load_agent, load_published

if TYPE_CHECKING:
    from symbench.policies import NetworkAgent

SEED = 1_000_000  # as the bundled suites
PICTURES = {"KOF": "kof.jpg", "Fuji": "mt_fuji.jpg", "Ukiyo-e": "ukiyoe.jpg", "DS": "kimetsu.jpg"}
GREYS = (40, 80, 105, 130, 160, 200)
TEXTURES = ("gradient", "clouds", "stripes", "checker", "noise")
ANCHORS = ("screen", "world")
CELL = ["agent", "run", "background", "anchor"]

Cell = tuple[str, str, list[Apply]]  # background, anchor, what is applied


def cells(folder: Path | None) -> list[Cell]:
    """The training background, pictures, greys, textures; anchor "-" where nothing can be glued to anything."""
    pictures = {} if folder is None else {name: str(folder / file) for name, file in PICTURES.items()}
    greys = [(f"grey {level}", "-", [swap("grey", level=level)]) for level in GREYS]
    lying = [
        (name, anchor, [swap(path, anchor=anchor)])
        for names in (pictures, dict(zip(TEXTURES, TEXTURES, strict=True)))
        for anchor in ANCHORS
        for name, path in names.items()
    ]
    return [("grass", "-", []), *lying[: 2 * len(pictures)], *greys, *lying[2 * len(pictures) :]]


def swap(background: str, **parameters: object) -> Apply:
    """The wrapper, with the colours of grass."""
    return Apply(wrapper="SwapBackground", background=background, **get_task("CarRacing").background, **parameters)


def drivers(names: list[str], published: Path | None) -> list[tuple[str, int, NetworkAgent]]:
    """Name, training run and agent, of all bundled agents or those named, and the published one."""
    there = bundled("CarRacing")
    found = [(name, run, load_agent(path)) for name in names or there for run, path in enumerate(there[name])]
    return [*([] if published is None else [("published", 0, load_published("carracing_pi", published))]), *found]


def play_round(file: Path, drivers: list[tuple[str, int, NetworkAgent]], cells: list[Cell], episodes: int) -> None:
    """Play, of every cell, what is missing of its first episodes, and add it to the file."""
    for background, anchor, apply in cells:
        for name, run, agent in drivers:
            cell = (name, run, background, anchor)
            done = set(_of_cell(pd.read_csv(file), cell)["seed"]) if file.exists() else set()
            seeds = [SEED + i for i in range(episodes) if SEED + i not in done]
            if seeds:
                with single_thread(), closing(make_envs("CarRacing", apply, len(seeds))) as envs:
                    played = play(envs, agent, seeds)
                rows = {"seed": seeds, "return": played.returns.round(1), "length": played.lengths}
                table = pd.DataFrame({**dict(zip(CELL, cell, strict=True)), **rows})
                table.to_csv(file, mode="a", header=not file.exists(), index=False)
                print(*cell, played.returns.round().astype(int).tolist(), flush=True)


def summary(episodes: pd.DataFrame) -> pd.DataFrame:
    """Mean return of each cell, and Student's 95% interval over training runs; over the episodes of a single one."""
    place = ["agent", "background", "anchor"]
    of_runs = episodes.groupby(["agent", "run", "background", "anchor"], sort=False)["return"].mean().reset_index()
    runs = of_runs.groupby(place, sort=False)["return"].agg(runs="size", mean="mean", sem="sem")
    of_episodes = episodes.groupby(place, sort=False)["return"].agg(episodes="size", sem="sem")
    single = runs["runs"] == 1
    count = runs["runs"].where(~single, of_episodes["episodes"])
    half = runs["sem"].where(~single, of_episodes["sem"]) * stdtrit(count - 1, 0.975)
    table = runs.assign(episodes=of_episodes["episodes"], low=runs["mean"] - half, high=runs["mean"] + half)
    return table[["runs", "episodes", "mean", "low", "high"]].round(1).reset_index()


def _of_cell(table: pd.DataFrame, cell: tuple[str, int, str, str]) -> pd.DataFrame:
    return table[(table[CELL] == pd.Series(cell, index=CELL)).all(axis=1)]


def main() -> None:
    """Play what is missing, in rounds of ever more episodes, and write the summary after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=Path, help="folder with the four pictures; without it they are left out")
    parser.add_argument("--published", type=Path, help="the authors' weights; without them the agent is left out")
    parser.add_argument("--agent", action="append", default=[], help="a bundled agent (may be repeated); default: all")
    parser.add_argument("--episodes", type=int, default=50)
    parser.add_argument("--textures", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--out", type=Path, default=Path("docs/data/car-racing-pictures.csv"))
    options = parser.parse_args()
    file = options.out.with_stem(f"{options.out.stem}-episodes")
    chosen = [cell for cell in cells(options.pictures) if options.textures or cell[0] not in TEXTURES]
    agents = drivers(options.agent, options.published)
    for episodes in [*[n for n in (4, 10, 25) if n < options.episodes], options.episodes]:
        play_round(file, agents, chosen, episodes)
        summary(pd.read_csv(file)).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
