"""Masks of actions, where environments put them: ``action_masks()`` as sb3-contrib asks for it, and ``"action_mask"``.

What the agent is shown must name actions as the agent does, see :meth:`symbench.wrappers.core.Transform.allowed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium.vector import VectorWrapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from symbench.wrappers.core import Transform

ACTION_MASK: Final = "action_mask"
"""The key of infos and of ``Dict`` observations."""
ACTION_MASKS: Final = "action_masks"
"""The method of environments."""


def shown_mask(transform: Transform, row: int, mask: Any) -> NDArray[Any]:
    """The mask of one environment as the agent sees it, (n,) -> (n,)."""
    shown: NDArray[Any] = transform.allowed([row], np.asarray(mask)[None])[0]
    return shown


def shown_info(transform: Transform, row: int, info: dict[str, Any]) -> dict[str, Any]:
    """The info of one environment with its mask, if it has one, as the agent sees it."""
    return {**info, ACTION_MASK: shown_mask(transform, row, info[ACTION_MASK])} if ACTION_MASK in info else info


def shown_infos(transform: Transform, infos: dict[str, Any], num_envs: int) -> dict[str, Any]:
    """The infos of a vector environment with the masks of those that have one as the agent sees them."""
    if ACTION_MASK not in infos:
        return infos
    masks = np.array(infos[ACTION_MASK])
    for row in np.flatnonzero(infos.get(f"_{ACTION_MASK}", np.ones(num_envs, dtype=bool))).tolist():
        masks[row] = shown_mask(transform, row, masks[row])
    return {**infos, ACTION_MASK: masks}


def masks_of(envs: Any) -> Callable[[], NDArray[Any]]:
    """What asks a vector environment for the masks of all its B sub-environments, () -> (B, n).

    Raises:
        AttributeError: It has no ``action_masks()``, nor do its sub-environments.
    """
    own = getattr(envs, ACTION_MASKS, None)
    if own is not None:
        return lambda: np.asarray(own())
    if isinstance(envs, VectorWrapper):
        return masks_of(envs.env)
    if hasattr(envs, "call") and all(envs.call("has_wrapper_attr", ACTION_MASKS)):
        return lambda: np.stack(envs.call(ACTION_MASKS))
    raise AttributeError(f"{type(envs).__name__} and its environments have no {ACTION_MASKS!r}")
