"""What the page draws of a lane: pictures as addresses that hold them, sensors and attention as numbers."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.extras import require
from symbench.observations import FrameLayout
from symbench.viz.ground_truth import sensor_names
from symbench.viz.panels import rgb
from symbench.viz.replay import image_of
from symbench.viz.video import overlay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from symbench.demo.lane import Lane

_ZOOM: Final = 3  # pixels of a shown frame for one of the observation, so that the edges of patches are thin
_SMALLEST_SIDE: Final = 8  # of an array that is shown as a picture; less are numbers
_MOST_NUMBERS: Final = 512
_DIGITS: Final = 4


def data_url(picture: NDArray[np.uint8], kind: str = "PNG") -> str:
    """A picture (H, W, 3) as an address that holds it: lossless PNG, or JPEG, which is smaller where much is drawn."""
    file = io.BytesIO()
    options = {"quality": 85} if kind == "JPEG" else {"compress_level": 1}
    require("PIL.Image", "live demos").fromarray(np.ascontiguousarray(picture)).save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def scene(lane: Lane) -> str | None:
    """The scene as the simulator draws it; ``None`` without a picture."""
    picture = lane.picture()
    return None if picture is None else data_url(rgb(picture), "JPEG")


def inputs(lane: Lane) -> dict[str, Any]:
    """What the agent is shown, as ``pictures`` (title and address) and ``numbers``."""
    seen = lane.told()
    if lane.replay.seen is None:
        return {"pictures": []}
    if lane.replay.is_frames:
        return {"pictures": _frames(lane)}
    rows = [_numbers(each) for each in seen]
    pictures = [(title, data_url(frame)) for title, frame in _pictures(lane.replay.seen)]
    return {"pictures": pictures, "numbers": {"names": _names(lane), "rows": rows, **_attention(lane)}}


def _frames(lane: Lane) -> list[tuple[str, str]]:
    """The frame before and after the perturbations, with what the agent looks at."""
    seen = image_of(lane.replay.seen)
    attended = lane.activations.attended(seen.shape[1]) if lane.activations is not None else None
    before, after = overlay(lane.replay, lane.replay.original, seen, attended, _ZOOM)
    looks = ", where it looks" if attended is not None else ""
    return [(f"observation{looks}", data_url(before)), (f"what the agent sees{looks}", data_url(after))]


def _leaves(seen: Any, path: str = "") -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of an observation, with their keys."""
    entries = seen.items() if isinstance(seen, dict) else enumerate(seen) if isinstance(seen, tuple) else None
    if entries is None:
        array = np.asarray(seen)
        if array.dtype.kind in "biuf":  # what has no numbers, such as texts, is not drawn
            yield path, array
        return
    for key, part in entries:
        yield from _leaves(part, f"{path} {key}".strip())


def _is_picture(array: NDArray[Any]) -> bool:
    return (array.ndim > 1 and min(array.shape[-2:]) >= _SMALLEST_SIDE) or _layout(array) is not None


def _layout(array: NDArray[Any]) -> FrameLayout | None:
    from gymnasium.spaces import Box

    return FrameLayout.of(Box(0, 255, array.shape, np.uint8)) if array.dtype == np.uint8 and array.ndim > 1 else None


def _pictures(seen: Any) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for path, array in _leaves(seen):
        if not _is_picture(array):
            continue
        if (layout := _layout(array)) is not None:
            yield path, rgb(layout.split(array[None])[-1])  # of a stack the latest
            continue
        planes = array.reshape(-1, *array.shape[-2:]).astype(np.float64)
        low, high = planes.min(), planes.max()
        grey = (255 * (planes - low) / max(high - low, 1e-9)).astype(np.uint8)
        yield path, rgb(np.concatenate([np.pad(plane, 1) for plane in grey], axis=1))


def _vector(seen: Any) -> list[tuple[str, NDArray[Any]]]:
    return [(path, array) for path, array in _leaves(seen) if not _is_picture(array)]


def _numbers(seen: Any) -> list[float]:
    parts = [np.ravel(array).astype(np.float64) for _, array in _vector(seen)]
    values = np.nan_to_num(np.concatenate(parts))[:_MOST_NUMBERS] if parts else np.zeros(0)
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _names(lane: Lane) -> list[str]:
    """What comes to each place: a sensor by its name, noise, or an entry of a Dict."""
    if (origins := lane.replay.origins) is not None:
        known = sensor_names(lane.replay)
        return [known[i] if 0 <= i < len(known) else "noise" for i in origins.index.tolist()][:_MOST_NUMBERS]
    found = [name for path, array in _vector(lane.replay.seen) for name in _places(path, array)]
    return found[:_MOST_NUMBERS]


def _places(path: str, array: NDArray[Any]) -> Iterator[str]:
    for place in np.ndindex(array.shape):
        yield " ".join([path, ".".join(str(i + 1) for i in place)]).strip() or "observation"


def _attention(lane: Lane) -> dict[str, Any]:
    """``attention``: of each place to each code; ``taken``: else, for which sensor what comes there is taken."""
    weights = lane.activations.weights() if lane.activations is not None else None
    if weights is not None:
        return {"attention": np.nan_to_num(weights.T[:_MOST_NUMBERS]).round(3).tolist()}
    origins, known = lane.replay.origins, sensor_names(lane.replay)
    if origins is None or not lane.fixed_order or len(origins.index) != len(known):
        return {}
    pairs = enumerate(origins.index[:_MOST_NUMBERS].tolist())
    return {"taken": [{"name": known[place], "right": place == source} for place, source in pairs]}
