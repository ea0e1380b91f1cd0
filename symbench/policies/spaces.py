"""Spaces in words, and what two spaces must share for an agent of one to play in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    from collections.abc import Callable


def form(space: spaces.Space[Any]) -> str:
    """A space's kind and shape, without bounds."""
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{key}: {form(part)}" for key, part in space.spaces.items()) + ")"
    if isinstance(space, spaces.Tuple):
        return "Tuple(" + ", ".join(map(form, space.spaces)) + ")"
    if isinstance(space, spaces.Discrete):
        return f"Discrete({space.n})"
    return f"{type(space).__name__}{space.shape}"


def shapes_of(space: spaces.Space[Any], wrapper: str, *keys: tuple[str, int]) -> list[tuple[int, ...]]:
    """The shapes of these keys of a Dict space, which must have so many axes.

    Raises:
        ValueError: They have not; the message names the wrapper that shows them.
    """
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    shapes = [parts[key].shape or () for key, _ in keys if key in parts]
    if [len(shape) for shape in shapes] != [axes for _, axes in keys]:
        raise ValueError(f"the environment must be wrapped in symbench.wrappers.{wrapper}, received {form(space)}")
    return shapes


def described(space: spaces.Space[Any]) -> str:
    """A space with its bounds, e.g. ``Box(1,) from -2 to 2``."""
    if isinstance(space, spaces.Dict):
        return "Dict(" + ", ".join(f"{key}: {described(part)}" for key, part in space.spaces.items()) + ")"
    if isinstance(space, spaces.Tuple):
        return "Tuple(" + ", ".join(map(described, space.spaces)) + ")"
    if isinstance(space, spaces.Box):
        dtype = "" if space.dtype.kind == "f" else f" of {space.dtype}"
        return f"{form(space)}{dtype} from {_short(space.low)} to {_short(space.high)}"
    kind = f"MultiDiscrete({space.nvec.tolist()})" if isinstance(space, spaces.MultiDiscrete) else form(space)
    start = getattr(space, "start", 0)
    return f"{kind} from {_short(start)}" if np.any(start) else kind


def same_actions(own: spaces.Space[Any], task: spaces.Space[Any]) -> bool:
    """Whether an action means the same in both spaces: kind, shape, sizes, first value and bounds are equal.

    The precision of numbers may differ, and bounds by what it rounds away.
    """
    if isinstance(own, spaces.Box):
        return isinstance(task, spaces.Box) and own.dtype.kind == task.dtype.kind and _same_bounds(own, task)
    if isinstance(own, (spaces.Dict, spaces.Tuple)):
        return _same_parts(own, task, same_actions)
    facts = [[np.asarray(getattr(space, fact, 0)) for fact in ("n", "nvec", "start")] for space in (own, task)]
    return form(own) == form(task) and all(map(np.array_equal, *facts))


def action_difference(own: spaces.Space[Any], task: spaces.Space[Any]) -> str | None:
    """Why actions of one space cannot be played in the other ("acts in ..."); ``None`` if they can."""
    if same_actions(own, task):
        return None
    hint = " (AGENT,rescale maps them)" if rescalable(own, task) else ""
    return f"acts in {described(own)}, the task has {described(task)}{hint}"


def rescalable(own: spaces.Space[Any], task: spaces.Space[Any]) -> bool:
    """Whether actions can be mapped affinely: bounded Boxes of real numbers, of one shape."""
    boxes = [space for space in (own, task) if isinstance(space, spaces.Box)]
    bounded = all(box.is_bounded() and box.dtype.kind == "f" for box in boxes)
    return len(boxes) == 2 and own.shape == task.shape and bounded


def same_observations(own: spaces.Space[Any], task: spaces.Space[Any]) -> bool:
    """Whether an agent of one space can read observations of the other.

    Bounds of sensors may differ, since perturbations change them. Frames must have the same range, [0, 255] or [0, 1],
    and both be bytes or not; likewise integers against real numbers, as far as both are bounded.
    """
    if isinstance(own, spaces.Box):
        return isinstance(task, spaces.Box) and own.shape == task.shape and _same_scale(own, task)
    if isinstance(own, (spaces.Dict, spaces.Tuple)):
        return _same_parts(own, task, same_observations)
    return same_actions(own, task)


def _same_parts(own: spaces.Space[Any], task: spaces.Space[Any], same: Callable[[Any, Any], bool]) -> bool:
    ours, theirs = _parts(own), _parts(task)
    matching = type(own) is type(task) and ours.keys() == theirs.keys()
    return matching and all(same(part, theirs[key]) for key, part in ours.items())


def _parts(space: spaces.Space[Any]) -> dict[Any, spaces.Space[Any]]:
    parts = getattr(space, "spaces", {})
    return dict(parts if isinstance(parts, dict) else enumerate(parts))


def _same_bounds(own: spaces.Box, task: spaces.Box) -> bool:
    return own.shape == task.shape and np.allclose(own.low, task.low, 1e-6) and np.allclose(own.high, task.high, 1e-6)


def _same_scale(own: spaces.Box, task: spaces.Box) -> bool:
    frames, whole = len(own.shape) >= 3, [space.dtype.kind in "iub" for space in (own, task)]
    if frames and (own.dtype == np.uint8) != (task.dtype == np.uint8):
        return False
    bounded = own.is_bounded() and task.is_bounded()
    return not (bounded and (frames or whole[0] != whole[1])) or _same_bounds(own, task)


def _short(values: Any) -> str:
    """One number if all are equal, otherwise a list."""
    numbers = np.unique(values)
    if numbers.size == 1:
        return f"{numbers[0]:g}"
    return (
        "[" + ", ".join(f"{number:g}" for number in np.ravel(values)[:8]) + (", ...]" if np.size(values) > 8 else "]")
    )


def channels_last(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """Frames as the task gives them: Stable-Baselines3 puts their channels first, and ``predict`` takes both forms."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: channels_last(part) for key, part in space.spaces.items()})
    if not isinstance(space, spaces.Box) or len(space.shape) != 3 or space.dtype != np.uint8:
        return space
    return spaces.Box(space.low.transpose(1, 2, 0), space.high.transpose(1, 2, 0), dtype=np.uint8)
