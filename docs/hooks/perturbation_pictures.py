"""Draws what a perturbation does: observations of an episode before and after it, side by side.

Sensors and rows of entities are strips, a column for each step; of frames there are three moments.
"""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from symbench.errors import SymbenchError
from symbench.runner.agents import load, resolve
from symbench.runner.pipeline import explicit
from symbench.suites import Apply
from symbench.viz.colours import ORANGE, PALETTE
from symbench.viz.panels import enlarge, rgb
from symbench.viz.replay import Replay, batch_of_one, image_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Picture = NDArray[np.uint8]

SEED: Final = 1_000_000
_STEPS: Final = 90
_MOMENTS: Final = (60, 75, 89)
_TASKS: Final = ("CartPoleSwingUp", "CarRacing")
"""The first one that a perturbation can be applied to shows it, unless it is named below."""
_SHOWN_IN: Final = {
    "DropEntities": "ParticleSpread",
    "ShuffleEntities": "ParticleSpread",
    "TransformByGroup": "GridWorld",
}
_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "AddNoiseChannels": {"severity": 1},
    "DropEntities": {"severity": 3},
    "DropSensors": {"severity": 3},
    "DuplicateSensors": {"severity": 1},
    "OccludePatches": {"severity": 3},
    "SensorNoise": {"severity": 4},
    "SwapBackground": {"background": "clouds"},
    "TransformByGroup": {"element": 1},
}
"""What shows best; of others, the highest severity."""
_PLAYER: Final = "mlp"
_ROW, _COLUMN = 20, 4  # pixels of a strip
_FRAME: Final = 168  # pixels


@dataclass(frozen=True)
class Shown:
    """Two PNG files, the task and the parameters, for people."""

    before: bytes
    after: bytes
    task: str
    parameters: str


def before_and_after(name: str) -> Shown:
    """The pictures of one perturbation.

    Raises:
        SymbenchError: None of the tasks here can be perturbed by it.
    """
    given = _PARAMETERS.get(name, {"severity": 5})
    for task in [_SHOWN_IN[name]] if name in _SHOWN_IN else _TASKS:
        try:
            replay = Replay(task, [explicit(Apply(wrapper=name, **given), task)])
        except SymbenchError:
            continue
        with closing(replay):
            before, after = _observed(replay)
        words = ", ".join(f"{key} {value}" for key, value in given.items())
        draw = _moments if replay.is_frames else _strip
        return Shown(_png(draw(before)), _png(draw(after)), task, words)
    raise SymbenchError(f"no task of the gallery shows {name}: give it one in _SHOWN_IN")


def _observed(replay: Replay) -> tuple[list[Any], list[Any]]:
    """Observations before and after; the agent acts on those before, so that it goes on as if nothing were wrong."""
    seen = [replay.reset(SEED)]
    original = [replay.original]
    act = _player(replay)
    while len(seen) < _STEPS:
        observation, _, over = replay.step(act(original[-1]))
        if over:
            observation = replay.reset(SEED + len(seen))
        seen.append(observation)
        original.append(replay.original)
    return original, seen


def _player(replay: Replay) -> Any:
    if replay.is_frames or isinstance(replay.original, dict):
        replay.env.action_space.seed(SEED)
        forward = np.array([0.0, 0.2, 0.0], np.float32) if replay.task == "CarRacing" else None
        return lambda _: replay.env.action_space.sample() if forward is None else forward
    agent = load(resolve([_PLAYER], replay.task)[0], replay._tap.observation_space, replay.env.action_space)
    agent.reset(1, seed=SEED)
    return lambda observation: agent.act(batch_of_one(observation))[0]


def _moments(observations: list[Any]) -> Picture:
    frames = [rgb(image_of(observations[i])) for i in _MOMENTS]
    zoom = max(1, _FRAME // frames[0].shape[0])
    gap = np.full((frames[0].shape[0] * zoom, 6, 3), 127, np.uint8)
    parts = [part for frame in frames for part in (enlarge(frame, zoom), gap)]
    return np.concatenate(parts[:-1], axis=1)


def _strip(observations: list[Any]) -> Picture:
    """Values as colours, (rows, steps, 3) enlarged; x / (1 + |x|) so that any value fits."""
    values = np.stack([_values(each) for each in observations], axis=1)
    share = (2 * values / (1 + 2 * np.abs(values)))[:, :, None]
    low, middle, high = (np.array(colour, float) for colour in (PALETTE[0], (246, 246, 246), ORANGE))
    colours = middle + np.abs(share) * (np.where(share < 0, low, high) - middle)
    picture: Picture = colours.astype(np.uint8).repeat(_ROW, axis=0).repeat(_COLUMN, axis=1)
    picture[_ROW - 1 :: _ROW] = 200
    return picture


def _values(observation: Any) -> Array:
    """Numbers of one observation, (N,): of rows of entities their positions."""
    return np.ravel(observation["positions"] if isinstance(observation, dict) else observation)


def _png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", optimize=True)
    return file.getvalue()
