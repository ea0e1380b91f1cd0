"""What an agent wants to see beside the observation; neither random nor a perturbation.

* :class:`PreviousAction` - the action that led here
* :class:`SensorHistory` - the latest values of each sensor and the latest actions
* :class:`FrameHistory` - the latest frames and the action that led here

They belong to the agent, so they come after (outside of) all perturbations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.trees import copied
from symbench.wrappers.action_vectors import action_vectors
from symbench.wrappers.checks import frames, sensors, whole
from symbench.wrappers.core import Transform
from symbench.wrappers.registry import register_agent_side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@register_agent_side
class PreviousAction(Transform):
    """The observation comes with the action that led to it: ``Dict(observation, previous_action)``.

    ``previous_action`` is float32 of shape (A,): a ``Box`` action flattened, a ``Discrete`` one as one-hot vector, a
    ``Tuple`` of such one after the other, zeros at the start of an episode. A ``Dict`` observation gets the key beside
    its own.

    Raises:
        SymbenchError: The actions are neither ``Box`` nor ``Discrete`` nor a ``Tuple`` of such, or the observation has
            such a key already.
    """

    def bind(
        self,
        single_observation_space: spaces.Space[Any],
        single_action_space: spaces.Space[Any],
        num_envs: int,
        key: int,
    ) -> spaces.Dict:
        """Fit to a batch of environments; see :meth:`Transform.bind`."""
        self._vectors = action_vectors("PreviousAction", single_action_space)
        self._previous = np.zeros((num_envs, self._vectors.size), dtype=np.float32)
        low, high = np.minimum(self._vectors.low, 0), np.maximum(self._vectors.high, 0)  # zeros begin an episode
        space = single_observation_space
        self._keyed = isinstance(space, spaces.Dict)
        shown = dict(space.spaces) if isinstance(space, spaces.Dict) else {"observation": space}
        if "previous_action" in shown:
            raise SymbenchError(f"PreviousAction needs observations that do not show it already, received {space}")
        return spaces.Dict({**shown, "previous_action": spaces.Box(low, high, dtype=np.float32)})

    def reset(self, observations: Any, mask: NDArray[np.bool_], seeds: Sequence[int | None] | None) -> dict[str, Any]:
        """Forget the actions of ended episodes; see :meth:`Transform.reset`."""
        self._previous[mask] = 0.0
        return self._shown(observations)

    def step(self, observations: Any, actions: Any) -> dict[str, Any]:
        """Show the actions; see :meth:`Transform.step`."""
        self._previous = self._vectors(actions)
        return self._shown(observations)

    def _shown(self, observations: Any) -> dict[str, Any]:
        shown = copied(observations)
        return {**(shown if self._keyed else {"observation": shown}), "previous_action": self._previous.copy()}


@register_agent_side
class SensorHistory(Transform):
    """The latest values: ``Dict(sensors=(N, length), actions=(length, A))``, float32, newest last.

    Before the start of an episode there are zeros. At the first observation only the newest sensor column is filled.
    Actions are vectors as in :class:`PreviousAction`; the newest is the one that led to the newest sensor values.

    Args:
        length: Number of values kept.

    Raises:
        TypeError: ``length`` is not a whole number.
        SymbenchError: ``length`` below 1; the observations are no ``Box`` of shape (N,); the actions are neither
            ``Box`` nor ``Discrete`` nor a ``Tuple`` of such.
    """

    def __init__(self, length: int = 8) -> None:
        self.length = whole("length", length, low=1)

    def bind(
        self,
        single_observation_space: spaces.Space[Any],
        single_action_space: spaces.Space[Any],
        num_envs: int,
        key: int,
    ) -> spaces.Dict:
        """Fit to a batch of environments; see :meth:`Transform.bind`."""
        box = sensors("SensorHistory", single_observation_space)
        self._vectors = action_vectors("SensorHistory", single_action_space)
        self._sensors = np.zeros((num_envs, *box.shape, self.length), dtype=np.float32)
        self._actions = np.zeros((num_envs, self.length, self._vectors.size), dtype=np.float32)
        return spaces.Dict(
            {
                "sensors": _history_box(box.low[:, None], box.high[:, None], self._sensors.shape[1:]),
                "actions": _history_box(self._vectors.low, self._vectors.high, self._actions.shape[1:]),
            }
        )

    def reset(self, observations: Any, mask: NDArray[np.bool_], seeds: Sequence[int | None] | None) -> dict[str, Any]:
        """Forget ended episodes; see :meth:`Transform.reset`."""
        self._sensors[mask] = 0.0
        self._actions[mask] = 0.0
        self._sensors[mask, :, -1] = observations[mask]
        return {"sensors": self._sensors.copy(), "actions": self._actions.copy()}

    def step(self, observations: Any, actions: Any) -> dict[str, Any]:
        """Remember one more step; see :meth:`Transform.step`."""
        latest = np.asarray(observations, dtype=np.float32)[:, :, None]
        self._sensors = np.concatenate([self._sensors[:, :, 1:], latest], axis=2)
        self._actions = np.concatenate([self._actions[:, 1:], self._vectors(actions)[:, None]], axis=1)
        return {"sensors": self._sensors.copy(), "actions": self._actions.copy()}


@register_agent_side
class FrameHistory(Transform):
    """The latest frames: ``Dict(frames=(length * C, H, W), previous_action=(A,))``, for policies that see patches.

    ``frames`` is uint8, channels first, oldest frame first, which Stable-Baselines3 takes for a picture that needs no
    transposing. Before the first observation of an episode there are copies of it. ``previous_action`` is float32: a
    ``Discrete`` action as one-hot vector, a ``Box`` action in units of its range, [-1, 1]; zeros at the start. The
    ``mask`` of :class:`OccludePatches` with ``patch_mask=True`` is passed on.

    Args:
        length: Number of frames kept.

    Raises:
        TypeError: ``length`` is not a whole number.
        SymbenchError: ``length`` below 1; the observations are neither uint8 frames (H, W) or (H, W, C) nor
            ``Dict(image, mask)`` with such; the actions are neither ``Box`` nor ``Discrete`` nor a ``Tuple`` of such.
    """

    def __init__(self, length: int = 4) -> None:
        self.length = whole("length", length, low=1)

    def bind(
        self,
        single_observation_space: spaces.Space[Any],
        single_action_space: spaces.Space[Any],
        num_envs: int,
        key: int,
    ) -> spaces.Dict:
        """Fit to a batch of environments; see :meth:`Transform.bind`."""
        parts = single_observation_space.spaces if isinstance(single_observation_space, spaces.Dict) else {}
        self._masked = set(parts) == {"image", "mask"}
        box = frames("FrameHistory", parts["image"] if self._masked else single_observation_space)
        self._vectors = action_vectors("FrameHistory", single_action_space)
        height, width, *channels = box.shape
        self._channels = channels[0] if channels else 1
        self._frames = np.zeros((num_envs, self.length * self._channels, height, width), dtype=np.uint8)
        self._previous = np.zeros((num_envs, self._vectors.size), dtype=np.float32)
        shown: dict[str, spaces.Space[Any]] = {
            "frames": spaces.Box(0, 255, self._frames.shape[1:], np.uint8),  # the bounds by which SB3 knows pictures
            "previous_action": _history_box(
                self._vectors.scaled_low, self._vectors.scaled_high, self._previous.shape[1:]
            ),
        }
        return spaces.Dict({**shown, "mask": parts["mask"]} if self._masked else shown)

    def reset(self, observations: Any, mask: NDArray[np.bool_], seeds: Sequence[int | None] | None) -> dict[str, Any]:
        """Forget ended episodes; see :meth:`Transform.reset`."""
        self._previous[mask] = 0.0
        self._frames[mask] = np.tile(self._newest(observations)[mask], (1, self.length, 1, 1))
        return self._seen(observations)

    def step(self, observations: Any, actions: Any) -> dict[str, Any]:
        """Remember one more frame; see :meth:`Transform.step`."""
        self._frames = np.concatenate([self._frames[:, self._channels :], self._newest(observations)], axis=1)
        self._previous = self._vectors.scaled(actions)
        return self._seen(observations)

    def _newest(self, observations: Any) -> NDArray[np.uint8]:
        """The frames of a batch, channels first."""
        image = observations["image"] if self._masked else observations
        newest: NDArray[np.uint8] = image.reshape(*image.shape[:3], -1).transpose(0, 3, 1, 2)
        return newest

    def _seen(self, observations: Any) -> dict[str, Any]:
        seen = {"frames": self._frames.copy(), "previous_action": self._previous.copy()}
        return {**seen, "mask": np.array(observations["mask"])} if self._masked else seen


def _history_box(low: Any, high: Any, shape: tuple[int, ...]) -> spaces.Box:
    with np.errstate(over="ignore"):  # "no bound", written as the largest number of float64
        low, high = (np.broadcast_to(bound, shape).astype(np.float32) for bound in (low, high))
    return spaces.Box(np.minimum(low, 0), np.maximum(high, 0), dtype=np.float32)
