"""The analyses of Tang & Ha 2021 (arXiv 2109.02869) for one agent: figures, and the data they are made of.

* :func:`code` - the layer's output over time, in order and shuffled
* :func:`regression` - what of the true state can be read off it
* :func:`tsne` - which moments are alike to it
* :func:`attention` - where the agent looks

Those of teams are in :mod:`symbench.viz.teams`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.tasks import get_task
from symbench.viz import colours
from symbench.viz.figures import figure, save, save_csv
from symbench.viz.panels import highlight, rgb
from symbench.viz.record import record, shuffling
from symbench.viz.regression import explained
from symbench.viz.teams import distributed, orientations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from symbench.runner import AgentSource

    Analysis = Callable[[AgentSource, str, Path, int, int], str]

SEED: Final = 1_000_000
STEPS: Final = 500
_SHOWN = 64  # rows of a heat map
_CLUSTERS, _EXAMPLES = 6, 3


def analyse(
    source: AgentSource, task: str, out: Path, which: Sequence[str] = (), episodes: int = 10, steps: int = STEPS
) -> dict[str, str]:
    """Make some analyses, or all that make sense.

    Args:
        source: The agent.
        task: Name of a task.
        out: Directory for the files; made if it is missing.
        which: Names in :data:`ANALYSES`; none makes those of teams or, where observations are no rows of entities,
            the others.
        episodes: Episodes of the regression, and of the analyses of teams.
        steps: Steps of each episode at most.

    Returns:
        For each analysis one line about what came out.

    Raises:
        SymbenchError: A name is unknown, the agent has no code or cannot play, a package is missing, or a file cannot
            be written.
    """
    for name in which:
        if name not in ANALYSES:
            raise unknown("analysis", name, ANALYSES)
    if episodes < 3 or steps < 10:
        raise SymbenchError(f"analyses need 3 episodes and 10 steps at least, received {episodes} and {steps}")
    names = list(which or (OF_TEAMS if get_task(task).observes == "entities" else PICTURED))
    if not OF_TEAMS.keys() >= set(names):
        for module in ("matplotlib", "sklearn", "threadpoolctl", "PIL"):  # now rather than after an hour of playing
            require(module, "pictures")
    return {name: ANALYSES[name](source, task, out, episodes, steps) for name in names}


def code(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``code.png``, ``code.npz``: the code over time in order and shuffled, in float64, and their difference."""
    plain = record(source, task, SEED, steps, double=True).codes
    shuffled = record(source, task, SEED, steps, shuffling(task, _patch_size(source)), double=True).codes
    common = min(len(plain), len(shuffled))
    largest = float(np.abs(plain[:common] - shuffled[:common]).max())
    rows = np.sort(np.argsort(-plain.var(axis=0), kind="stable")[:_SHOWN])
    drawn, axes = figure(10, 7, nrows=2, sharex=True)
    limit = float(np.abs(plain[:, rows]).max()) or 1.0
    for axis, codes, title in zip(axes, (plain, shuffled), ("in order", "shuffled"), strict=True):
        image = axis.imshow(
            codes[:, rows].T, aspect="auto", cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest"
        )
        axis.set(title=f"{source.name} in {task}, {title}", ylabel="component of the code")
    axes[0].set_title(
        f"{source.name} in {task}, in order (the {len(rows)} of {plain.shape[1]} components that vary most)"
    )
    axes[1].set(title=f"the same episode, shuffled: largest difference {largest:.1e}", xlabel="time (steps)")
    drawn.colorbar(image, ax=axes, label="value")
    save(drawn, out / "code.png")
    np.savez_compressed(out / "code.npz", in_order=plain.astype(np.float32), shuffled=shuffled.astype(np.float32))
    return f"largest difference between the codes in order and shuffled: {largest:.1e} over {common} steps"


def regression(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``regression.png``, ``regression.csv``: R^2 of ridge regression from the code, and the LSTM, to the state."""
    apply = shuffling(task, _patch_size(source))
    played = [record(source, task, SEED + i, steps, apply) for i in range(episodes)]
    states = [each.states for each in played]
    if not states[0].shape[1]:
        raise SymbenchError(f"nothing is known about the true state of {task}: leave regression out with --which")
    found = {"code": explained([each.codes for each in played], states)}
    hidden = [each.hidden for each in played if each.hidden is not None]
    if len(hidden) == len(played):
        found["LSTM"] = explained(hidden, states)
    names = played[0].names
    _draw_bars(found, names, f"{source.name} in {task}, shuffled: what can be read off it", out / "regression.png")
    save_csv(
        out / "regression.csv",
        ("sensor", *(f"r2_{name}" for name in found)),
        ([name, *(f"{r2[i]:.6g}" for r2 in found.values())] for i, name in enumerate(names)),
    )
    return "R^2 " + "; ".join(
        f"{name}: " + ", ".join(f"{part} {value:.2f}" for part, value in zip(names, r2, strict=True))
        for name, r2 in found.items()
    )


def _draw_bars(found: dict[str, Any], names: Sequence[str], title: str, path: Path) -> None:
    drawn, axis = figure(9, 4.5)
    width = 0.8 / len(found)
    for i, (name, values) in enumerate(found.items()):
        places = np.arange(len(names)) + (i - (len(found) - 1) / 2) * width
        # Worse than the mean is 0 to the eye; the number says how bad.
        bars = axis.bar(
            places, np.nan_to_num(values).clip(0, 1), width, label=name, color=colours.hexadecimal(colours.of(i))
        )
        axis.bar_label(bars, ["-" if np.isnan(value) else f"{value:.2f}" for value in values], padding=2)
    axis.set(title=title, ylabel="R² on held-out episodes", ylim=(0, 1.12), xticks=range(len(names)))
    axis.set_xticklabels(names)
    if len(found) > 1:
        axis.legend(loc="upper right", ncols=2)
    save(drawn, path)


def tsne(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``tsne.png``, ``tsne.csv``: the code of each step of an episode in two dimensions, in clusters, with examples."""
    manifold, cluster = require("sklearn.manifold", "pictures"), require("sklearn.cluster", "pictures")
    decomposition = require("sklearn.decomposition", "pictures")
    played = record(source, task, SEED, steps, shuffling(task, _patch_size(source)), pictures=True)
    count = len(played.codes)
    if count < 10:
        raise SymbenchError(f"the episode is over after {count} steps, t-SNE needs 10: leave it out with --which")
    spread = np.unique(played.codes.round(6), axis=0).shape[0]
    # One thread: on busy cores several are many times slower, and the sums could differ.
    with require("threadpoolctl", "pictures").threadpool_limits(1):
        codes = decomposition.PCA(min(30, count - 1, played.codes.shape[1]), random_state=0).fit_transform(played.codes)
        groups = cluster.KMeans(min(_CLUSTERS, spread), n_init=5, random_state=0).fit(codes)
        perplexity = min(30.0, (count - 1) / 3)
        points = manifold.TSNE(perplexity=perplexity, init="random", random_state=0).fit_transform(codes)
    _draw_clusters(played.pictures, points, codes, groups, f"{source.name} in {task}", out / "tsne.png")
    lines = (
        [step, f"{x:.6g}", f"{y:.6g}", group]
        for step, ((x, y), group) in enumerate(zip(points, groups.labels_, strict=True))
    )
    save_csv(out / "tsne.csv", ("step", "x", "y", "cluster"), lines)
    return f"{count} steps in {len(groups.cluster_centers_)} clusters"


def _draw_clusters(pictures: Any, points: Any, codes: Any, groups: Any, title: str, path: Path) -> None:
    count = len(groups.cluster_centers_)
    grid = [["map", *(f"{group}.{i}" for i in range(_EXAMPLES))] for group in range(count)]
    drawn, _ = figure(12, 1.5 * max(count, 3))
    drawn.clear()
    axes = drawn.subplot_mosaic(grid, width_ratios=[5, *[1.2] * _EXAMPLES])
    shades = [colours.hexadecimal(colours.of(group)) for group in range(count)]
    axes["map"].scatter(*points.T, c=[shades[group] for group in groups.labels_], s=14)
    axes["map"].set(title=f"{title}: t-SNE of the code, a point a step", xlabel="t-SNE 1", ylabel="t-SNE 2")
    for group, centre in enumerate(groups.cluster_centers_):
        members = np.flatnonzero(groups.labels_ == group)
        nearest = members[np.square(codes[members] - centre).sum(axis=1).argsort(kind="stable")]
        for i in range(_EXAMPLES):
            axis = axes[f"{group}.{i}"]
            axis.set(xticks=[], yticks=[])
            if i < len(nearest):
                axis.imshow(rgb(pictures[nearest[i]]))
                axis.set_title(f"step {nearest[i]}", fontsize=9)
            for spine in axis.spines.values():
                spine.set(visible=True, color=shades[group], linewidth=3)
    save(drawn, path)


def attention(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``attention.png``, ``attention.csv``: which patches the agent looks at how often, where they come from."""
    played = record(source, task, SEED, steps, shuffling(task, _patch_size(source)), pictures=True, looks=True)
    if played.looked is None or played.patch_size is None:
        return "left out: the agent does not attend to patches of frames"
    share, side = played.looked.mean(axis=0), played.patch_size
    pixels = played.looked.reshape(len(played.looked), -1).sum(axis=1)
    drawn, axes = figure(13, 4.6, ncols=3)
    moment = len(played.looked) // 2
    shown = rgb(played.pictures[moment])
    axes[0].imshow(highlight(shown.repeat(4, 0).repeat(4, 1), played.looked[moment], 4))
    axes[0].set_title(f"step {moment}: where it looks")
    axes[1].imshow(shown, alpha=0.35)
    image = axes[1].imshow(share, cmap="viridis", alpha=0.75, vmin=0)
    axes[1].set_title("share of the steps")
    drawn.colorbar(image, ax=axes[1], shrink=0.8)
    axes[2].plot(pixels / side**2, color=colours.hexadecimal(colours.of(0)), linewidth=1)
    axes[2].set(title="patches looked at", xlabel="time (steps)", ylabel="number of different patches", ylim=(0, None))
    for axis in axes[:2]:
        axis.set(xticks=[], yticks=[])
    drawn.suptitle(f"{source.name} in {task}, patches shuffled, shown in order")
    save(drawn, out / "attention.png")
    height, width = share.shape
    save_csv(
        out / "attention.csv",
        ("row", "column", "share_of_steps"),
        (
            [r, c, f"{share[r : r + side, c : c + side].mean():.6g}"]
            for r in range(0, height, side)
            for c in range(0, width, side)
        ),
    )
    mean = pixels.mean() / side**2
    return f"{mean:.1f} different patches a step on average, the most frequent in {share.max():.0%} of the steps"


def _patch_size(source: AgentSource) -> int | None:
    """The side of the patches that the agent reads, so that the frame is shuffled in those."""
    from symbench.zoo import load_card

    if source.kind != "zoo" or source.path is None:
        return None
    card = load_card(source.path)
    # An agent whose patches overlap cannot be shuffled in them.
    return card["config"].get("patch_size") if "stride" not in card["config"] else None


PICTURED: Final[dict[str, Analysis]] = {"code": code, "regression": regression, "tsne": tsne, "attention": attention}
OF_TEAMS: Final[dict[str, Analysis]] = {"orientations": orientations, "distributed": distributed}
ANALYSES: Final = {**PICTURED, **OF_TEAMS}
