"""What the three kinds of adapters share: their documentation, stacking keys and batches of nested observations."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from symbench.wrappers.core import Transform


class Adapter:
    """Makes wrapper classes of transforms: ``class X(SomeAdapter, transform=sensors.X)``.

    The class takes the transform's parameters by keyword, and ``help(X)`` shows and explains them.
    """

    transform_class: ClassVar[type[Transform]]
    transform: Transform
    """The transform at work, bound to the environment."""

    def __init_subclass__(cls, transform: type[Transform] | None = None, **kwargs: Any) -> None:
        """Take over the signature and the explanation of ``transform``."""
        super().__init_subclass__(**kwargs)
        if transform is None:
            return
        cls.transform_class = transform
        wrapped = next(iter(list(inspect.signature(cls.__init__).parameters.values())[1:]))
        options = [p.replace(kind=p.KEYWORD_ONLY) for p in transform.signature().parameters.values()]
        cls.__signature__ = inspect.Signature([wrapped, *options])  # type: ignore[attr-defined]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{transform.explanation()}\n"


def layers_below(env: object, transform: type[Transform]) -> int:
    """How many adapters of ``transform`` are between an adapter around ``env`` and the base environment.

    Looks through Gymnasium wrappers, vector wrappers, SB3 wrappers and into the first sub-environment of a vector
    environment that lives in this process.
    """
    count, layer = 0, env
    while layer is not None:
        count += isinstance(layer, Adapter) and layer.transform_class is transform
        # vars(), since some wrappers forward attributes that they do not have to what they wrap
        inside = vars(layer)
        below = next((inside[name] for name in ("env", "venv", "envs") if inside.get(name) is not None), None)
        layer = below[0] if isinstance(below, (list, tuple)) else below
    return count


def batch_of_one(value: Any) -> Any:
    """Add a batch axis of 1 to an array, number or (nested) dict of them."""
    if isinstance(value, dict):
        return {key: batch_of_one(entry) for key, entry in value.items()}
    return np.asarray(value)[None]


def row(batch: Any, index: int) -> Any:
    """One observation of a batch."""
    if isinstance(batch, dict):
        return {key: row(entry, index) for key, entry in batch.items()}
    return batch[index]


def with_rows(batch: Any, rows: dict[int, Any]) -> Any:
    """A copy of a batch in which the observations of some rows are others."""
    if isinstance(batch, dict):
        return {
            key: with_rows(entry, {index: value[key] for index, value in rows.items()}) for key, entry in batch.items()
        }
    copy = np.array(batch)
    for index, value in rows.items():
        copy[index] = value
    return copy
