"""Checks of constructor parameters and spaces: ``TypeError`` for a wrong type, ``SymbenchError`` for a wrong value.

Every message says what was received and what would be right.
"""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError

Resample = str | int | dict[str, int]
"""How long a draw lasts, see :func:`interval`."""


def whole(name: str, value: object, low: int, high: int | None = None) -> int:
    """``value`` as an int in ``[low, high]``.

    Raises:
        TypeError: Not a whole number (a bool is not one).
        SymbenchError: Out of range.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, received {value!r}")
    number = int(value)
    if number < low or (high is not None and number > high):
        bounds = f"at least {low}" if high is None else f"between {low} and {high}"
        raise SymbenchError(f"{name} must be {bounds}, received {value!r}")
    return number


def real(name: str, value: object, low: float, high: float | None = None) -> float:
    """``value`` as a finite float in ``[low, high]``.

    Raises:
        TypeError: Not a real number (a bool is not one).
        SymbenchError: Not finite or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, received {value!r}")
    number = float(value)
    if not math.isfinite(number) or number < low or (high is not None and number > high):
        bounds = f"finite and at least {low}" if high is None else f"between {low} and {high}"
        raise SymbenchError(f"{name} must be {bounds}, received {value}")
    return number


def flag(name: str, value: object) -> bool:
    """``value``, which must be a bool.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false, received {value!r}")
    return value


def interval(resample: object) -> int | None:
    """How many steps a draw lasts: ``None`` for a whole episode.

    Args:
        resample: ``"episode"``, ``"step"``, a number of steps t, ``"every: t"`` or ``{"every": t}``.

    Raises:
        TypeError: None of these types.
        SymbenchError: An unknown word, or t below 1.
    """
    if resample == "episode":
        return None
    if resample == "step":
        return 1
    if isinstance(resample, dict) and set(resample) == {"every"}:
        return whole("resample", resample["every"], low=1)
    if isinstance(resample, str) and (every := re.fullmatch(r"every:\s*(\d+)", resample)):
        return whole("resample", int(every[1]), low=1)
    if isinstance(resample, (str, dict)):
        raise SymbenchError(f"resample must be 'episode', 'step', t or 'every: t' (t steps), received {resample!r}")
    return whole("resample", resample, low=1)


def portion(ratio: float, total: int) -> int:
    """How many of ``total`` things a ratio takes: rounded, at least one if any, all only if the ratio is 1."""
    if ratio in (0.0, 1.0):
        return round(ratio * total)
    return max(1, min(math.floor(ratio * total + 0.5), total - 1))


def sensors(who: str, space: spaces.Space[Any], *, floating: bool = False, rows: bool = False) -> spaces.Box:
    """``space``, which must be a list of sensors: a ``Box`` of one dimension.

    Args:
        who: Who asks, for the message.
        space: The space of one observation.
        floating: Whether the sensors must be floating point numbers.
        rows: Whether entities, a floating point ``Box`` (N, F), are fine, too.

    Raises:
        SymbenchError: It is not.
    """
    entities = rows and isinstance(space, spaces.Box) and len(space.shape) == 2 and space.dtype.kind == "f"
    if not isinstance(space, spaces.Box) or not space.shape or not space.shape[0] or len(space.shape) != 1 + entities:
        or_rows = " or entities, floating point (N, F)," if rows else ""
        raise SymbenchError(
            f"{who} needs sensors, a Box of shape (N,),{or_rows} received {space}; "
            "for Discrete or nested observations wrap with gymnasium.wrappers.FlattenObservation first"
        )
    if floating and not np.issubdtype(space.dtype, np.floating):
        raise SymbenchError(
            f"{who} needs floating point sensors, received dtype {space.dtype}; "
            "wrap with gymnasium.wrappers.DtypeObservation(env, np.float32) first"
        )
    return space


def frames(who: str, space: spaces.Space[Any], patch_size: int = 1) -> spaces.Box:
    """``space``, which must be of frames: a uint8 ``Box`` (H, W) or (H, W, C) with C of 1, 3 or 4.

    Args:
        who: Who asks, for the message.
        space: The space of one observation.
        patch_size: Must divide H and W.

    Raises:
        SymbenchError: Not of frames, or of frames that patches of this size do not tile.
    """
    tiled = isinstance(space, spaces.Box) and space.dtype == np.uint8 and len(space.shape) in (2, 3)
    if not isinstance(space, spaces.Box) or not tiled or space.shape[2:] not in ((), (1,), (3,), (4,)):
        flat = isinstance(space, spaces.Box) and len(space.shape) == 1
        remedy = (
            "for sensors there are ShuffleSensors, DropSensors and SensorNoise"
            if flat
            else "put it before frame stacks, normalisation and channel transposes"
        )
        raise SymbenchError(
            f"{who} needs frames, a uint8 Box of shape (H, W) or (H, W, C) with C 1, 3 or 4, received {space}; {remedy}"
        )
    height, width = space.shape[:2]
    common = math.gcd(height, width)
    if common % patch_size:
        fitting = ", ".join(str(size) for size in range(1, common + 1) if common % size == 0)
        raise SymbenchError(f"patch_size {patch_size} does not divide the {height}x{width} frame; fitting: {fitting}")
    return space
