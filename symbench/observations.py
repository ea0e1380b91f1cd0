"""What the parts of an observation mean, and how one part is taken out, changed and put back.

* :data:`Role` - ``sensors`` (N,), ``frame`` (H, W, C), ``entities`` (N, F), ``positions`` and ``velocities`` (N, d),
  ``edges``, ``action_mask``
* :class:`ObservationSpec` - the roles of an observation, or of the entries of a ``Dict``
* :class:`Part`, :func:`part_of` - the part that a perturbation changes

Operations on values and batches of any space are in :mod:`symbench.trees`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError, unknown
from symbench.trees import copied

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Role = Literal["sensors", "frame", "entities", "positions", "velocities", "edges", "action_mask"]

_NAMED: Final[tuple[Role, ...]] = ("positions", "velocities", "edges", "action_mask")
_CHANNELS: Final = (1, 3, 4)


@dataclass(frozen=True)
class ObservationSpec:
    """The roles of the entries of a ``Dict`` observation; of another observation, under the key ``None``.

    Attributes:
        roles: Key -> role, ``None`` for what has none of them.
    """

    roles: Mapping[str | None, Role | None]

    @classmethod
    def of(cls, space: spaces.Space[Any], declared: Mapping[str, Role] | None = None) -> ObservationSpec:
        """The roles of a space.

        Args:
            space: Of one observation.
            declared: Roles of entries of a ``Dict``; others follow from their names (``"positions"``,
                ``"velocities"``, ``"edges"``, ``"action_mask"``) and their spaces.

        Raises:
            SymbenchError: A declared entry does not exist.
        """
        if not isinstance(space, spaces.Dict):
            return cls({None: _role(space)})
        known: Mapping[str, Role] = declared or {}
        for key in known:
            if key not in space.spaces:
                raise unknown("key", key, space.spaces, "of the observation")
        return cls({key: known.get(key) or _role(part, key) for key, part in space.spaces.items()})

    def having(self, roles: Sequence[Role]) -> list[str | None]:
        """Keys of the entries that have one of some roles."""
        return [key for key, role in self.roles.items() if role in roles]


def _role(space: spaces.Space[Any], key: str | None = None) -> Role | None:
    """What a space looks like; its name counts first."""
    for name in _NAMED:
        if key == name:
            return name
    if not isinstance(space, spaces.Box):
        return None
    if space.dtype == np.uint8 and len(space.shape) > 1:
        return "frame" if FrameLayout.of(space) is not None else None
    if len(space.shape) == 1 and space.shape[0]:
        return "sensors"
    return "entities" if len(space.shape) == 2 and np.issubdtype(space.dtype, np.floating) else None


@dataclass(frozen=True)
class FrameLayout:
    """How frames lie in an array: ``(stack, H, W, C)`` after its axes were put in the order ``axes``.

    Attributes:
        axes: Which axis of an observation is which of those; -1 for one that it does not have.
        stack: Frames in an observation.
        frame: (H, W, C) of one frame.
    """

    axes: tuple[int, int, int, int]
    stack: int
    frame: tuple[int, int, int]

    @classmethod
    def of(cls, box: spaces.Box, channels: int | None = None) -> FrameLayout | None:
        """Of a uint8 ``Box``; ``None`` if it holds no frames.

        Args:
            box: (H, W), (H, W, C), a stack (k, H, W), (H, W, k), (k, H, W, C), (k, C, H, W), or channels first,
                (C, H, W). C is 1, 3 or 4; an axis of frames is shorter than H and W.
            channels: How many a pixel has. It tells (C, H, W) from (k, H, W): left out, 3 are colours and any other
                number is a stack of grey frames.
        """
        axes = _axes(box.shape, channels) if box.dtype == np.uint8 else None
        if axes is None:
            return None
        stack, height, width, depth = (1 if axis < 0 else box.shape[axis] for axis in axes)
        return cls(axes, stack, (height, width, depth))

    @property
    def plain(self) -> bool:
        """Whether it is one frame, channels last."""
        return self.axes in ((-1, 0, 1, -1), (-1, 0, 1, 2))

    def split(self, batch: NDArray[Any]) -> NDArray[Any]:
        """(B, ...) -> (B * stack, H, W, C)."""
        present = [axis + 1 for axis in self.axes if axis >= 0]
        frames: NDArray[Any] = batch.transpose(0, *present).reshape(-1, *self.frame)
        return frames

    def joined(self, frames: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        """The inverse of :meth:`split`, for observations of this shape."""
        present = [axis for axis in self.axes if axis >= 0]
        sorted_shape = [shape[axis] for axis in present]
        back = np.argsort(present) + 1
        return np.ascontiguousarray(frames.reshape(-1, *sorted_shape).transpose(0, *back))


def _axes(shape: tuple[int, ...], channels: int | None) -> tuple[int, int, int, int] | None:
    """Axes of (stack, H, W, C), -1 for none."""
    if len(shape) == 2:
        return (-1, 0, 1, -1)
    if len(shape) == 4:
        return _of_four(shape)
    if len(shape) != 3:
        return None
    if shape[2] in _CHANNELS:
        return (-1, 0, 1, 2)
    if shape[0] < min(shape[1:]):
        colours = shape[0] == (3 if channels is None else channels)
        return (-1, 1, 2, 0) if colours else (0, 1, 2, -1)
    return (2, 0, 1, -1) if shape[2] < min(shape[:2]) else None


def _of_four(shape: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    if shape[3] in _CHANNELS:
        return (0, 1, 2, 3)
    return (0, 2, 3, 1) if shape[1] in _CHANNELS else None


@dataclass(frozen=True)
class Part:
    """The part of an observation that a perturbation changes; everything else passes through.

    Attributes:
        space: What the perturbation works on: the whole space, an entry of a ``Dict``, one frame of a stack.
        key: The entry, if it is one.
        layout: Of frames that are stacked or channels first.
        shape: Of the array in the observation that holds these.
    """

    space: spaces.Space[Any]
    key: str | None = None
    layout: FrameLayout | None = None
    shape: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is the observation, as it is."""
        return self.key is None and self.layout is None

    @property
    def stack(self) -> int:
        """Frames of one observation, which are changed alike."""
        return 1 if self.layout is None else self.layout.stack

    def take(self, batch: Any) -> Any:
        """The part of a batch of B, one row for each of B * stack."""
        found = batch if self.key is None else batch[self.key]
        return found if self.layout is None else self.layout.split(found)

    def put(self, batch: Any, changed: Any) -> Any:
        """The batch with another part, in new memory."""
        part = changed if self.layout is None else self.layout.joined(changed, self.shape)
        if self.key is None:
            return part
        return {key: part if key == self.key else copied(value) for key, value in batch.items()}

    def put_space(self, who: str, space: spaces.Space[Any], changed: spaces.Space[Any]) -> spaces.Space[Any]:
        """The space of observations whose part is of the space ``changed``.

        Raises:
            SymbenchError: It makes several entries of one, which has no place there.
        """
        if isinstance(changed, spaces.Dict):
            raise SymbenchError(
                f"{who} makes a Dict of plain frames, not of those that are stacked or in a Dict: {space}"
            )
        if self.layout is not None and isinstance(changed, spaces.Box):
            low, high = (np.repeat(bound[None], self.stack, axis=0) for bound in (changed.low, changed.high))
            low, high = (self.layout.joined(bound, self.shape)[0] for bound in (low, high))
            changed = spaces.Box(low, high, dtype=changed.dtype.type)
        if not isinstance(space, spaces.Dict) or self.key is None:
            return changed
        return spaces.Dict({**space.spaces, self.key: changed})


def part_of(
    who: str, space: spaces.Space[Any], roles: Sequence[Role], key: str | None = None, channels: int | None = None
) -> Part:
    """The part of an observation that has one of some roles.

    Args:
        who: Who asks, for messages.
        space: The space of one observation.
        roles: The roles; none of them means the whole observation.
        key: Entry of a ``Dict``; ``None`` takes the only fitting one.
        channels: How many a pixel has, see :meth:`FrameLayout.of`.

    Returns:
        The part; the whole observation where nothing fits, which is then refused by whoever asks.

    Raises:
        SymbenchError: There is no such entry, or several fit and none was named.
    """
    if isinstance(space, spaces.Dict) and roles:
        key = _key_of(who, space, roles) if key is None else key
        if key is not None and key not in space.spaces:
            raise unknown("key", key, space.spaces, "of the observation")
    elif key is not None:
        raise SymbenchError(f"{who} needs Dict observations to have a key {key!r}, received {space}")
    found = space.spaces[key] if isinstance(space, spaces.Dict) and key is not None else space
    layout = FrameLayout.of(found, channels) if "frame" in roles and isinstance(found, spaces.Box) else None
    if layout is None or layout.plain:
        return Part(found, key)
    assert isinstance(found, spaces.Box)
    low, high = (layout.split(bound[None]) for bound in (found.low, found.high))
    one = spaces.Box(low.min(axis=0), high.max(axis=0), dtype=np.uint8)
    return Part(one, key, layout, found.shape)


def _key_of(who: str, space: spaces.Dict, roles: Sequence[Role]) -> str | None:
    fitting = [key for key in ObservationSpec.of(space).having(roles) if key is not None]
    if len(fitting) > 1:
        choices = " or ".join(f"key={key!r}" for key in fitting)
        raise SymbenchError(f"{who} can change several entries of the observation: say which, {choices}")
    return fitting[0] if fitting else None
