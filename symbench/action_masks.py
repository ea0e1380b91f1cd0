"""Which discrete actions an agent may choose, wherever the environment says so."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.spaces import Discrete

from symbench.wrappers.masks import ACTION_MASK, masks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class ActionMasks:
    """The masks of a batch of environments.

    They are in the observation under ``"action_mask"``, come from ``action_masks()``, or are in the infos under
    ``"action_mask"``; the first of these counts that there is.
    """

    def __init__(self, envs: Any) -> None:
        """Look where B environments, wrapped by :mod:`symbench.wrappers.vector` or not, have their masks."""
        self._asked: Callable[[], NDArray[Any]] | None = None
        with suppress(AttributeError):
            self._asked = masks_of(envs)
        self._told: NDArray[np.bool_] | None = None
        self._space = getattr(envs, "single_action_space", None)

    def update(self, infos: dict[str, Any]) -> None:
        """Take the masks of those environments that have one in the infos of a reset or a step."""
        if ACTION_MASK not in infos:
            return
        masks = np.asarray(infos[ACTION_MASK])
        there = np.asarray(infos.get(f"_{ACTION_MASK}", np.ones(len(masks), bool)))
        rows = np.flatnonzero(there)
        if rows.size:
            found = np.stack([np.asarray(masks[i]) for i in rows]).astype(bool)
            self._told = np.ones((len(masks), found.shape[1]), bool) if self._told is None else self._told
            self._told[rows] = found

    def of(self, seen: Any, rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """The masks of some environments; ``None`` if all actions are allowed always.

        Args:
            seen: What the agent sees, a batch for ``rows``.
            rows: Places among the B, (b,).

        Returns:
            True where an action may be chosen, (b, n).
        """
        if isinstance(seen, dict) and ACTION_MASK in seen:
            return np.asarray(seen[ACTION_MASK]).astype(bool)
        if self._asked is not None:
            return np.asarray(self._asked())[rows].astype(bool)
        return None if self._told is None else self._told[rows]

    def obey(self, actions: NDArray[Any], observations: Any, playing: NDArray[np.int64]) -> None:
        """Put allowed actions where nobody plays any more.

        What such environments do is not counted, but one may refuse an action that its mask forbids.

        Args:
            actions: Of all B environments; discrete ones are changed in place.
            observations: What all of them show.
            playing: Which play, (b,) places among the B.
        """
        if len(playing) == len(actions) or not isinstance(self._space, Discrete):
            return
        masks = self.of(observations, np.arange(len(actions)))
        if masks is None:
            return
        resting = np.ones(len(actions), bool)
        resting[playing] = False
        actions[resting] = masks[resting].argmax(axis=1) + self._space.start
