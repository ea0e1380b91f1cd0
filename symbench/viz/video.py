"""An episode of cells as a video: the scene, what is really there, what the agent sees, and where it looks."""

from __future__ import annotations

from contextlib import ExitStack, closing
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.runner.agents import load
from symbench.runner.evaluate import single_thread
from symbench.tasks import get_task
from symbench.viz import colours
from symbench.viz.activations import Activations
from symbench.viz.ground_truth import sensor_names
from symbench.viz.panels import attention, bars, compose, enlarge, frame, highlight, rgb, scale, stack
from symbench.viz.replay import Moment, Replay, image_of, play
from symbench.viz.video_files import writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.policies.agent import Agent
    from symbench.runner import Cell
    from symbench.viz.activations import Attended

    Picture = NDArray[np.uint8]

_MARKED = 0.25  # seconds that a reshuffle stays marked
_SENSOR_PANEL = 96  # height of a panel of bars, in units of the zoom


def default_name(cells: Sequence[Cell], episode: int, suffix: str = ".mp4") -> str:
    """The file that a video goes to if none is named, e.g. ``shuffle@1_Pong_none_in-order_mine_s0_e0.mp4``.

    Of further cells it has the agents' names only.
    """
    others = "".join(f"_and_{cell.key.agent}" for cell in cells[1:])
    return cells[0].id.replace("/", "_") + f"{others}_e{episode}{suffix}"


def make_video(
    cells: Sequence[Cell],
    out: Path,
    *,
    episode: int = 0,
    steps: int | None = None,
    fps: int | None = None,
    zoom: int = 4,
    limit: int | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> list[float]:
    """Play one episode of each cell and write them as one video, one below the other.

    Args:
        cells: What to play, of one task; their agents must be loadable. Whose episode is over waits for the others.
        out: A ``.mp4`` or ``.gif`` file.
        episode: Which episode, from 0; it starts from the seed that it has in a run.
        steps: Stop after so many steps; ``None`` plays to the end.
        fps: Frames per second; ``None`` takes the task's.
        zoom: Pixels of the video for a pixel of a frame.
        limit: Bytes that a GIF may have; it gets fewer and smaller frames until it fits.
        progress: Called with the number of each step.

    Returns:
        The return of each cell, as far as it was played.

    Raises:
        SymbenchError: The cells are of several tasks, the episode does not exist, the file's suffix is unknown, it
            cannot be written or made small enough, a package is missing, or a number is out of range.
    """
    _check(cells, episode, {"steps": steps, "fps": fps, "zoom": zoom})
    require("PIL", "pictures")
    totals = [0.0] * len(cells)
    with single_thread(), ExitStack() as open_replays:
        replays = [open_replays.enter_context(closing(Replay(cell.task, cell.apply, render=True))) for cell in cells]
        episodes = [
            pictures(cell, replay, agent_of(cell, replay, episode), cell.seed + episode, steps, zoom)
            for cell, replay in zip(cells, replays, strict=True)
        ]
        with writer(out, fps or replays[0].fps, limit) as write:
            for shown in _together(episodes):
                write(stack([picture for _, picture in shown]))
                progress(max(moment.step for moment, _ in shown))
                totals = [moment.total for moment, _ in shown]
    return totals


def _together(episodes: Sequence[Iterator[tuple[Moment, Picture]]]) -> Iterator[list[tuple[Moment, Picture]]]:
    """What all show at each step, until the last of them is over; what is over stays as it was."""
    latest: list[Any] = [None] * len(episodes)
    for shown in zip_longest(*episodes):
        latest = [now or before for now, before in zip(shown, latest, strict=True)]
        yield latest


def agent_of(cell: Cell, replay: Replay, episode: int) -> Agent:
    """The cell's agent, ready for one episode; it has the place in the batch that it has in a run."""
    agent = load(cell.source, replay.env.observation_space, replay.env.action_space)
    batch = get_task(cell.task).batch
    start, place = divmod(episode, batch)
    agent.reset(place + 1, seed=cell.seed + start * batch)
    agent.keep(np.arange(place + 1) == place)
    return agent


def pictures(
    cell: Cell, replay: Replay, agent: Agent, seed: int, steps: int | None, zoom: int
) -> Iterator[tuple[Moment, Picture]]:
    """The moments of an episode and the picture of each, (H, W, 3), uint8, H and W even."""
    activations = Activations(agent)
    draw = _frame_panels if replay.is_frames else _sensor_panels
    shuffled = _Reshuffles(replay)
    for moment in play(replay, agent, seed, steps):
        panels = draw(replay, activations, moment, zoom)
        marked = shuffled.lately(moment.step)
        news = ("    shuffled" if marked else "") + ("    the episode is over" if moment.action is None else "")
        caption = (cell.id, f"step {moment.step}    return {moment.total:.6g}{news}")
        picture = compose(list(panels.values()), list(panels), caption)
        yield moment, frame(picture) if marked else picture


class _Reshuffles:
    """Notices when what is seen comes from other places than a step before, within an episode."""

    def __init__(self, replay: Replay) -> None:
        self._replay, self._steps = replay, max(1, round(_MARKED * replay.fps))
        self._index: NDArray[np.int64] | None = None
        self._latest: int | None = None

    def lately(self, step: int) -> bool:
        """Whether it was at this step or so shortly before that an eye would miss it; asked at each step."""
        origins = self._replay.origins
        if origins is None:
            return False
        before, self._index = self._index, origins.index.copy()
        if before is not None and not np.array_equal(before, self._index):
            self._latest = step
        return self._latest is not None and step < self._latest + self._steps


def _frame_panels(replay: Replay, activations: Activations, moment: Moment, zoom: int) -> dict[str, Picture]:
    original, seen = replay.original, image_of(moment.seen)
    attended = activations.attended(seen.shape[1]) if moment.action is not None else None
    before, after = overlay(replay, original, seen, attended, zoom)
    return {
        "game": scale(rgb(replay.picture()), len(after)),
        "observation" + (", where the agent looks" if attended else ""): before,
        "what the agent sees" + (", where it looks" if attended else ""): after,
    }


def overlay(
    replay: Replay, original: Picture, seen: Picture, attended: Attended | None, zoom: int
) -> tuple[Picture, Picture]:
    """The unperturbed and the seen frame, enlarged; with the attended patches at the places they came from and are at.

    Patches in orange; in blue those behind the codes that the head acts on.
    """
    before, after = enlarge(rgb(original), zoom), enlarge(rgb(seen), zoom)
    if attended is None or replay.origins is None:
        return before, after
    for important, colour in ((False, colours.ORANGE), (True, colours.SKY)):
        mask = attended.mask(seen.shape[0], seen.shape[1], important)
        after = highlight(after, mask, zoom, colour)
        before = highlight(before, moved_back(mask, replay.origins.index), zoom, colour)
    return before, after


def moved_back(mask: NDArray[np.bool_], index: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The pixels that some seen ones came from.

    Args:
        mask: Seen pixels, (H, W).
        index: Of each seen pixel, the number of the original one, (H, W).
    """
    original = np.zeros(mask.size, dtype=bool)
    original[index[mask]] = True
    return original.reshape(mask.shape)


def _sensor_panels(replay: Replay, activations: Activations, moment: Moment, zoom: int) -> dict[str, Picture]:
    height = zoom * _SENSOR_PANEL
    original, seen = (np.ravel(np.asarray(values)) for values in (replay.original, moment.seen))
    names = sensor_names(replay)
    index = replay.origins.index if replay.origins is not None else np.arange(len(seen))
    places = [str(i + 1) for i in range(len(seen))]
    panels = {
        "scene": scale(rgb(replay.picture()), height),
        "sensors": bars(original, names, np.arange(len(original)), height),
        "what the agent sees": bars(seen, places, index, height),
    }
    weights = activations.weights()
    if weights is not None and weights.shape[1] == len(seen):  # not if the agent makes other inputs of the sensors
        known = [names[i] if i >= 0 else "noise" for i in index]
        now = weights if moment.action is not None else np.zeros_like(weights)
        panels[f"attention of its {len(weights)} codes"] = attention(now, known, index, height)
    return panels


def _check(cells: Sequence[Cell], episode: int, counts: dict[str, Any]) -> None:
    tasks = sorted({cell.task for cell in cells})
    if len(tasks) > 1:
        raise SymbenchError(f"a video shows cells of one task, received {' and '.join(tasks)}")
    fewest = min(cell.episodes for cell in cells)
    if not 0 <= episode < fewest:
        raise SymbenchError(f"episode must be between 0 and {fewest - 1}, the episodes of the cell; received {episode}")
    for name, value in counts.items():
        if value is not None and value < 1:
            raise SymbenchError(f"{name} must be at least 1, received {value}")
