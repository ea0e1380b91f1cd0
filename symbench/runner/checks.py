"""Looks at what an agent answers and at what its environments show: shape, kind, space, finiteness.

``gymnasium.make`` checks single environments only, and actions that are cast into an array lose what is wrong with
them: 0.7 becomes 0, one action becomes twenty. So every loop that plays an agent asks here.
"""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.rollout import Callback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.spaces import Space
    from numpy.typing import NDArray
    from typing_extensions import Self

_ROUNDING = 1e-6  # relative: an action of 2.0000002 in [-2, 2] is one of 2
_BLOCK = 16  # steps that are looked at together
_TILED = 1000  # bounds of up to so many numbers are kept for every row, which numpy compares several times as fast


class Checks(Callback):
    """The checks of one agent in a batch of B environments; what is wrong names the agent, the step and the seed.

    A callback of :func:`symbench.rollout.rollout`.

    Answers are checked at once, what is shown and paid after every sixteenth step and at the end of the block ``with``,
    before any other error leaves it: looking at each step by itself would cost several times as much. ::

        with Checks(agent.name, observation_space, action_space, seeds) as checks:
            rollout(envs, agent, seeds, [checks])

    Attributes:
        step: Steps taken so far.
        outside: Observations so far that were finite but outside their declared space. They are counted and not
            refused: many environments leave the bounds that they declare.
    """

    def __init__(
        self, agent: str, observation_space: Space[Any], action_space: Space[Any], seeds: Sequence[int]
    ) -> None:
        """Check ``agent`` in environments with these (single) spaces, one for each of ``seeds``.

        Raises:
            SymbenchError: The action space is neither Box nor Discrete nor MultiDiscrete nor MultiBinary.
        """
        if not isinstance(action_space, _ARRAYS):
            raise SymbenchError(f"actions of Box, Discrete, MultiDiscrete, MultiBinary are played, not {action_space}")
        self._agent, self._seeds, self._space = agent, np.asarray(seeds), action_space
        self._acts = _Limits(action_space, len(seeds))
        self._shows = _limits(observation_space, _BLOCK * len(seeds))
        self._shown: list[tuple[Any, NDArray[np.int64]]] = []  # of the latest steps, with who played
        self._seen: list[Any] = []  # the same as perturbations show it
        self._paid: list[NDArray[Any]] = []
        self.step = 0
        self.outside = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Check what is left, also when something else went wrong: that may be the cause."""
        if kind is None or issubclass(kind, Exception):
            self._flush()

    def observations(self, shown: Any, playing: NDArray[np.int64]) -> None:
        """Check what the environments show: that there is no NaN and no infinity, and that the shape is right.

        Args:
            shown: A batch of observations, one for each of ``playing``, which nobody changes afterwards.
            playing: Which environments play, (b,) places among the B.
        """
        self._shown.append((shown, playing))

    def perturbed(self, seen: Any) -> None:
        """Check what perturbations make of the latest :meth:`observations`: that there is no NaN and no infinity.

        Args:
            seen: A batch of observations, which nobody changes afterwards.
        """
        self._seen.append(seen)

    def rewards(self, rewards: NDArray[Any], playing: NDArray[np.int64]) -> None:
        """Check the rewards of a step, (b,), which ends the step: there must be no NaN and no infinity."""
        self._paid.append(rewards)
        self.step += 1
        if len(self._paid) == _BLOCK:
            self._flush()

    def _flush(self) -> None:
        """Look at what was kept: at all of it together, and step by step where something is the matter.

        Raises:
            SymbenchError: A number is NaN or infinite, or a shape is not that of the space.
        """
        shown, seen, paid, now = self._shown, self._seen, self._paid, self.step
        self._shown, self._seen, self._paid = [], [], []
        if paid and _finite(paid) and _finite(seen) and _hold(self._shows, [each for each, _ in shown]):
            return
        self.step -= len(paid)
        for (observations, playing), perturbed, rewards in zip_longest(shown, seen, paid):
            self._look(observations, perturbed, rewards, playing)
            self.step += rewards is not None
        assert self.step == now

    def _look(self, shown: Any, seen: Any, rewards: NDArray[Any] | None, playing: NDArray[np.int64]) -> None:
        """Look at one step; what follows the last answer has no reward."""
        strays = [self._strays(limits, values, playing) for limits, values in _pairs(self._shows, shown)]
        if strays:
            self.outside += int(np.logical_or.reduce(strays).sum())
        if seen is not None:
            self._check_finite(seen, playing)
        if rewards is not None and not (there := np.isfinite(rewards)).all():
            row = int(np.flatnonzero(~there)[0])
            self._refuse(f"got a reward of {rewards[row]}", playing[row : row + 1])

    def _check_finite(self, seen: Any, playing: NDArray[np.int64]) -> None:
        for values in _leaves(seen):
            if values.dtype.kind == "f" and np.count_nonzero(there := np.isfinite(values)) < values.size:
                row = int(np.flatnonzero(~there.reshape(len(values), -1).all(axis=1))[0])
                first = values[row][~there[row]].flat[0]
                self._refuse(f"was shown an observation with {first}", playing[row : row + 1])

    def actions(self, answer: Any, playing: NDArray[np.int64]) -> NDArray[Any]:
        """Check what the agent answers.

        Args:
            answer: An action for each of ``playing``.
            playing: Which environments play, (b,) places among the B.

        Returns:
            The same as an array, (b, ...).

        Raises:
            SymbenchError: It is not an action of the space for each environment.
        """
        limits = self._acts
        try:
            actions = np.asarray(answer)
        except Exception as error:  # lists of lists of different lengths, tensors that need gradients
            self._refuse(f"answered with {type(answer).__name__}, which is no array ({error})", playing)
        if limits.hold(actions, len(playing)):
            return actions
        if actions.shape != (len(playing), *limits.shape):
            first = f", e.g. {actions[0]}" if actions.ndim and len(actions) else ""
            self._expect(f"actions of shape {actions.shape} for {len(playing)} environments{first}", playing)
        if actions.dtype.kind not in limits.kinds:
            self._expect(f"actions of type {actions.dtype}, e.g. {actions[0]!r}", playing)
        row = int(np.flatnonzero(limits.strays(actions))[0])
        self._expect(f"{actions[row]}", playing[row : row + 1])

    def _strays(self, limits: _Limits, values: NDArray[Any], playing: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which observations are outside, (b,) bool."""
        if values.shape != (expected := (len(playing), *limits.shape)):
            self._refuse(f"was shown observations of shape {values.shape}, {expected} is expected,", playing)
        self._check_finite(values, playing)
        return limits.strays(values)

    def _expect(self, received: str, playing: NDArray[np.int64]) -> NoReturn:
        self._refuse(f"answered with {received}", playing, f"; an action of {self._space} is expected for each")

    def _refuse(self, what: str, playing: NDArray[np.int64], right: str = "") -> NoReturn:
        seeds = self._seeds[playing]
        which = f"episode with seed {seeds[0]}" if len(seeds) == 1 else f"episodes with seeds {seeds[0]} to {seeds[-1]}"
        what, right = (textwrap.shorten(text, 200, placeholder=" ...") for text in (what, right))
        raise SymbenchError(f"agent {self._agent!r} {what} at step {self.step} of the {which}{right}")


class _Limits:
    """What the arrays of one space hold: shape, kinds of numbers, and bounds for up to ``count`` rows."""

    def __init__(self, space: Space[Any], count: int) -> None:
        low, high = _bounds(space)
        self.shape, self._dtype = low.shape, np.dtype(space.dtype)
        whole = self._dtype.kind in "iub"
        self._binary = isinstance(space, spaces.MultiBinary)
        self.kinds = "biuf" if self._binary else _KINDS[self._dtype.kind]  # SB3 answers in floats to MultiBinary
        info = np.iinfo(self._dtype) if self._dtype.kind in "iu" else None
        self._everything = info is not None and bool((low == info.min).all() and (high == info.max).all())
        if not whole:
            low, high = _widened(low, -1, self._dtype), _widened(high, 1, self._dtype)
        self._low, self._high = _for_rows(low, count), _for_rows(high, count)

    def holds_all(self, dtype: np.dtype[Any]) -> bool:
        """Whether every number of a type is in the space, as bytes are in that of frames."""
        return self._everything and dtype == self._dtype

    def hold(self, values: NDArray[Any], rows: int) -> bool:
        """Whether these are ``rows`` elements of the space; NaN and infinity never are."""
        if values.shape != (rows, *self.shape) or values.dtype.kind not in self.kinds:
            return False
        if self.holds_all(values.dtype):
            return True
        # The fastest of what numpy offers: this is done at every step.
        low, high, size = self._low[:rows], self._high[:rows], values.size
        if np.count_nonzero(values >= low) < size or np.count_nonzero(values <= high) < size:
            return False
        return not self._binary or bool(((values == 0) | (values == 1)).all())

    def strays(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which rows hold a number outside, (b,) bool."""
        low, high = self._low[: len(values)], self._high[: len(values)]
        inside = (values >= low) & (values <= high)
        if self._binary:
            inside &= values == np.rint(values)
        return np.logical_not(inside.reshape(len(values), -1).all(axis=1))


_KINDS = {"b": "biu", "i": "iu", "u": "iu", "f": "iuf"}  # of numbers that may stand for those of a space
_ARRAYS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def _bounds(space: Space[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest values of a space whose elements are arrays, each of the shape of one element."""
    if isinstance(space, spaces.Box):
        return space.low, space.high
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, np.int8), np.ones(space.shape, np.int8)
    assert isinstance(space, (spaces.Discrete, spaces.MultiDiscrete))
    counts = space.n if isinstance(space, spaces.Discrete) else space.nvec
    return np.asarray(space.start), np.asarray(space.start + counts - 1)


def _widened(edge: NDArray[Any], side: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Bounds that allow for rounding; infinity, which no observation and no action may be, lies outside."""
    most = float(np.finfo(dtype).max)
    wide = np.clip(edge.astype(np.float64), -most, most)
    with np.errstate(over="ignore"):  # beyond the largest number of float64, which is clipped again
        wide = wide + side * _ROUNDING * np.maximum(np.abs(wide), 1.0)
    return np.clip(wide, -most, most).astype(dtype)


def _for_rows(edge: NDArray[Any], count: int) -> NDArray[Any]:
    rows = np.broadcast_to(edge, (count, *edge.shape))
    return rows.copy() if edge.size <= _TILED else rows


def _limits(space: Space[Any], count: int) -> Any:
    """Limits of a space, or a dict or tuple of those of its parts; ``None`` for one that holds no arrays."""
    if isinstance(space, spaces.Dict):
        return {key: _limits(part, count) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_limits(part, count) for part in space.spaces)
    return _Limits(space, count) if isinstance(space, _ARRAYS) else None


def _finite(batches: list[Any]) -> bool:
    """Whether there is no NaN and no infinity in any batch."""
    leaves = zip(*map(_leaves, batches), strict=True)
    return all(
        first.dtype.kind != "f" or bool(np.isfinite(np.concatenate((first, *others))).all())
        for first, *others in leaves
    )


def _hold(limits: Any, batches: list[Any]) -> bool:
    """Whether all batches of observations are of the space."""
    leaves = [list(_pairs(limits, batch)) for batch in batches]
    for pairs in zip(*leaves, strict=True):
        limit, arrays = pairs[0][0], [values for _, values in pairs]
        if any(values.shape[1:] != limit.shape for values in arrays):
            return False
        if not limit.holds_all(arrays[0].dtype) and not limit.hold(joined := np.concatenate(arrays), len(joined)):
            return False
    return True


def _pairs(limits: Any, shown: Any) -> Iterator[tuple[_Limits, NDArray[Any]]]:
    if isinstance(limits, dict):
        for key, part in limits.items():
            yield from _pairs(part, shown[key])
    elif isinstance(limits, tuple):
        for part, of_part in zip(limits, shown, strict=True):
            yield from _pairs(part, of_part)
    elif limits is not None:
        yield limits, np.asarray(shown)


def _leaves(seen: Any) -> Iterator[NDArray[Any]]:
    if isinstance(seen, (dict, tuple)):
        for part in seen.values() if isinstance(seen, dict) else seen:
            yield from _leaves(part)
    else:
        yield np.asarray(seen)
