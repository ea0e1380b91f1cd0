"""Values of a Gymnasium space and batches of them, however nested.

A batch is what Gymnasium's ``batch_space`` describes: an array with one row for each member, a dict or tuple of such
for ``Dict`` and ``Tuple``, and a tuple of the members for spaces without a fixed shape, such as ``Text``.

* :func:`map_tree` - a function of every leaf
* :func:`batch_of_one`, :func:`stacked`, :func:`row`, :func:`with_rows`, :func:`copied` - between values and batches
* :func:`declared`, :func:`declared_one`, :func:`declared_value` - observations in the dtype that their space declares
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

# Asked for first: what is a Dict or a Tuple takes Python several times as long to find out.
_FIXED: Final = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def map_tree(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """A tree of what a function makes of the leaves in the same place of some trees.

    Args:
        function: Takes one leaf of each tree.
        first: Nested dicts and tuples, or ``Dict`` and ``Tuple`` spaces, with any leaves; it says what is a leaf.
        *others: Trees of the same structure.
    """
    if isinstance(first, (dict, spaces.Dict)):
        return {key: map_tree(function, part, *(other[key] for other in others)) for key, part in first.items()}
    if isinstance(first, (tuple, spaces.Tuple)):
        return tuple(map_tree(function, *parts) for parts in zip(first, *others, strict=True))
    return function(first, *others)


def batch_of_one(space: spaces.Space[Any], value: Any) -> Any:
    """A value with a batch axis of 1, in memory that may be shared with it."""
    if isinstance(space, _FIXED):
        return np.asarray(value)[None]
    if isinstance(space, spaces.Dict):
        return {key: batch_of_one(part, value[key]) for key, part in space.items()}
    return tuple(map(batch_of_one, space.spaces, value)) if isinstance(space, spaces.Tuple) else (value,)


def stacked(space: spaces.Space[Any], values: Sequence[Any]) -> Any:
    """Values as one batch, in new memory."""
    memory: Any = create_empty_array(space, len(values))
    return concatenate(space, values, memory)


def row(space: spaces.Space[Any], batch: Any, index: int) -> Any:
    """One value of a batch."""
    if isinstance(space, _FIXED):
        return batch[index]
    if isinstance(space, spaces.Dict):
        return {key: row(part, batch[key], index) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(row(part, entry, index) for part, entry in zip(space.spaces, batch, strict=True))
    return batch[index]


def with_rows(space: spaces.Space[Any], batch: Any, rows: dict[int, Any]) -> Any:
    """A copy of a batch in which the values of some rows are others."""
    if isinstance(space, spaces.Dict):
        return {
            key: with_rows(part, batch[key], {index: value[key] for index, value in rows.items()})
            for key, part in space.items()
        }
    if isinstance(space, spaces.Tuple):
        return tuple(
            with_rows(part, batch[place], {index: value[place] for index, value in rows.items()})
            for place, part in enumerate(space.spaces)
        )
    if not isinstance(space, _FIXED):
        return tuple(rows.get(index, value) for index, value in enumerate(batch))
    changed = np.array(batch)
    for index, value in rows.items():
        changed[index] = value
    return changed


def copied(value: Any) -> Any:
    """The same value or batch in memory of its own."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(entry) for key, entry in value.items()}
    return tuple(map(copied, value)) if type(value) is tuple else copy.deepcopy(value)


def declared(space: spaces.Space[Any], batch: Any) -> Any:
    """A batch of observations in the dtype that ``space`` declares for each of them; the same object if it is.

    Raises:
        SymbenchError: The declared dtype cannot hold the values, or they have another shape than declared.
    """
    if isinstance(space, _FIXED):
        fits = batch.dtype == space.dtype and batch.shape[1:] == space.shape
        return batch if fits else _converted(space, np.asarray(batch))
    if isinstance(space, spaces.Dict):
        return {key: declared(part, batch[key]) for key, part in space.items()}
    return tuple(map(declared, space.spaces, batch)) if isinstance(space, spaces.Tuple) else batch


def declared_one(space: spaces.Space[Any], value: Any) -> Any:
    """One observation as a batch of one in the dtype that its space declares; see :func:`declared`.

    Python's own numbers have no precision to lose: where floating point is declared they are taken as such.
    """
    if isinstance(space, _FIXED):
        if not isinstance(value, np.ndarray):
            plain = not isinstance(value, np.generic) and np.issubdtype(space.dtype, np.floating)
            value = np.asarray(value, dtype=space.dtype if plain else None)
        fits = value.dtype == space.dtype and value.shape == space.shape
        return value[None] if fits else _converted(space, value[None])
    if isinstance(space, spaces.Dict):
        return {key: declared_one(part, value[key]) for key, part in space.items()}
    return tuple(map(declared_one, space.spaces, value)) if isinstance(space, spaces.Tuple) else (value,)


def declared_value(space: spaces.Space[Any], value: Any) -> Any:
    """One observation in the dtype that its space declares; see :func:`declared_one`."""
    return row(space, declared_one(space, value), 0)


def _converted(space: spaces.Space[Any], batch: NDArray[Any]) -> NDArray[Any]:
    if batch.shape[1:] != space.shape:
        raise SymbenchError(
            f"the environment declares observations of shape {space.shape} and returned {batch.shape[1:]}; "
            "its observation_space must say what it returns"
        )
    try:
        converted, kept = _cast(batch, space.dtype)
    except (TypeError, ValueError, OverflowError):  # text, or an object that is no number
        kept = np.zeros(batch.shape, dtype=bool)
    if not kept.all():
        raise SymbenchError(
            f"the environment declares observations of dtype {space.dtype} and returned {batch.dtype} with "
            f"{batch[~kept].tolist()[0]!r}, which {space.dtype} cannot hold; its observation_space must say what it "
            "returns"
        )
    return converted


def _cast(batch: NDArray[Any], dtype: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The batch in another dtype, and which entries it can hold; bool, the batch's shape.

    Floating point is rounded to shorter floating point, as Gymnasium's vector environments do: only what would become
    infinite is lost.
    """
    with np.errstate(all="ignore"):
        converted = batch.astype(dtype)
        back = converted.astype(batch.dtype)
        if np.issubdtype(dtype, np.floating) and np.issubdtype(batch.dtype, np.floating):
            return converted, np.isfinite(converted) | ~np.isfinite(batch)
        # Both: -1 comes back from uint64 as -1, and 2**53 + 1 equals its nearest float64 when compared with it.
        return converted, ((converted == batch) & (back == batch)) | ((converted != converted) & (batch != batch))
